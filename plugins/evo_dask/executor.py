"""The executor: hands bundles to the workers of a cluster, and outlives whatever these do."""

from __future__ import annotations

import logging
import math
from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from itertools import count
from queue import Empty, SimpleQueue
from time import monotonic
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from evo_core.errors import RunFailedError
from evo_core.evaluation import Evaluation
from evo_core.executors import Bundle
from evo_core.plan import Job
from evo_core.registry import one_line
from evo_dask.cluster import connected, free, introduced
from evo_dask.plugin import DaskOptions
from evo_dask.worker import evaluate

if TYPE_CHECKING:
    from distributed import Future

logger = logging.getLogger("evo")


@dataclass
class _Task:
    """A bundle on its way: how often it failed, and once it runs, where and until when."""

    bundle: Bundle
    failures: int = 0
    alone: bool = False
    future: Future[Any] | None = None
    address: str = ""
    pid: int = 0
    deadline: float = math.inf


class Dask:
    """Evaluates on the workers of a dask cluster.

    No more bundles are in flight than there are workers; the others wait here. What dask gives up
    because workers died with it is tried again with nothing else in flight, so that only those who
    kill a worker alone are to blame.

    Raises:
        EvoError: If there is no cluster that can evaluate the job.
    """

    def __init__(self, options: DaskOptions, workers: int, job: Job) -> None:
        self._config = job.config
        self._patience = options.patience
        self._run = f"evo-{uuid4().hex}"
        self._numbers = count()
        self._waiting: deque[_Task] = deque()
        self._suspects: deque[_Task] = deque()
        self._running: dict[str, _Task] = {}
        self._news: SimpleQueue[tuple[str, Any]] = SimpleQueue()  # from the threads of dask
        self._empty_since: float | None = None
        with ExitStack() as stack:
            self._client = stack.enter_context(connected(options.address, workers))
            stack.enter_context(introduced(self._client, self._run, job))
            self._client.subscribe_topic(
                self._run, lambda event: self._news.put((event[1]["key"], event[1]))
            )
            self._open = stack.pop_all()

    def submit(self, bundle: Bundle) -> None:
        """Take a bundle to be sent to the cluster."""
        self._waiting.append(_Task(bundle))

    def as_completed(self) -> Iterator[list[Evaluation]]:
        """Give each bundle as it finishes; one that had to be split comes in parts.

        Raises:
            RunFailedError: If the cluster is gone, has no workers, or can not do the job.
        """
        try:
            while self._waiting or self._suspects or self._running:
                self._send()
                with suppress(Empty):
                    key, news = self._news.get(timeout=self._pause())
                    yield from self._hear(key, news)
                yield from self._overdue()
        except OSError as error:
            raise RunFailedError(f"the dask cluster is gone: {one_line(error)}") from error

    def cancel(self) -> None:
        """Forget the bundles that have not begun."""
        self._waiting.clear()
        self._suspects.clear()

    def close(self) -> None:
        """Let go of everything; a cluster that was started for the run ends, another goes on."""
        self.cancel()
        self._running.clear()
        self._open.close()

    def _send(self) -> None:
        workers = self._workers()
        if self._suspects:
            if not self._running:
                self._start(self._suspects.popleft())
            return
        while self._waiting and len(self._running) < max(1, workers):  # 1 wakes an adaptive cluster
            self._start(self._waiting.popleft())

    def _workers(self) -> int:
        """Count the workers of the cluster; wait some time for the first."""
        if self._client.status != "running":
            raise ConnectionError(f"the client is {self._client.status}")
        workers = len(self._client.nthreads())
        if workers:
            self._empty_since = None
        elif self._empty_since is None:
            self._empty_since = monotonic()
            logger.warning("the dask cluster has no worker; waiting up to %g s", self._patience)
        elif monotonic() - self._empty_since > self._patience:
            raise RunFailedError(
                f"the dask cluster has had no worker for {self._patience:g} s (dask.patience)"
            )
        return workers

    def _start(self, task: _Task) -> None:
        key = f"{self._run}-{next(self._numbers)}"
        tell = self._config.timeout is not None
        self._running[key] = task
        task.future = self._client.submit(
            evaluate, self._run, key, task.bundle, tell, key=key, pure=False, retries=0
        )
        task.future.add_done_callback(lambda future: self._news.put((key, _outcome(future))))

    def _pause(self) -> float:
        """Give the seconds until something may be due; at least each second workers are counted."""
        nearest = min((task.deadline for task in self._running.values()), default=math.inf)
        return max(0.0, min(1.0, nearest - monotonic()))

    def _hear(self, key: str, news: Any) -> Iterator[list[Evaluation]]:
        """Take in that a task has begun or ended; of those that were stopped nobody wants to hear.

        Raises:
            RunFailedError: If it ended as no evaluation can end.
        """
        from distributed import KilledWorker

        task = self._running.get(key)
        if task is None:
            return
        if isinstance(news, dict):
            task.address, task.pid = news["address"], news["pid"]
            task.deadline = monotonic() + self._allowed(task)
            return
        del self._running[key]
        if isinstance(news, KilledWorker):
            yield from self._died(task, news.last_worker.address)
        elif isinstance(news, BaseException):
            raise RunFailedError(f"the dask cluster can not evaluate: {one_line(news)}") from news
        else:
            yield from self._evaluated(task, news)

    def _evaluated(self, task: _Task, evaluations: list[Evaluation]) -> Iterator[list[Evaluation]]:
        tries = task.failures + 1
        again = {one.candidate for one in evaluations if one.status == "oom"}
        if tries >= self._config.attempts:
            again = set()
        self._suspect(tuple(one for one in task.bundle if one.id in again), tries)
        done = [replace(one, attempts=tries) for one in evaluations if one.candidate not in again]
        if done:
            yield done

    def _died(self, task: _Task, address: str) -> Iterator[list[Evaluation]]:
        tries = task.failures + 1
        error = f"its dask worker died, or was ended by its nanny over its memory limit ({address})"
        if not task.alone or tries < self._config.attempts:
            logger.warning("candidates %s: %s", [one.id for one in task.bundle], error)
            self._suspect(task.bundle, tries)
        else:
            yield [
                Evaluation(one.id, "crashed", error=error, attempts=tries) for one in task.bundle
            ]

    def _suspect(self, bundle: Bundle, failures: int) -> None:
        self._suspects += (_Task((one,), failures, alone=True) for one in bundle)

    def _overdue(self) -> Iterator[list[Evaluation]]:
        """Stop what hangs; ask once for each, as one whose worker died begins elsewhere again."""
        now = monotonic()
        for key, task in [item for item in self._running.items() if item[1].deadline <= now]:
            task.deadline = math.inf
            if task.address not in self._client.nthreads():
                continue
            del self._running[key]
            assert task.future is not None
            task.future.cancel()
            free(self._client, task.address, task.pid)
            if len(task.bundle) > 1:
                self._waiting += (_Task((one,), task.failures) for one in task.bundle)
            else:
                yield [self._timeout(task)]

    def _timeout(self, task: _Task) -> Evaluation:
        seconds = self._config.timeout or 0.0
        error = f"no answer {self._allowed(task):g} s after it began; its worker was stopped"
        return Evaluation(
            task.bundle[0].id, "timeout", seconds=seconds, error=error, attempts=task.failures + 1
        )

    def _allowed(self, task: _Task) -> float:
        """Give the seconds a task may take: a worker that keeps time itself answers before."""
        seconds = len(task.bundle) * (self._config.timeout or math.inf)
        return seconds + max(1.0, 0.1 * seconds)


def _outcome(future: Future[Any]) -> Any:
    """Fetch what a task gave, or what it raised, in a thread that may wait for it."""
    try:
        return future.result()
    except BaseException as error:  # noqa: BLE001  (cancelled futures raise no Exception)
        return error
