"""What the loop of a run calls, built before anything is written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import chain

import pluggy

from evo_core import hookspecs
from evo_core.binding import Bound
from evo_core.cache import CachedExecutor, cache_of
from evo_core.components import Observer, load
from evo_core.errors import EvoError
from evo_core.evolution import Problem, StrategyLike
from evo_core.executors import ExecutorLike
from evo_core.genome import Genome, random_genome
from evo_core.heredity import check_development
from evo_core.plan import Plan
from evo_core.registry import one_line
from evo_core.seeds import generator

_DRAWS = 50  # random networks that a development is tried on before it is refused


@dataclass(frozen=True, slots=True)
class Parts:
    """What the loop calls, and the genomes that its first generation starts from."""

    problem: Problem
    strategy: StrategyLike
    executor: ExecutorLike
    observers: Mapping[str, pluggy.PluginManager]
    given: tuple[Genome, ...] = ()


@contextmanager
def assemble(plan: Plan, given: tuple[Genome, ...] = ()) -> Iterator[Parts]:
    """Load and build what a run needs, so that what is missing is found before it begins.

    Args:
        plan: The plan.
        given: The genomes that the first generation starts from.

    Raises:
        EvoError: If something can not be loaded, or refuses its options, the cache can not be used,
            or a development would do nothing.
    """
    check_development(plan.development, plan.fitness, plan.config)
    _check_trainings(plan, given)
    for bound in plan.fitness:
        for reference in (bound.record.score, bound.record.collect):
            if reference is not None:
                load(reference)
    problem = plan.problem()
    strategy = load(plan.strategy.record.build)(plan.strategy.options, problem)
    observers = {bound.text: _observer(bound) for bound in plan.observers}
    build = load(plan.executor.record.build)
    with (
        closing(build(plan.executor.options, plan.workers, plan.job)) as executor,
        cache_of(plan) as cache,
    ):
        behind = executor if cache is None else CachedExecutor(executor, cache)
        yield Parts(problem, strategy, behind, observers, given)


def _check_trainings(plan: Plan, given: Iterable[Genome]) -> None:
    """Refuse a development that can work on none of the first networks, e.g. in so few epochs.

    Random networks stand for those of the space.

    Raises:
        EvoError: If it is so, with the first reason.
    """
    if plan.development is None or plan.development.record.check is None:
        return
    rng = generator(0, "development")
    drawn = (random_genome(rng, plan.space.genes) for _ in range(_DRAWS))
    reasons = (_why_not(plan, genome) for genome in chain(given, drawn))
    first = next(reasons)
    if first is not None and all(reasons):
        raise EvoError(first)


def _why_not(plan: Plan, genome: Genome) -> str | None:
    """Say why a candidate can not develop in one of its trainings; None if it can."""
    development = plan.developing(genome)
    assert development is not None
    assert development.record.check is not None
    check = load(development.record.check)
    recipes = [getattr(bound.options, "recipe", None) for bound in plan.fitness]
    try:
        network = plan.decode(genome)
        for epochs in sorted({one.epochs for one in recipes if one is not None}):
            check(network, development.options, epochs)
    except EvoError as error:
        return str(error)
    return None


def _observer(bound: Bound[Observer]) -> pluggy.PluginManager:
    manager = pluggy.PluginManager("evo")
    manager.add_hookspecs(hookspecs)
    observer = load(bound.record.build)(bound.options)
    try:
        manager.register(observer, name=bound.text)
        manager.check_pending()
    except pluggy.PluginValidationError as error:
        raise EvoError(f"observer {bound.text}: {one_line(error)}") from error
    return manager
