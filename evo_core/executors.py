"""Where candidates are evaluated: in this process, or in processes of joblib's loky.

A unit of work is a bundle: a tuple of candidates that gives one Evaluation each. A worker gets the
job once, when it starts, and makes its own plan of it: names travel, not networks.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures.process import BrokenProcessPool
from typing import TYPE_CHECKING, Any, Protocol

from evo_core.components import NoOptions
from evo_core.errors import RunFailedError
from evo_core.evaluation import Candidate, Evaluation
from evo_core.interrupts import deaf_children
from evo_core.plan import Job, make_plan

if TYPE_CHECKING:
    from evo_core.snn.worker import Evaluator

Bundle = tuple[Candidate, ...]


class ExecutorLike(Protocol):
    """What the build function of an Executor record gives."""

    def submit(self, bundle: Bundle) -> None:
        """Take a bundle to be evaluated."""

    def as_completed(self) -> Iterator[list[Evaluation]]:
        """Give the evaluations of each submitted bundle, in the order they finish."""

    def cancel(self) -> None:
        """Forget the bundles that have not begun."""

    def close(self) -> None:
        """Give back all workers."""


class Serial:
    """Evaluates in this process, one bundle after the other."""

    def __init__(self, options: NoOptions, workers: int, job: Job) -> None:
        import torch

        self._threads = torch.get_num_threads()
        torch.set_num_threads(1)
        self._evaluator = make_evaluator(job)
        self._waiting: list[Bundle] = []

    def submit(self, bundle: Bundle) -> None:
        """Take a bundle to be evaluated."""
        self._waiting.append(bundle)

    def as_completed(self) -> Iterator[list[Evaluation]]:
        """Evaluate and give each bundle."""
        while self._waiting:
            bundle = self._waiting.pop(0)
            yield [self._evaluator.evaluate(candidate) for candidate in bundle]

    def cancel(self) -> None:
        """Forget the bundles that have not begun."""
        self._waiting.clear()

    def close(self) -> None:
        """Put back the number of torch threads."""
        import torch

        torch.set_num_threads(self._threads)


class Loky:
    """Evaluates in worker processes, one torch thread each.

    Only as many bundles as keep the workers busy are handed to the pool; the others wait here, so
    that they can be forgotten without cancelling anything that loky has taken.
    """

    def __init__(self, options: NoOptions, workers: int, job: Job) -> None:
        from joblib.externals.loky import ProcessPoolExecutor

        self._pool = ProcessPoolExecutor(
            max_workers=workers,
            initializer=_start_worker,
            initargs=(job,),
            timeout=60,  # seconds after which an idle worker ends, should this process be killed
        )
        self._at_once = workers + 1
        self._waiting: deque[Bundle] = deque()
        self._running: set[Future[list[Evaluation]]] = set()

    def submit(self, bundle: Bundle) -> None:
        """Take a bundle to be sent to the workers."""
        self._waiting.append(bundle)

    def as_completed(self) -> Iterator[list[Evaluation]]:
        """Give each bundle as it finishes.

        Raises:
            RunFailedError: If a worker process dies.
        """
        try:
            with deaf_children():  # the pool starts its processes with the first task
                self._send()
            while self._running:
                finished, self._running = wait(self._running, return_when=FIRST_COMPLETED)
                self._send()
                for future in finished:
                    yield future.result()
        except BrokenProcessPool as error:
            raise RunFailedError(f"a worker process died: {error}") from error

    def cancel(self) -> None:
        """Forget the bundles that have not begun."""
        self._waiting.clear()

    def close(self) -> None:
        """Let the few running evaluations finish and end the worker processes.

        A second Ctrl-C ends the wait, and the workers in the middle of an evaluation.
        """
        self._waiting.clear()
        try:
            wait(self._running)  # loky can not be shut down safely while it has tasks
        finally:
            self._pool.shutdown(wait=True, kill_workers=True)

    def _send(self) -> None:
        while self._waiting and len(self._running) < self._at_once:
            self._running.add(self._pool.submit(_evaluate, self._waiting.popleft()))


def make_evaluator(job: Job) -> Evaluator:
    """Build what evaluates the candidates of a job in this process."""
    from evo_core.snn.worker import Evaluator

    return Evaluator(make_plan(job))


_worker: dict[str, Any] = {}  # filled when a worker process starts, empty everywhere else


def _start_worker(job: Job) -> None:
    import torch

    torch.set_num_threads(1)
    _worker["evaluator"] = make_evaluator(job)


def _evaluate(bundle: Bundle) -> list[Evaluation]:
    return [_worker["evaluator"].evaluate(candidate) for candidate in bundle]
