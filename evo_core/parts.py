"""What the loop of a run calls, built before anything is written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass

import pluggy

from evo_core import hookspecs
from evo_core.binding import Bound
from evo_core.cache import CachedExecutor, cache_of
from evo_core.components import Observer, load
from evo_core.errors import EvoError
from evo_core.evolution import Problem, StrategyLike
from evo_core.executors import ExecutorLike
from evo_core.genome import Genome
from evo_core.heredity import check_development
from evo_core.plan import Plan
from evo_core.registry import one_line


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
