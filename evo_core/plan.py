"""From a configuration to a plan: names become objects, once, before anything is written."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from evo_core.architecture import Architecture, Task
from evo_core.binding import Binder, Bound, parse_reference, validate
from evo_core.components import (
    KINDS,
    Component,
    Development,
    Executor,
    FitnessFunction,
    NeuronModel,
    Observer,
    Operator,
    Strategy,
)
from evo_core.config import OWN_KEYS, Precision, RunConfig
from evo_core.constraints import Constraint, bind_constraints, violation
from evo_core.data import Splits, check_encoding
from evo_core.errors import EvoError, InvalidGenomeError, did_you_mean
from evo_core.evaluation import Objective
from evo_core.evolution import Problem
from evo_core.genome import Genome, random_genome
from evo_core.heredity import body_rates, key_of, mutations_of
from evo_core.limits import parse_memory
from evo_core.loading import check_partial, load_data
from evo_core.registry import Registry, installed
from evo_core.seeds import generator
from evo_core.spaces import DevelopedSpace, Space, build_space

DEFAULT_RATES: Mapping[str, float] = {
    "two-point": 0.9,
    "mutate-neuron": 0.5,
    "mutate-motif": 0.5,
    "mutate-macro": 0.1,
}
DEVELOPMENT_RATES: Mapping[str, float] = {"mutate-development": 0.5}  # where its genes evolve


@dataclass(frozen=True, slots=True)
class Job:
    """The part of a plan that travels to workers: names and numbers, and loose records."""

    config: RunConfig
    components: tuple[Component, ...] = ()


@dataclass(frozen=True)
class Plan:
    """A configuration with every name looked up and every option checked."""

    job: Job
    registry: Registry
    binder: Binder
    space: Space
    splits: Splits
    task: Task
    fitness: tuple[Bound[FitnessFunction], ...]
    constraints: tuple[Constraint, ...]
    operators: tuple[tuple[Bound[Operator], float], ...]
    strategy: Bound[Strategy]
    executor: Bound[Executor]
    observers: tuple[Bound[Observer], ...]
    development: Bound[Development] | None = None
    body_rates: Mapping[str, float] | None = None

    @property
    def config(self) -> RunConfig:
        """The configuration."""
        return self.job.config

    @property
    def objectives(self) -> tuple[Objective, ...]:
        """The objectives, in the order of the fitness functions."""
        return tuple(Objective(bound.text, bound.record.goal) for bound in self.fitness)

    @property
    def neurons(self) -> dict[str, NeuronModel]:
        """All neuron models by name."""
        return self.registry.all(NeuronModel)

    @property
    def shows_stills(self) -> bool:
        """Whether a network is shown the same image at every step."""
        images = self.splits.train.inputs.ndim == 4
        return images and self.config.scoring.encoding == "direct"

    @property
    def workers(self) -> int:
        """How many workers evaluate; 0 in the configuration stands for one per core."""
        import joblib

        if not self.executor.record.parallel:
            return 1
        return self.config.workers or int(joblib.cpu_count())

    @property
    def evaluations(self) -> int:
        """How many candidates are evaluated at most."""
        config = self.config
        children = getattr(self.strategy.options, "offspring", 0) or config.population
        most = config.population + (config.generations - 1) * children
        return min(most, config.max_evaluations or most)

    def decode(self, genome: Genome) -> Architecture:
        """Decode a genome for the task of the search.

        Raises:
            InvalidGenomeError: If it stands for no network.
        """
        return self.space.decode(genome, self.task)

    def network(self, genome: Genome) -> str:
        """Give the hash of the network of a genome, or ``"invalid:..."`` if there is none."""
        try:
            return self.decode(genome).hash
        except InvalidGenomeError:
            return "invalid:" + ",".join(map(str, genome))

    def developing(self, genome: Genome) -> Bound[Development] | None:
        """Give the development of a candidate with the options that it trains with."""
        if isinstance(self.space, DevelopedSpace):
            return self.space.configured(genome)
        return self.development

    def violation(self, genome: Genome) -> str | None:
        """Say which constraint the network of a genome violates; None if it is to be evaluated."""
        with contextlib.suppress(InvalidGenomeError):
            return violation(self.constraints, self.decode(genome)) if self.constraints else None
        return None  # that it stands for no network is for its evaluation to say

    def problem(self) -> Problem:
        """Give the strategy what it works on."""
        verdicts: dict[str, bool] = {}
        space, size = self.space, self.config.population

        @lru_cache(maxsize=100_000)
        def identity(genome: Genome) -> str:
            genes = space.developing(genome) if isinstance(space, DevelopedSpace) else ()
            return key_of(self.network(genome), genes, None)

        def feasible(genome: Genome) -> bool:
            network = identity(genome)
            if network not in verdicts:
                verdicts[network] = self.violation(genome) is None
            return verdicts[network]

        rates = self.body_rates
        return Problem(space, self.objectives, size, self.operators, identity, feasible, rates)


def make_plan(job: Job, *, registry: Registry | None = None) -> Plan:
    """Look up every name of a configuration and check every option.

    Raises:
        EvoError: One line about the first thing that is wrong.
    """
    config = job.config
    registry = registry or installed(config.plugins, job.components)
    _check_tables(config, registry)
    binder = Binder(registry, config.options)
    fitness = tuple(binder.bind(FitnessFunction, text) for text in config.fitness)
    _check_repeats(fitness)
    _check_device(config.device, config.precision)
    parse_memory(config.memory)
    splits = load_data(binder, config)
    check_partial(splits, config)
    _check_lessons(fitness, splits, config.data)
    development = binder.bind(Development, config.develop) if config.develop is not None else None
    space = build_space(binder, config)
    of_bodies = mutations_of(development, registry)
    plan = Plan(
        job=job,
        registry=registry,
        binder=binder,
        space=space,
        splits=splits,
        task=splits.task(config.scoring.steps),
        fitness=fitness,
        constraints=bind_constraints(binder, config.constraints),
        operators=_operators(binder, config, space, of_bodies),
        strategy=binder.bind(Strategy, config.strategy),
        executor=binder.bind(Executor, config.executor),
        observers=tuple(binder.bind(Observer, text) for text in config.observers),
        development=development,
        body_rates=body_rates(of_bodies, config),
    )
    if not plan.space.genes:
        raise EvoError(f"the space {config.space} has nothing to choose; allow more in its options")
    if needs_data(fitness):
        batch = splits.batch(config.scoring.batch, config.seed, 0)
        check_encoding(batch, config.scoring.encoding)
        _check_statistics(plan)
    return plan


def _check_statistics(plan: Plan) -> None:
    """Refuse statistics over the sequence where random networks of the space forbid them."""
    if plan.config.scoring.statistics != "sequence":
        return
    rng = generator(0, "statistics")
    for _ in range(50):
        with contextlib.suppress(InvalidGenomeError):
            architecture = plan.decode(random_genome(rng, plan.space.genes))
            if any(segment.recurrent for segment in architecture.segments):
                raise EvoError(
                    "scoring.statistics='sequence' does not go with next-step feedback, which the "
                    "space may give; take 'step', or a space without it, e.g. "
                    "mse.feedback='same-step'"
                )


def default_rates(space: Space) -> dict[str, float]:
    """Give the probability of each operator that acts unless told otherwise."""
    more = DEVELOPMENT_RATES if isinstance(space, DevelopedSpace) else {}
    return {**DEFAULT_RATES, **more}


def needs_data(fitness: tuple[Bound[FitnessFunction], ...]) -> bool:
    """Tell whether any of the fitness functions reads more than the graph."""
    needs = [bound.record.needs_with(bound.options) for bound in fitness]
    return any(need - {"graph"} for need in needs)


def _operators(
    binder: Binder, config: RunConfig, space: Space, of_bodies: Collection[str]
) -> tuple[tuple[Bound[Operator], float], ...]:
    """Bind the variation operators that act; ``of_bodies`` names what is none of them."""
    rates = default_rates(space) | config.operators
    bound = tuple(
        (binder.bind(Operator, name), rate) for name, rate in rates.items() if name not in of_bodies
    )
    return tuple((operator, rate) for operator, rate in bound if rate > 0)


def _check_tables(config: RunConfig, registry: Registry) -> None:
    for name, table in config.options.items():
        owners = [kind for kind in KINDS.values() if name in registry.all(kind)]
        if not owners:
            hint = did_you_mean(name, registry.names() | OWN_KEYS)
            raise EvoError(f"no component has the table [{name}]; {hint}")
        for kind in owners:
            options: Any = registry.get(kind, name).options
            fields = {field.name for field in dataclasses.fields(options)}
            if len(owners) == 1 or set(table) <= fields:
                validate(options, table, name)


def _check_repeats(fitness: tuple[Bound[FitnessFunction], ...]) -> None:
    texts = [bound.text for bound in fitness]
    for text in texts:
        if texts.count(text) > 1:
            raise EvoError(f"the fitness {text} is named twice")


def _check_lessons(fitness: tuple[Bound[FitnessFunction], ...], splits: Splits, data: str) -> None:
    """Refuse to train candidates where nothing is held out to measure them on."""
    for bound in fitness:
        if "trained" in bound.record.needs_with(bound.options) and not len(splits.validation):
            raise EvoError(
                f"the fitness {bound.text} trains, and measures on validation samples, but {data} "
                f"has none; hold out some, e.g. --set {parse_reference(data)[0]}.validation=0.3"
            )


def _check_device(device: str, precision: Precision) -> None:
    if device == "cpu":
        return
    if device.partition(":")[0] != "cuda":
        raise EvoError(f"no device {device!r}; take cpu, cuda or cuda:N")
    import torch

    if not torch.cuda.is_available():
        raise EvoError(f"device {device!r} is not there: torch sees no CUDA GPU; take cpu")
    index = device.partition(":")[2]
    if index and (not index.isdigit() or int(index) >= torch.cuda.device_count()):
        raise EvoError(f"device {device!r} is not there: {torch.cuda.device_count()} GPU(s) found")
    if precision == "bf16" and not torch.cuda.is_bf16_supported(including_emulation=False):
        raise EvoError(f"device {device!r} has no arithmetic for precision='bf16'; take 'fp32'")
