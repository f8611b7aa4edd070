"""What children inherit of a development: nothing, its genes, or all that came of it.

A *body* is what a training leaves: the tensors of the network and of its development. Under
``inherit='lamarck'`` a child begins with the body of a parent, changed by mutations of the body.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from itertools import pairwise

from evo_core.binding import Bound
from evo_core.components import Development, FitnessFunction, Operator
from evo_core.config import RunConfig
from evo_core.development import MATE
from evo_core.errors import EvoError
from evo_core.evaluation import Candidate, Evaluation, Inheritance
from evo_core.genome import Genome
from evo_core.registry import Registry

Done = Mapping[int, tuple[Candidate, Evaluation]]
Fitness = Sequence[Bound[FitnessFunction]]
MUTATION_RATE, MATE_RATE = 0.5, 0.1  # that a mutation acts on a body; that two bodies are mated


def check_development(
    development: Bound[Development] | None, fitness: Fitness, config: RunConfig
) -> None:
    """Refuse a development that would do nothing, or that can not be inherited as asked.

    Raises:
        EvoError: If it is so.
    """
    if development is None:
        if config.inherit != "none":
            raise EvoError(f"inherit={config.inherit!r} needs a development, e.g. --develop set")
        return
    name = development.text
    trained = [one for one in fitness if "trained" in one.record.needs_with(one.options)]
    if not trained:
        raise EvoError(
            f"develop={name!r} does nothing where no fitness function trains; add e.g. "
            "--fitness accuracy"
        )
    if config.cache is not None:
        raise EvoError("the cache keeps no networks that develop; leave out --cache or --develop")
    if config.inherit == "baldwin" and development.record.genes is None:
        raise EvoError(
            f"development {name!r} has no genes to inherit; take inherit='none' or 'lamarck'"
        )
    if config.inherit == "lamarck":
        _check_one_training(trained, config)


def _check_one_training(trained: Fitness, config: RunConfig) -> None:
    """Refuse several trainings of a candidate where one is to be passed on.

    Of fitness functions whose options tell no ``recipe``, the first training is passed on.
    """
    if config.scoring.inits > 1:
        raise EvoError("inherit='lamarck' passes on one training; take scoring.inits=1")
    told = [one for one in trained if hasattr(one.options, "recipe")]
    for first, other in pairwise(told):
        if first.options.recipe != other.options.recipe:
            raise EvoError(
                f"inherit='lamarck' passes on one training, but {first.text} and {other.text} "
                "train in different ways; give both the same options"
            )


def mutations_of(development: Bound[Development] | None, registry: Registry) -> tuple[str, ...]:
    """Name what can change the bodies of a development: mating, and its mutations.

    Raises:
        EvoError: If one has the name of a variation operator.
    """
    if development is None:
        return ()
    record = development.record
    names = (*((MATE,) if record.mate is not None else ()), *record.mutations)
    for name in names:
        if name in registry.all(Operator):
            raise EvoError(
                f"development {record.name!r}: its mutation {name!r} has the name of an operator"
            )
    return names


def body_rates(mutations: Sequence[str], config: RunConfig) -> dict[str, float] | None:
    """Give the probability of each mutation of a body; None if no body is passed on."""
    if config.inherit != "lamarck":
        return None
    default = {name: MATE_RATE if name == MATE else MUTATION_RATE for name in mutations}
    return {name: config.operators.get(name, rate) for name, rate in default.items()}


def key_of(architecture: str, genes: Genome, inheritance: Inheritance | None) -> str:
    """Give what tells a candidate from others; the hash of its network if nothing else does.

    Args:
        architecture: That hash.
        genes: The genes of its development; empty if these do not evolve.
        inheritance: What it inherits.
    """
    if not genes and inheritance is None:
        return architecture
    body = None if inheritance is None else [inheritance.bodies, inheritance.mutations]
    text = json.dumps([architecture, genes, body])
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def inheritance_of(
    heirs: Sequence[int], mutations: tuple[tuple[str, int], ...], done: Done
) -> Inheritance | None:
    """Give what a child inherits; None if a parent has no body.

    Args:
        heirs: The ids of the parents whose bodies it takes.
        mutations: What changes them.
        done: The candidates so far.
    """
    bodies = tuple(done[number][1].body for number in heirs)
    if not bodies or any(body is None for body in bodies):
        return None
    found = tuple(body for body in bodies if body is not None)
    return Inheritance(found, mutations, epochs_before(found, done))


def epochs_before(bodies: Sequence[str], done: Done) -> int:
    """Count the epochs of all trainings that bodies come from, each ancestor once."""
    makers: dict[str, tuple[Candidate, Evaluation]] = {}
    for pair in done.values():
        if pair[1].body is not None and pair[1].copied_from is None:
            makers.setdefault(pair[1].body, pair)
    waiting, seen = list(bodies), set[str]()
    while waiting:
        body = waiting.pop()
        if body not in seen:
            seen.add(body)
            inheritance = makers[body][0].inheritance
            waiting += inheritance.bodies if inheritance is not None else ()
    return sum(int(makers[body][1].details["training"]["epochs"]) for body in seen)
