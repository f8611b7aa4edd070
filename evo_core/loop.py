"""The loop of a run: ask, drop repeats, evaluate, store, tell, notify."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from evo_core.cache import CachedExecutor, cache_of
from evo_core.components import load
from evo_core.errors import RunFailedError
from evo_core.evaluation import Candidate, Evaluation
from evo_core.evolution import Proposal
from evo_core.executors import ExecutorLike
from evo_core.initial import start_from
from evo_core.interrupts import Interrupts
from evo_core.memory import Memory
from evo_core.outcome import outcome, to_rescore
from evo_core.parts import Parts
from evo_core.plan import Plan
from evo_core.rescore import Repeat, rescore
from evo_core.results import GenerationReport, RunInfo, RunResult, RunStatus
from evo_core.seeds import generator
from evo_core.store import Store

Evaluated = tuple[Candidate, Evaluation]
logger = logging.getLogger("evo")


class Loop:
    """The state of one run in the parent process.

    Args:
        plan: The plan.
        parts: What was built of it.
        store: The run folder.
        memory: What has happened already, when the run is resumed.
    """

    def __init__(
        self, plan: Plan, parts: Parts, store: Store, memory: Memory | None = None
    ) -> None:
        self.plan = plan
        self.store = store
        self.config = plan.config
        self.memory = memory or Memory(plan.objectives)
        self.problem, self.strategy = parts.problem, parts.strategy
        self.observers, self.given = parts.observers, parts.given
        self.interrupts = Interrupts()
        past = self.memory.report
        self.started = time.perf_counter() - (past.seconds if past else 0.0)
        self.info = RunInfo(
            folder=store.folder,
            config=self.config,
            objectives=plan.objectives,
            genes=plan.space.genes,
            workers=plan.workers,
            evaluations=plan.evaluations,
            decode=plan.decode,
            past=past,
        )

    def whole(self) -> RunResult:
        """Run to the end, whatever it is, and tell the observers."""
        status: RunStatus = "failed"
        reason = "an error"
        repeats: list[Repeat] = []
        try:
            began = "started" if self.memory.report is None else "resumed"
            logger.info("run %s in %s", began, self.store.folder)
            self._tell("evo_run_started")
            with self.interrupts, self._executor() as executor:
                reason = self._generations(executor)
                repeats = self._rescore(executor)
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
            result = outcome(self.plan, self.store.folder, self.memory, repeats)
            result = replace(result, status=status, reason=reason, seconds=self._seconds())
            self.store.finish(result)
            logger.info("run %s: %s", status, reason)
            if self.config.cache is not None:
                logger.info("%d evaluations came from the cache", result.cache_hits)
            self._tell("evo_run_ended", result=result)
        return result

    @contextmanager
    def _executor(self) -> Iterator[ExecutorLike]:
        build = load(self.plan.executor.record.build)
        executor: ExecutorLike = build(self.plan.executor.options, self.info.workers, self.plan.job)
        try:
            with cache_of(self.plan) as cache:
                yield executor if cache is None else CachedExecutor(executor, cache)
        finally:
            executor.close()

    def _generations(self, executor: ExecutorLike) -> str:
        report = self.memory.report
        reason = self._limit(report) if report else None
        while reason is None and self.memory.generations < self.config.generations:
            report = self._generation(executor)
            reason = self._limit(report) or self._asked_to_stop(report)
        return reason or "generations"

    def _generation(self, executor: ExecutorLike) -> GenerationReport:
        self.interrupts.check()
        number = self.memory.generations
        rng = generator(self.config.seed, "variation", number)
        state = self.strategy.start() if self.memory.state is None else self.memory.state
        state, proposals = self.strategy.ask(state, self._budget(), rng)
        if number == 0:
            proposals = start_from(self.given, proposals, self.problem)
        candidates = [
            self._candidate(self.memory.next_id + place, number, proposal)
            for place, proposal in enumerate(proposals)
        ]
        state = self.strategy.tell(state, self._evaluate(candidates, executor))
        report = self._report(number, state["population"])
        self.memory.state, self.memory.report = state, report
        self.store.add_generation(report, state)
        logger.info("generation %d: best %s", number + 1, report.best)
        self._tell("evo_generation_ended", report=report)
        if report.best is None:
            raise RunFailedError(f"no candidate could be scored: {self._first_error()}")
        return report

    def _first_error(self) -> str:
        """Say on one line why the first candidate has no score."""
        evaluation = next(iter(self.memory.done.values()))[1] if self.memory.done else None
        if evaluation is None:
            return "the time was over before the first was done"
        if evaluation.error:
            return evaluation.error.strip().splitlines()[-1]
        undefined = [name for name, one in evaluation.scores.items() if one.status != "ok"]
        return f"candidate 0 is {evaluation.status}, undefined: {', '.join(undefined) or 'nothing'}"

    def _candidate(self, number: int, generation: int, proposal: Proposal) -> Candidate:
        identity = self.problem.identity(proposal.genome)
        return Candidate(
            number, proposal.genome, identity, generation, proposal.parents, proposal.operators
        )

    def _evaluate(self, candidates: list[Candidate], executor: ExecutorLike) -> list[Evaluated]:
        """Evaluate each network once; a repeat of any network of the run takes over its scores."""
        known = self.memory.by_architecture
        new: dict[str, Candidate] = {}
        for candidate in candidates:
            if candidate.architecture not in known:
                new.setdefault(candidate.architecture, candidate)
        by_id = {candidate.id: candidate for candidate in new.values()}
        found: dict[int, Evaluation] = {}
        for candidate in by_id.values():
            executor.submit((candidate,))
        for evaluations in executor.as_completed():
            for evaluation in evaluations:
                found[evaluation.candidate] = evaluation
                self._keep(by_id[evaluation.candidate], evaluation)
            if self.interrupts.asked or self._out_of_time():
                executor.cancel()
        self.interrupts.check()
        for candidate in candidates:
            if candidate.id not in found and candidate.architecture in known:
                found[candidate.id] = _copy(known[candidate.architecture], candidate)
                self._keep(candidate, found[candidate.id])
        return [(one, found[one.id]) for one in candidates if one.id in found]

    def _keep(self, candidate: Candidate, evaluation: Evaluation) -> None:
        self.memory.keep(candidate, evaluation)
        self.store.add(candidate, evaluation)
        if evaluation.error:
            logger.warning("candidate %d: %s", candidate.id, evaluation.error)
        self._tell("evo_candidate_evaluated", candidate=candidate, evaluation=evaluation)

    def _rescore(self, executor: ExecutorLike) -> list[Repeat]:
        repeats = rescore(self.plan, to_rescore(self.memory), executor)
        self.store.add_rescores(repeats)
        if repeats:
            logger.info("scored %d times under fresh inits", len(repeats))
        return repeats

    def _budget(self) -> int:
        if self.config.max_evaluations is None:
            return sys.maxsize
        return self.config.max_evaluations - self.memory.counts.evaluated

    def _seconds(self) -> float:
        return time.perf_counter() - self.started

    def _out_of_time(self) -> bool:
        limit = self.config.max_seconds
        return limit is not None and self._seconds() >= limit

    def _limit(self, report: GenerationReport) -> str | None:
        if self._budget() <= 0:
            return "max-evaluations"
        if self._out_of_time():
            return "max-seconds"
        target, best = self.config.target, report.best
        sign = self.plan.objectives[0].sign
        reached = target is not None and best is not None and sign * best >= sign * target
        return "target" if reached else None

    def _asked_to_stop(self, report: GenerationReport) -> str | None:
        reasons = self._tell("evo_should_stop", report=report)
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

    def _report(self, number: int, population: list[dict[str, Any]]) -> GenerationReport:
        best = self.memory.best()
        return GenerationReport(
            generation=number,
            counts=self.memory.counts,
            survivors=tuple(member["id"] for member in population),
            values=tuple(tuple(member["values"]) for member in population),
            best=best["values"][0] if best else None,
            seconds=self._seconds(),
        )


def _copy(original: Evaluation, candidate: Candidate) -> Evaluation:
    return replace(
        original,
        candidate=candidate.id,
        seconds=0.0,
        copied_from=original.candidate,
        stage="duplicate",
    )
