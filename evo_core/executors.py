"""Where candidates are evaluated: what every executor does, and evaluating in this process.

A unit of work is a bundle: a tuple of candidates that gives one Evaluation each.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import redirect_stdout
from typing import TYPE_CHECKING, Protocol

from evo_core.components import NoOptions
from evo_core.evaluation import Candidate, Evaluation
from evo_core.plan import Job, make_plan

if TYPE_CHECKING:
    from evo_core.snn.worker import Evaluator

Bundle = tuple[Candidate, ...]


class ExecutorLike(Protocol):
    """What the build function of an Executor record gives."""

    def submit(self, bundle: Bundle) -> None:
        """Take a bundle to be evaluated."""

    def as_completed(self) -> Iterator[list[Evaluation]]:
        """Give the evaluations of each submitted bundle, in the order they finish.

        Every candidate that is not cancelled comes back, whatever it does to its worker; a bundle
        whose worker died or hung comes back in parts.
        """

    def cancel(self) -> None:
        """Forget the bundles that have not begun."""

    def close(self) -> None:
        """Give back all workers, whatever they are at; a second time it does nothing."""


class Serial:
    """Evaluates in this process, one bundle after the other.

    What takes the process with it, takes the run with it.
    """

    def __init__(self, options: NoOptions, workers: int, job: Job) -> None:
        from evo_core.snn.devices import prepare

        prepare(job.config)
        self._evaluator = make_evaluator(job)
        self._waiting: list[Bundle] = []

    def submit(self, bundle: Bundle) -> None:
        """Take a bundle to be evaluated."""
        self._waiting.append(bundle)

    def as_completed(self) -> Iterator[list[Evaluation]]:
        """Evaluate and give each bundle."""
        while self._waiting:
            bundle = self._waiting.pop(0)
            with redirect_stdout(sys.stderr):  # stdout is for what the command prints
                evaluations = [self._evaluator.evaluate(candidate) for candidate in bundle]
            yield evaluations

    def cancel(self) -> None:
        """Forget the bundles that have not begun."""
        self._waiting.clear()

    def close(self) -> None:
        """Leave everything as it is: nothing was started."""


def make_evaluator(job: Job) -> Evaluator:
    """Build what evaluates the candidates of a job in this process."""
    from evo_core.snn.worker import Evaluator

    return Evaluator(make_plan(job))
