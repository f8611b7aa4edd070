"""The records a plugin may offer.

A record names one thing that can be chosen. It is small and plain: implementations are given as
``"package.module:attribute"`` and loaded when first used, so that listing a plugin costs nothing
and never imports torch. A callable may stand wherever such a text may.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, get_args

from evo_core.errors import EvoError, did_you_mean
from evo_core.genome import SCALES
from evo_core.record import Component, NoOptions, Ref, load, option

__all__ = [
    "KINDS",
    "NEEDS",
    "RECORDS",
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
    "Ref",
    "SearchSpace",
    "Strategy",
    "load",
    "option",
]  # fmt: skip

Goal = Literal["max", "min"]
Need = Literal[
    "graph", "gram", "spikes", "rates", "network", "labels", "gradients", "trained"
]  # fmt: skip
NEEDS: tuple[Need, ...] = get_args(Need)
Needs = tuple[Need, ...] | Callable[[Any], tuple[Need, ...]]
_COLLECTED: frozenset[Need] = frozenset(("spikes", "rates"))
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
class FitnessFunction(Component):
    """A score of one candidate.

    Attributes:
        goal: Whether ``"max"`` or ``"min"`` is better.
        needs: What it reads, of ``graph``, ``gram``, ``spikes``, ``rates``, ``network``,
            ``labels``, ``gradients``, ``trained``, or ``needs(options)``, which tells; the cheapest
            way to meet the needs of all fitness functions together is taken once per candidate.
        score: ``score(view, options) -> float | Score``; not finite or None means undefined.
        collect: ``collect(record, options) -> value``, called with every SpikeRecord (need
            ``spikes``) or every RateRecord (need ``rates``) as it passes; the values reach
            ``score`` in order as ``view.collected``.
    """

    kind: ClassVar[str] = "fitness"

    goal: Goal
    needs: Needs
    score: Ref
    collect: Ref | None = None

    def __post_init__(self) -> None:
        Component.__post_init__(self)
        if self.goal not in get_args(Goal):
            raise EvoError(f"fitness {self.name!r} has goal {self.goal!r}; take 'max' or 'min'")
        if not callable(self.needs):
            self._check(self.needs)
            if self.collect is not None and not _COLLECTED & set(self.needs):
                raise self._needs_together()

    def needs_with(self, options: Any) -> frozenset[Need]:
        """Tell what it reads under the given options.

        Raises:
            EvoError: If ``needs(options)`` names something that can not be read.
        """
        needs = self.needs(options) if callable(self.needs) else self.needs
        self._check(needs)
        return frozenset(needs)

    def _check(self, needs: tuple[Need, ...]) -> None:
        for need in needs:
            if need not in NEEDS:
                raise EvoError(
                    f"fitness {self.name!r} needs {need!r}; {did_you_mean(str(need), NEEDS)}"
                )
        collected = _COLLECTED & set(needs)
        if len(collected) > 1:
            raise EvoError(f"fitness {self.name!r} can collect 'spikes' or 'rates', not both")
        if collected and self.collect is None:
            raise self._needs_together()

    def _needs_together(self) -> EvoError:
        return EvoError(
            f"fitness {self.name!r}: one of the needs 'rates', 'spikes' and a collect function "
            "go together"
        )


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Development(Component):
    """How the structure of a network develops while it is trained.

    Attributes:
        attach: ``attach(network, optimiser, options, seed) -> state``, before the first step.
        after_backward: ``after_backward(state)``: gradients are there, the step is not yet made.
        after_epoch: ``after_epoch(state, progress)``: ``progress.epoch`` of ``progress.epochs``.
        tensors: ``tensors(state) -> dict[str, Tensor]``: all that the state needs to go on.
        restore: ``restore(state, tensors)``: take over what ``tensors`` gave, after ``attach``.
        numbers: ``numbers(state) -> dict[str, float]``, for the log of each epoch.
        check: ``check(architecture, options, epochs)``: optional; raises EvoError if it can not
            develop this network in a training of so many epochs, before anything is written.
    """

    kind: ClassVar[str] = "development"

    attach: Ref
    after_backward: Ref
    after_epoch: Ref
    tensors: Ref
    restore: Ref
    numbers: Ref
    check: Ref | None = None


RECORDS: tuple[type[Component], ...] = (
    SearchSpace, Motif, NeuronModel, Operator, FitnessFunction, Strategy, Dataset, Executor,
    Observer, Development,
)  # fmt: skip
KINDS: dict[str, type[Component]] = {record.kind: record for record in RECORDS}
