"""The loop of a run: ask, settle each candidate in stages, store, tell, notify.

The stages round the strategy are fixed, and an evaluation is stored with the one that settled it:
``duplicate`` (it takes over the scores of a network of the run), ``constraint`` (it violates one),
``cache`` (another run has evaluated it) or ``evaluate``. What a run that was killed had evaluated
of its next generation is taken as it was stored.
"""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from evo_core.errors import RunFailedError
from evo_core.evaluation import Candidate, Evaluation
from evo_core.generations import Evaluated, ask, duplicate, tell
from evo_core.interrupts import Interrupts
from evo_core.memory import Memory
from evo_core.outcome import outcome, to_rescore
from evo_core.parts import Parts
from evo_core.plan import Plan
from evo_core.rescore import repeats_of, rescore
from evo_core.results import GenerationReport, RunInfo, RunResult, RunStatus
from evo_core.stopping import check_hope, out_of_time, reason_to_stop
from evo_core.store import Store

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
        self.parts = parts
        self.store = store
        self.config = plan.config
        self.executor = parts.executor
        self.memory = memory or Memory(plan.objectives)
        self.interrupts = Interrupts()
        self.wanted: list[tuple[int, int]] = []  # what is scored under fresh inits, in order
        past = self.memory.report
        self.began = "started" if memory is None else "resumed"
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
        """Run to the end, whatever it is, and tell the observers.

        An interrupt ends the search; when that is over, what is left is short and is finished.
        """
        with self.interrupts:
            try:
                logger.info("run %s in %s", self.began, self.store.folder)
                self._tell("evo_run_started")
                reason = self._search()
            except KeyboardInterrupt:
                return self._end("interrupted", "interrupted from the keyboard")
            except RunFailedError as error:
                self._end("failed", str(error))
                raise
            except Exception as error:
                logger.exception("run failed")
                self._end("failed", f"{type(error).__name__}: {error}")
                raise
            return self._end("done", reason)

    def _search(self) -> str:
        """Evolve, score the front again, and give the reason for the end."""
        try:
            reason = self._generations()
            self._rescore()
        finally:
            self.executor.close()
        return reason

    def _end(self, status: RunStatus, reason: str) -> RunResult:
        known = self.memory.rescores
        repeats = [known[place] for place in self.wanted if place in known]
        result = outcome(self.plan, self.store.folder, self.memory, repeats)
        result = replace(result, status=status, reason=reason, seconds=self._seconds())
        logger.info("run %s: %s", status, reason)
        if self.config.cache is not None:
            logger.info("%d evaluations came from the cache", result.cache_hits)
        try:
            self.store.finish(result)
        finally:
            self._tell("evo_run_ended", result=result)
        return result

    def _generations(self) -> str:
        report = self.memory.report
        if report:  # a run that was killed may have left what is needed no more
            self.store.bodies.keep_only(self.memory.bodies())
        reason = self._over(report) if report else None
        while reason is None and self.memory.generations < self.config.generations:
            reason = self._over(self._generation())
        return reason or "generations"

    def _generation(self) -> GenerationReport:
        self.interrupts.check()
        asked = ask(self.plan, self.parts, self.memory)
        evaluated = self._settle(asked.candidates)
        report = tell(self.parts, self.memory, asked, evaluated, self._seconds())
        assert self.memory.state is not None
        self.store.add_generation(report, self.memory.state)
        self.store.bodies.keep_only(self.memory.bodies())
        logger.info("generation %d: best %s", report.generation + 1, report.best)
        self._tell("evo_generation_ended", report=report)
        return report

    def _settle(self, candidates: list[Candidate]) -> list[Evaluated]:
        """Give each candidate its evaluation, stage by stage; some have none if time is over."""
        self._check_stored(candidates)
        known = self.memory.by_key
        new: dict[str, Candidate] = {}
        for candidate in candidates:
            if candidate.key not in known:
                new.setdefault(candidate.key, candidate)
        self._evaluate(
            one for one in new.values() if not (self._take_stored(one) or self._refuse(one))
        )
        self.interrupts.check()
        for candidate in candidates:
            original = known.get(candidate.key)
            settled = candidate.id in self.memory.done or self._take_stored(candidate)
            if original is not None and not settled:
                self._keep(candidate, duplicate(original, candidate))
        done = self.memory.done
        return [done[candidate.id] for candidate in candidates if candidate.id in done]

    def _check_stored(self, candidates: list[Candidate]) -> None:
        """Drop what was stored of this generation if the strategy asks for something else now."""
        genomes = {candidate.id: candidate.genome for candidate in candidates}
        stored = [candidate for candidate, _ in self.memory.stored.values()]
        if any(genomes.get(candidate.id) != candidate.genome for candidate in stored):
            logger.warning("the generation that was cut off does not repeat; evaluated anew")
            self.store.forget_after(self.memory.generations)
            self.memory.stored.clear()

    def _take_stored(self, candidate: Candidate) -> bool:
        """Take over what was evaluated before the run was killed."""
        pair = self.memory.stored.pop(candidate.id, None)
        if pair is not None:
            self.memory.keep(*pair)
        return pair is not None

    def _evaluate(self, candidates: Iterable[Candidate]) -> None:
        by_id = {candidate.id: candidate for candidate in candidates}
        for candidate in by_id.values():
            self.executor.submit((self.store.bodies.locate(candidate),))
        for evaluations in self.executor.as_completed():
            for evaluation in evaluations:
                self._keep(by_id[evaluation.candidate], evaluation)
            if self.interrupts.asked or out_of_time(self.plan, self._seconds()):
                self.executor.cancel()

    def _refuse(self, candidate: Candidate) -> bool:
        """Settle a candidate that violates a constraint, without a worker."""
        reason = self.plan.violation(candidate.genome)
        if reason is not None:
            one = Evaluation(candidate.id, "infeasible", error=reason, stage="constraint")
            self._keep(candidate, one)
        return reason is not None

    def _keep(self, candidate: Candidate, evaluation: Evaluation) -> None:
        evaluation = self.store.add_body(evaluation)
        self.memory.keep(candidate, evaluation)
        self.store.add(candidate, evaluation)
        if evaluation.error:
            logger.warning("candidate %d: %s", candidate.id, evaluation.error)
        self._tell("evo_candidate_evaluated", candidate=candidate, evaluation=evaluation)

    def _rescore(self) -> None:
        """Score the front under fresh inits, as far as that has not been done yet."""
        known = self.memory.rescores
        wanted = repeats_of(self.plan, to_rescore(self.memory))
        self.wanted = [(candidate.id, init) for candidate, init in wanted]
        self.store.forget(known.keys() - set(self.wanted))
        todo = [(one, init) for one, init in wanted if (one.id, init) not in known]
        for repeat in rescore(todo, self.executor):
            known[repeat.candidate, repeat.init] = repeat
            self.store.add_rescore(repeat)
            if self.interrupts.asked:
                self.executor.cancel()
        self.interrupts.check()
        if wanted:
            logger.info("scored %d times under fresh inits", len(wanted))

    def _seconds(self) -> float:
        return time.perf_counter() - self.started

    def _over(self, report: GenerationReport) -> str | None:
        """Tell whether the run ends after this generation, and why.

        Raises:
            RunFailedError: If there is nothing to go on with, or too much fails.
        """
        check_hope(self.plan, self.memory, report)
        reason = reason_to_stop(self.plan, self.memory, report, self._seconds())
        if reason is not None:
            return reason
        reasons = self._tell("evo_should_stop", report=report)
        return next((str(reason) for reason in reasons if reason), None)

    def _tell(self, hook: str, **news: Any) -> list[Any]:
        """Call a hook of each observer; one that fails is reported and does not stop the run."""
        answers = []
        for name, observer in self.parts.observers.items():
            try:
                answers.append(getattr(observer.hook, hook)(run=self.info, **news))
            except (Exception, SystemExit) as error:
                logger.exception("observer %s failed in %s", name, hook)
                line = f"observer {name} failed in {hook}: {type(error).__name__}: {error}"
                print(line, file=sys.stderr)  # noqa: T201
        return answers
