"""The records a plugin may offer.

A record names one thing that can be chosen. It is small and plain: implementations are given as
``"package.module:attribute"`` and loaded when first used, so that listing a plugin costs nothing
and never imports torch. A callable may stand wherever such a text may.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from evo_core.development import Development
from evo_core.errors import EvoError
from evo_core.fitness_records import (
    NEEDS,
    Combiner,
    FitnessFunction,
    Goal,
    Need,
    Needs,
    Parts,
)
from evo_core.genome import SCALES
from evo_core.record import Component, NoOptions, Ref, load, option

__all__ = [
    "KINDS",
    "NEEDS",
    "RECORDS",
    "Combiner",
    "Component",
    "Dataset",
    "Development",
    "Executor",
    "FitnessFunction",
    "Goal",
    "Motif",
    "Need",
    "Needs",
    "NeuronModel",
    "NoOptions",
    "Observer",
    "Operator",
    "OperatorScale",
    "Parts",
    "Ref",
    "SearchSpace",
    "Strategy",
    "load",
    "option",
]  # fmt: skip

OperatorScale = Literal["neuron", "motif", "macro", "development", "any"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchSpace(Component):
    """A space of architectures.

    Attributes:
        build: ``build(options, bind) -> Space``: an object with ``genes`` (a tuple of Gene),
            ``active(genome) -> tuple[bool, ...]`` and ``decode(genome, task) -> Architecture``.
            ``bind(record_class, text)`` gives any other component that the options name.
    """

    kind: ClassVar[str] = "space"

    build: Ref


@dataclass(frozen=True, slots=True, kw_only=True)
class Motif(Component):
    """A circuit motif of the space ``mse``, as text (the notation is in docs/motifs.md).

    Attributes:
        nodes: One line per node, e.g. ``("a = +(x*)", "b = +(a) + id(x0)")``.
        feedback: Lines such as ``"a <- -(i)"``.
        output: The principal nodes, whose concatenation is the output of the cell.
    """

    kind: ClassVar[str] = "motif"

    nodes: tuple[str, ...]
    output: tuple[str, ...]
    feedback: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NeuronModel(Component):
    """A spiking neuron; its options are its parameters.

    Attributes:
        module: ``module(parameters) -> torch.nn.Module``: the multi-step SpikingJelly node, whose
            input and output are ``[T, B, ...]``.
        step: ``step(current, state, parameters) -> (spikes, state)``: the same dynamics for one
            time step on plain tensors ``[B, ...]``; ``state`` is None at the first step.
        run: ``run(currents, state, parameters) -> (spikes, state)``: optional, the same over
            several steps ``[T', B, ...]`` at once, to be faster. It leaves ``currents`` as they
            are, and may write to the state it is given.
    """

    kind: ClassVar[str] = "neuron"

    module: Ref
    step: Ref
    run: Ref | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator(Component):
    """A variation operator on genomes.

    Attributes:
        scale: The scale whose genes it changes, or ``"any"``.
        parents: 1 for a mutation, 2 for a mating.
        apply: ``apply(rng, space, *genomes, options) -> tuple[Genome, ...]``: as many new genomes
            as it was given; the given ones stay as they are.
    """

    kind: ClassVar[str] = "operator"

    scale: OperatorScale
    parents: Literal[1, 2]
    apply: Ref

    def __post_init__(self) -> None:
        Component.__post_init__(self)
        if self.scale not in (*SCALES, "any") or self.parents not in (1, 2):
            raise EvoError(f"operator {self.name!r} has a wrong scale or number of parents")


@dataclass(frozen=True, slots=True, kw_only=True)
class Strategy(Component):
    """How the population is evolved.

    Attributes:
        build: ``build(options, problem)``, which gives an object with pure functions
            ``start() -> state``, ``ask(state, n, rng) -> list[Proposal]`` and
            ``tell(state, evaluated) -> state``; the state is plain JSON.
    """

    kind: ClassVar[str] = "strategy"

    build: Ref


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset(Component):
    """A data set.

    Attributes:
        load: ``load(options, root) -> Splits``; ``root`` is the folder given with ``--data-root``
            as a Path, or None.
        shape: Channels, height and width of a sample, where they are known beforehand.
        classes: How many classes there are, where that is known beforehand.
        licence: The terms under which the data may be used.
        files: The files it reads, as they lie below the data root; empty if it needs none.
        check: ``check(options, root) -> dict``, which says of each file that is there by its path
            below the root whether it is the published one: ``"ok"`` or ``"differs"``.
        download: ``download(options, root, say)`` fetches the files that are missing, and tells
            ``say(text)`` what it does.
    """

    kind: ClassVar[str] = "data"

    load: Ref
    shape: tuple[int, ...] | None = None
    classes: int | None = None
    licence: str = ""
    files: tuple[str, ...] = ()
    check: Ref | None = None
    download: Ref | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Executor(Component):
    """Where candidates are evaluated.

    Attributes:
        build: ``build(options, workers, job)``, which gives an object with ``submit(bundle)``,
            ``as_completed() -> Iterator[list[Evaluation]]``, ``cancel()`` and ``close()``.
            ``job`` is the picklable part of the plan that a worker needs.
        parallel: Whether it uses more than one worker.
    """

    kind: ClassVar[str] = "executor"

    build: Ref
    parallel: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Observer(Component):
    """Something that watches a run.

    Attributes:
        build: ``build(options)``, which gives an object that implements lifecycle hooks.
    """

    kind: ClassVar[str] = "observer"

    build: Ref


RECORDS: tuple[type[Component], ...] = (
    SearchSpace, Motif, NeuronModel, Operator, FitnessFunction, Combiner, Strategy, Dataset,
    Executor, Observer, Development,
)  # fmt: skip
KINDS: dict[str, type[Component]] = {record.kind: record for record in RECORDS}
