"""From the bodies of its parents to the network that a candidate begins its training with.

What a parent learnt is taken over edge by edge: all tensors of an edge, those of its development
with them, or none if one of them has another shape in the child. All else stays as the child was
drawn; of two parents that are mated, each is first given the edges that only the other one has.
Only then do mutations act, on a body that fits the child. Edges are whole because their parts
belong together: a BatchNorm that silences a pruned channel says nothing of another kernel.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from torch import Tensor

from evo_core.binding import Bound
from evo_core.bodies import Bodies
from evo_core.components import Development, load
from evo_core.development import MATE
from evo_core.errors import EvoError
from evo_core.evaluation import Candidate, Inheritance
from evo_core.snn.tensors import parse_tensors, tensor_bytes

if TYPE_CHECKING:
    from evo_core.snn.training import Trainer

Body = dict[str, Tensor]
NETWORK, DEVELOPMENT = "network/", "development/"


@dataclass(frozen=True, slots=True)
class Heritage:
    """What a candidate inherits, with the bodies themselves."""

    inheritance: Inheritance
    bodies: tuple[Body, ...]

    @classmethod
    def of(cls, candidate: Candidate) -> Heritage | None:
        """Read what a candidate inherits; None if it begins with initial weights.

        Raises:
            EvoError: If a body is missing or damaged.
        """
        inheritance = candidate.inheritance
        if inheritance is None:
            return None
        folder = Bodies(Path(candidate.weights))
        bodies = tuple(
            parse_tensors(folder.read(digest), f"the body {digest}")
            for digest in inheritance.bodies
        )
        return cls(inheritance, bodies)


def left_by(trainer: Trainer) -> bytes:
    """Write the body of a network that was trained as a safetensors file."""
    return tensor_bytes(_body_of(trainer))


def begin(trainer: Trainer, heritage: Heritage, development: Bound[Development]) -> None:
    """Put a new trainer where its heritage lets it begin.

    Raises:
        EvoError: If a mutation gives a body of other tensors.
    """
    own = _body_of(trainer)
    first, *others = _completed(own, heritage.bodies)
    for name, seed in heritage.inheritance.mutations:
        rng = np.random.default_rng(seed)
        if name == MATE:
            assert development.record.mate is not None
            first = load(development.record.mate)(first, others[0], rng)
        else:
            first = load(development.record.mutations[name])(first, rng, development.options)
        _check_same(own, first, f"{name} of development {development.record.name}")
    trainer.network.load_state_dict(_part(first, NETWORK))
    assert trainer.developer is not None
    trainer.developer.restore(_part(first, DEVELOPMENT))


def _body_of(trainer: Trainer) -> Body:
    parts: dict[str, Mapping[str, Tensor]] = {NETWORK: trainer.network.state_dict()}
    if trainer.developer is not None:
        parts[DEVELOPMENT] = trainer.developer.tensors()
    return {
        prefix + name: tensor.detach().cpu().clone()
        for prefix, named in parts.items()
        for name, tensor in named.items()
    }


def _completed(own: Body, bodies: Sequence[Body]) -> list[Body]:
    """Give bodies with all edges of the child: what one lacks is that of another, or its own.

    So mating never mixes what was learnt with initial weights.
    """
    completed = []
    for body in bodies:
        filled = own
        for other in bodies:
            filled = _adopted(filled, other)
        completed.append(_adopted(filled, body))
    return completed


def _adopted(own: Body, inherited: Body) -> Body:
    """Give the own body with every edge of the inherited one that fits."""
    edges: dict[str, list[str]] = {}
    for name, edge in _edges(own).items():
        edges.setdefault(edge, []).append(name)
    adopted = dict(own)
    for names in edges.values():
        if all(name in inherited and _kind(inherited[name]) == _kind(own[name]) for name in names):
            adopted |= {name: inherited[name] for name in names}
    return {name: one.clone() for name, one in adopted.items()}


def _edges(body: Body) -> dict[str, str]:
    """Name the edge of each tensor, ``edges.NAME``; or the population of a neuron's parameter.

    A tensor of a development is of the edge whose name it begins with; or else of none but itself.
    """
    found = {
        name: ".".join(name.removeprefix(NETWORK).split(".", 2)[:2])
        for name in body
        if name.startswith(NETWORK)
    }
    known = set(found.values())
    for name in sorted(body.keys() - found.keys()):
        parts = re.split(r"([./])", name.removeprefix(DEVELOPMENT))
        heads = ("".join(parts[:end]) for end in range(len(parts), 0, -2))
        found[name] = next((head for head in heads if head in known), name)
    return found


def _check_same(own: Body, found: Body, what: str) -> None:
    if {name: _kind(one) for name, one in found.items()} != {
        name: _kind(one) for name, one in own.items()
    }:
        raise EvoError(f"{what} gives a body with other names, shapes or types than it was given")


def _part(body: Body, prefix: str) -> Body:
    return {name.removeprefix(prefix): one for name, one in body.items() if name.startswith(prefix)}


def _kind(tensor: Tensor) -> tuple[object, ...]:
    return tuple(tensor.shape), tensor.dtype
