"""The loop of a run: ask, drop repeats, evaluate, store, tell, notify."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import pluggy

from evo_core import hookspecs, selection
from evo_core.binding import Bound
from evo_core.components import Observer, load
from evo_core.errors import EvoError, RunFailedError
from evo_core.evaluation import Candidate, Evaluation
from evo_core.evolution import Member, Problem, Proposal, State, StrategyLike, members
from evo_core.executors import ExecutorLike, worker_count
from evo_core.plan import Plan
from evo_core.registry import one_line
from evo_core.results import Counts, GenerationReport, RunInfo, RunResult, RunStatus, Solution
from evo_core.seeds import generator
from evo_core.store import Store

Evaluated = tuple[Candidate, Evaluation]
logger = logging.getLogger("evo")


@dataclass(frozen=True, slots=True)
class Parts:
    """What the loop calls, built before anything is written."""

    problem: Problem
    strategy: StrategyLike
    observers: Mapping[str, pluggy.PluginManager]


def assemble(plan: Plan) -> Parts:
    """Load and build what a run needs, so that what is missing is found before it begins.

    Raises:
        EvoError: If something can not be loaded, or refuses its options.
    """
    load(plan.executor.record.build)
    for bound in plan.fitness:
        for reference in (bound.record.score, bound.record.collect):
            if reference is not None:
                load(reference)
    problem = plan.problem()
    strategy = load(plan.strategy.record.build)(plan.strategy.options, problem)
    return Parts(problem, strategy, {bound.text: _observer(bound) for bound in plan.observers})


class Loop:
    """The state of one run in the parent process."""

    def __init__(self, plan: Plan, parts: Parts, store: Store) -> None:
        self.plan = plan
        self.store = store
        self.config = plan.config
        self.started = time.perf_counter()
        self.counts = Counts()
        self.problem = parts.problem
        self.strategy = parts.strategy
        self.observers = parts.observers
        self.done: list[Evaluated] = []  # in the order of arrival
        self.next_id = 0
        self.by_architecture: dict[str, Evaluation] = {}
        self.generations = 0
        workers = worker_count(self.config.workers)
        self.info = RunInfo(
            store.folder, self.config, plan.objectives, plan.space.genes, workers, plan.decode
        )

    def whole(self) -> RunResult:
        """Run to the end, whatever it is, and tell the observers."""
        status: RunStatus = "failed"
        reason = "an error"
        try:
            logger.info("run started in %s", self.store.folder)
            self._tell("evo_run_started")
            reason = self._generations()
            status = "done"
        except KeyboardInterrupt:
            status, reason = "interrupted", "interrupted from the keyboard"
        except RunFailedError as error:
            reason = str(error)
            raise
        except Exception as error:
            reason = f"{type(error).__name__}: {error}"
            logger.exception("run failed")
            raise
        finally:
            result = self._result(status, reason)
            self.store.finish(result)
            logger.info("run %s: %s", status, reason)
            self._tell("evo_run_ended", result=result)
        return result

    def _generations(self) -> str:
        build = load(self.plan.executor.record.build)
        executor: ExecutorLike = build(self.plan.executor.options, self.info.workers, self.plan.job)
        try:
            state = self.strategy.start()
            for generation in range(self.config.generations):
                state = self._generation(generation, state, executor)
                reason = self._stop()
                if reason:
                    return reason
        finally:
            executor.cancel()
            executor.close()
        return "generations"

    def _generation(self, number: int, state: State, executor: ExecutorLike) -> State:
        rng = generator(self.config.seed, "variation", number)
        state, proposals = self.strategy.ask(state, self._budget(), rng)
        candidates = [self._candidate(number, proposal) for proposal in proposals]
        state = self.strategy.tell(state, self._evaluate(candidates, executor))
        self.generations = number + 1
        self.report = self._report(number, state)
        self.store.add_generation(self.report, state)
        logger.info("generation %d: best %s", number + 1, self.report.best)
        self._tell("evo_generation_ended", report=self.report)
        return state

    def _candidate(self, generation: int, proposal: Proposal) -> Candidate:
        candidate = Candidate(
            self.next_id,
            proposal.genome,
            self.problem.identity(proposal.genome),
            generation,
            proposal.parents,
            proposal.operators,
        )
        self.next_id += 1
        return candidate

    def _evaluate(self, candidates: list[Candidate], executor: ExecutorLike) -> list[Evaluated]:
        """Evaluate each network once; a repeat of any network of the run takes over its scores."""
        new: dict[str, Candidate] = {}
        for candidate in candidates:
            if candidate.architecture not in self.by_architecture:
                new.setdefault(candidate.architecture, candidate)
        by_id = {candidate.id: candidate for candidate in new.values()}
        found: dict[int, Evaluation] = {}
        for candidate in by_id.values():
            executor.submit((candidate,))
        for evaluations in executor.as_completed():
            for evaluation in evaluations:
                found[evaluation.candidate] = evaluation
                self._keep(by_id[evaluation.candidate], evaluation)
            if self._out_of_time():
                executor.cancel()
        for candidate in candidates:
            if candidate.id not in found and candidate.architecture in self.by_architecture:
                original = self.by_architecture[candidate.architecture]
                found[candidate.id] = replace(
                    original,
                    candidate=candidate.id,
                    seconds=0.0,
                    copied_from=original.candidate,
                )
                self._keep(candidate, found[candidate.id])
        return [(one, found[one.id]) for one in candidates if one.id in found]

    def _keep(self, candidate: Candidate, evaluation: Evaluation) -> None:
        copied = evaluation.copied_from is not None
        if not copied:
            self.by_architecture[candidate.architecture] = evaluation
        failed = not copied and evaluation.values(self.plan.objectives) is None
        self.counts = Counts(
            self.counts.evaluated + (not copied),
            self.counts.cached + copied,
            self.counts.failed + failed,
        )
        self.store.add(candidate, evaluation)
        self.done.append((candidate, evaluation))
        if evaluation.error:
            logger.warning("candidate %d: %s", candidate.id, evaluation.error)
        self._tell("evo_candidate_evaluated", candidate=candidate, evaluation=evaluation)

    def _budget(self) -> int:
        if self.config.max_evaluations is None:
            return sys.maxsize
        return self.config.max_evaluations - self.counts.evaluated

    def _out_of_time(self) -> bool:
        limit = self.config.max_seconds
        return limit is not None and time.perf_counter() - self.started >= limit

    def _stop(self) -> str | None:
        if self._budget() <= 0:
            return "max-evaluations"
        if self._out_of_time():
            return "max-seconds"
        target, best = self.config.target, self.report.best
        sign = self.plan.objectives[0].sign
        if target is not None and best is not None and sign * best >= sign * target:
            return "target"
        reasons = self._tell("evo_should_stop", report=self.report)
        return next((str(reason) for reason in reasons if reason), None)

    def _tell(self, hook: str, **news: Any) -> list[Any]:
        """Call a hook of each observer; one that fails is reported and does not stop the run."""
        answers = []
        for name, observer in self.observers.items():
            try:
                answers.append(getattr(observer.hook, hook)(run=self.info, **news))
            except Exception as error:
                logger.exception("observer %s failed in %s", name, hook)
                line = f"observer {name} failed in {hook}: {type(error).__name__}: {error}"
                print(line, file=sys.stderr)  # noqa: T201
        return answers

    def _report(self, number: int, state: State) -> GenerationReport:
        population = state["population"]
        best = self._best()
        return GenerationReport(
            generation=number,
            counts=self.counts,
            survivors=tuple(member["id"] for member in population),
            values=tuple(tuple(member["values"]) for member in population),
            best=best["values"][0] if best else None,
            seconds=time.perf_counter() - self.started,
        )

    def _best(self) -> Member | None:
        found = members(self.done, self.plan.objectives)
        chosen = selection.best(found, self.plan.objectives[:1], 1) if found else []
        return chosen[0] if chosen else None

    def _result(self, status: RunStatus, reason: str) -> RunResult:
        by_id = {candidate.id: (candidate, one) for candidate, one in self.done}
        best = self._best()
        found = members(self.done, self.plan.objectives)
        front = selection.front(found, self.plan.objectives)
        return RunResult(
            run=self.store.folder,
            status=status,
            reason=reason,
            generations=self.generations,
            counts=self.counts,
            objectives=self.plan.objectives,
            best=Solution.of(*by_id[best["id"]]) if best else None,
            front=tuple(Solution.of(*by_id[member["id"]]) for member in front),
            seconds=time.perf_counter() - self.started,
        )


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
