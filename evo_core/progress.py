"""The observer ``progress``: a live display in a terminal, plain lines elsewhere, on stderr."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

from evo_core.components import NoOptions
from evo_core.evaluation import Candidate, Evaluation
from evo_core.hookspecs import hookimpl
from evo_core.results import Counts, GenerationReport, RunInfo, RunResult

if TYPE_CHECKING:
    from rich.progress import Progress


def build(options: NoOptions) -> PlainProgress:
    """Build the display that suits stderr."""
    return LiveProgress() if sys.stderr.isatty() else PlainProgress()


class PlainProgress:
    """One line when the run begins, one per generation."""

    def __init__(self) -> None:
        self.counts = Counts()
        self.past = Counts()  # what a resumed run brings along
        self.best: float | None = None
        self.generations = 0
        self.started = time.perf_counter()

    @hookimpl
    def evo_run_started(self, run: RunInfo) -> None:
        """Say what begins."""
        names = ", ".join(objective.name for objective in run.objectives)
        self.say(
            f"{run.config.space} on {run.config.data}: {names} by {run.config.strategy}, "
            f"{run.workers} workers, {run.folder}"
        )
        if run.past is not None:
            self.counts = self.past = run.past.counts
            self.generations, self.best = run.past.generation + 1, run.past.best
            self.say(f"resumed after generation {self.generations}")
        self.started = time.perf_counter()

    @hookimpl
    def evo_candidate_evaluated(
        self, run: RunInfo, candidate: Candidate, evaluation: Evaluation
    ) -> None:
        """Count."""
        self.counts = self.counts.plus(evaluation, run.objectives)
        values = evaluation.values(run.objectives)
        if values is None:
            return
        goal = run.objectives[0]
        if self.best is None or goal.sign * values[0] > goal.sign * self.best:
            self.best = values[0]

    @hookimpl
    def evo_generation_ended(self, run: RunInfo, report: GenerationReport) -> None:
        """Say how the generation ended."""
        total = run.config.generations
        self.say(f"generation {report.generation + 1}/{total}: {self.state(run, report)}")

    def state(self, run: RunInfo, report: GenerationReport | None = None) -> str:
        """Put the counts, the best value, the rate and the time left in words."""
        seconds = time.perf_counter() - self.started
        done = self.counts.evaluated - self.past.evaluated
        rate = done / seconds if seconds > 0 else 0.0
        best = "-" if self.best is None else f"{self.best:.6g}"
        text = f"best {best}, {self.counts}, {rate:.1f}/s"
        left = self._left(run, report, seconds)
        return text if left is None else f"{text}, {left:.0f} s left"

    def _left(self, run: RunInfo, report: GenerationReport | None, seconds: float) -> float | None:
        if report is None:
            return None
        done = report.generation + 1
        return seconds / (done - self.generations) * (run.config.generations - done)

    def say(self, line: str) -> None:
        """Print a line on stderr."""
        print(line, file=sys.stderr, flush=True)  # noqa: T201


class LiveProgress(PlainProgress):
    """A bar that moves with every candidate."""

    def __init__(self) -> None:
        super().__init__()
        self._bar: Progress | None = None
        self._task: Any = None
        self._generation = 1

    @hookimpl
    def evo_run_started(self, run: RunInfo) -> None:
        """Say what begins and show the bar."""
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        super().evo_run_started(run=run)
        self._bar = Progress(
            TextColumn("generation {task.fields[generation]}"),
            BarColumn(),
            TextColumn("{task.fields[state]}"),
            TimeRemainingColumn(),
            TextColumn("left"),
            console=Console(stderr=True),
        )
        total = run.evaluations
        self._generation = min(self.generations + 1, run.config.generations)
        self._task = self._bar.add_task("", total=total, generation="", state="")
        self._show(run)
        self._bar.start()

    @hookimpl
    def evo_candidate_evaluated(
        self, run: RunInfo, candidate: Candidate, evaluation: Evaluation
    ) -> None:
        """Count and move the bar."""
        super().evo_candidate_evaluated(run=run, candidate=candidate, evaluation=evaluation)
        if self._bar is not None:
            counts = self.counts
            completed = counts.evaluated + counts.cached + counts.infeasible
            self._bar.update(self._task, completed=completed)
            self._show(run)

    @hookimpl
    def evo_generation_ended(self, run: RunInfo, report: GenerationReport) -> None:
        """Show the number of the next generation."""
        self._generation = min(report.generation + 2, run.config.generations)
        self._show(run)

    @hookimpl
    def evo_run_ended(self, run: RunInfo, result: RunResult) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.stop()

    def _show(self, run: RunInfo) -> None:
        if self._bar is not None:
            generation = f"{self._generation}/{run.config.generations}"
            self._bar.update(self._task, generation=generation, state=self.state(run))
