"""Where candidates are evaluated: in this process, or in processes of joblib's loky.

A unit of work is a bundle: a tuple of candidates that gives one Evaluation each. A worker gets the
job once, when it starts, and makes its own plan of it: names travel, not networks.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from concurrent.futures import CancelledError, Future, as_completed
from concurrent.futures.process import BrokenProcessPool
from typing import TYPE_CHECKING, Any, Protocol

from evo_core.components import NoOptions
from evo_core.errors import RunFailedError
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
    """Evaluates in worker processes, one torch thread each."""

    def __init__(self, options: NoOptions, workers: int, job: Job) -> None:
        from joblib.externals.loky import get_reusable_executor

        self._pool = get_reusable_executor(
            max_workers=workers,
            initializer=_start_worker,
            initargs=(job,),
            timeout=300,
            reuse=False,
        )
        self._futures: list[Future[list[Evaluation]]] = []
        self._running: list[Future[list[Evaluation]]] = []

    def submit(self, bundle: Bundle) -> None:
        """Send a bundle to the workers."""
        self._futures.append(self._pool.submit(_evaluate, bundle))

    def as_completed(self) -> Iterator[list[Evaluation]]:
        """Give each bundle as it finishes.

        Raises:
            RunFailedError: If a worker process dies.
        """
        futures, self._futures = self._futures, []
        self._running = futures
        for future in as_completed(futures):
            try:
                yield future.result()
            except CancelledError:
                continue
            except BrokenProcessPool as error:
                raise RunFailedError(f"a worker process died: {error}") from error

    def cancel(self) -> None:
        """Forget the bundles that have not begun."""
        for future in (*self._running, *self._futures):
            future.cancel()

    def close(self) -> None:
        """End the worker processes."""
        self._pool.shutdown(wait=True, kill_workers=True)


def worker_count(wanted: int) -> int:
    """Give the number of workers; 0 stands for one per core this process may use."""
    import joblib

    return wanted or int(joblib.cpu_count())


def make_evaluator(job: Job) -> Evaluator:
    """Build what evaluates the candidates of a job in this process, with one torch thread."""
    import torch

    from evo_core.snn.worker import Evaluator

    torch.set_num_threads(1)
    return Evaluator(make_plan(job))


_worker: dict[str, Any] = {}  # filled when a worker process starts, empty everywhere else


def _start_worker(job: Job) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent to handle
    _worker["evaluator"] = make_evaluator(job)


def _evaluate(bundle: Bundle) -> list[Evaluation]:
    return [_worker["evaluator"].evaluate(candidate) for candidate in bundle]
