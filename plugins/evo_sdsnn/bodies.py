"""The layers in a body: tensors that are inherited, seen as weights with their structural state.

The names of tensors tell what belongs together: ``network/edges.a->b.1.weight`` are the weights of
the operation at place 1 of the edge from node a to node b.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace

from torch import Tensor

from evo_sdsnn.state import LayerState

Body = dict[str, Tensor]
JOINED = "concatenated"  # with the name of a node behind it, an empty tensor of the development
_WEIGHT = re.compile(r"network/(edges\.(.+?)(?:->|~>)(.+?)(?:#\d+)?)\.(\d+)\.weight")


@dataclass(frozen=True, slots=True)
class BodyLayer:
    """A convolution or linear layer in a body.

    Attributes:
        name: The name of its weights, without ``network/``.
        weight: Its weights, ``[O, I / groups, kh, kw]`` or ``[O, I]``.
        state: Its structural state, of tensors of the body; None for the classifier.
        units: The names of the tensors with one value for each neuron: its bias, and the BatchNorm
            between it and the next such layer of its edge.
        makes: What tells its neurons from others. Layers whose outputs are added make the same: it
            is the name of their node.
        reads: Of which neurons its columns come, in equal blocks; empty where that is not known.
    """

    name: str
    weight: Tensor
    state: LayerState | None
    units: tuple[str, ...]
    makes: str
    reads: str

    def named(self) -> Iterator[str]:
        """Name all tensors of the body with a row, or a value, for each neuron."""
        yield f"network/{self.name}"
        yield from self.units
        if self.state is not None:
            for one in fields(self.state):
                tensor = getattr(self.state, one.name)
                if tensor.ndim and tensor.numel():
                    yield f"development/{self.name}/{one.name}"


def layers_of(body: Body) -> list[BodyLayer]:
    """Give the layers of a body, edges by their names, layers in the order of each edge."""
    edges: dict[str, list[tuple[int, str, str]]] = {}
    for name, tensor in body.items():
        found = _WEIGHT.fullmatch(name)
        if found and tensor.ndim > 1:
            edge, source, target, place = found.groups()
            edges.setdefault(edge, []).append((int(place), source, target))
    found_in = (_of_edge(body, edge, places) for edge, places in sorted(edges.items()))
    return _checked([layer for some in found_in for layer in some], _concatenating(body))


def _of_edge(body: Body, edge: str, places: list[tuple[int, str, str]]) -> Iterator[BodyLayer]:
    ordered = sorted(places)
    reads = f"node {ordered[0][1]}"
    for (place, _, target), following in zip(ordered, [*ordered[1:], None], strict=True):
        name = f"{edge}.{place}.weight"
        weight = body[f"network/{name}"]
        makes = f"node {target}" if following is None else name
        end = None if following is None else following[0]
        state = _state(body, name)
        units = tuple(_units(body, edge, place, end, len(weight)))
        yield BodyLayer(name, weight, state, units, makes, reads)
        reads = makes


def _units(body: Body, edge: str, place: int, end: int | None, size: int) -> Iterator[str]:
    for name, tensor in body.items():
        if name.startswith(f"network/{edge}.") and tuple(tensor.shape) == (size,):
            at = int(name.removeprefix(f"network/{edge}.").split(".")[0])
            if place <= at and (end is None or at < end):
                yield name


def _state(body: Body, name: str) -> LayerState | None:
    kept = {one.name: body.get(f"development/{name}/{one.name}") for one in fields(LayerState)}
    found = {field: tensor for field, tensor in kept.items() if tensor is not None}
    return LayerState(**found) if len(found) == len(kept) else None


def _concatenating(body: Body) -> set[str]:
    """Name the nodes that concatenate what enters them, as in ``makes``."""
    prefix = f"development/{JOINED}/"
    return {f"node {one.removeprefix(prefix)}" for one in body if one.startswith(prefix)}


def _checked(layers: list[BodyLayer], concatenating: set[str]) -> list[BodyLayer]:
    """Let layers share neurons only where sizes fit; others make and read what is theirs alone.

    They do not fit where a convolution has groups. Where a node concatenates what enters it, it is
    not known here which part is whose.
    """
    sizes: dict[str, set[int]] = {}
    for one in layers:
        sizes.setdefault(one.makes, set()).add(len(one.weight))
    checked = []
    for one in layers:
        shared = len(sizes[one.makes]) == 1 and one.makes not in concatenating
        makes = one.makes if shared else one.name
        made = set() if one.reads in concatenating else sizes.get(one.reads, set())
        fits = len(made) == 1 and _fits(one.weight, min(made))
        checked.append(replace(one, makes=makes, reads=one.reads if fits else ""))
    return checked


def _fits(weight: Tensor, neurons: int) -> bool:
    """Tell whether columns are those of so many neurons; behind a Flatten, a block for each."""
    columns = weight.shape[1]
    return columns == neurons if weight.ndim > 2 else columns % neurons == 0
