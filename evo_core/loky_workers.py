"""Evaluating in worker processes of joblib's loky, whatever candidates do to them.

Each worker has a slot of its own and at most one bundle in hand, so when it dies or hangs the
bundle that did it is known, and no other is touched.
"""

from __future__ import annotations

import atexit
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from multiprocessing.connection import wait

from evo_core.components import NoOptions
from evo_core.errors import RunFailedError
from evo_core.evaluation import Evaluation
from evo_core.executors import Bundle
from evo_core.plan import Job
from evo_core.worker_process import WorkerDiedError, WorkerProcess, pack

_STARTS = 3  # how often in a row a worker may die before it has evaluated anything
_LOOK = 5.0  # seconds after which the workers are looked at although none has called


@dataclass(frozen=True, slots=True)
class _Task:
    """A bundle, and how often it has been tried, this time counted."""

    bundle: Bundle
    attempt: int = 1


@dataclass(slots=True)
class _Slot:
    """The place of one worker: empty, starting, idle or busy.

    Attributes:
        worker: Its process; None in an empty slot.
        ready: Whether it has started.
        task: What it is busy with.
        since: When it was given its task.
        evaluated: How many candidates the process has evaluated.
        stillborn: How many processes in a row have died before they had evaluated anything.
    """

    worker: WorkerProcess | None = None
    ready: bool = False
    task: _Task | None = None
    since: float = 0.0
    evaluated: int = 0
    stillborn: int = 0

    def start(self, job: bytes) -> None:
        self.worker, self.ready, self.evaluated = WorkerProcess(job), False, 0

    def empty(self) -> None:
        """Kill the worker if there is one."""
        if self.worker is not None:
            self.worker.close()
        self.worker, self.ready, self.task = None, False, None


class Loky:
    """Evaluates in worker processes, one torch thread each.

    - A candidate that takes longer than ``timeout`` stops itself; one that can not is killed.
    - One whose worker dies or runs out of memory is tried ``attempts`` times, each in a new worker.
    - A worker that ran out of memory or time, or has evaluated ``recycle`` candidates, is replaced.
    """

    def __init__(self, options: NoOptions, workers: int, job: Job) -> None:
        self._config = job.config
        self._job = pack(job)
        self._slots = [_Slot() for _ in range(workers)]
        self._waiting: deque[_Task] = deque()
        self._found: deque[list[Evaluation]] = deque()
        atexit.register(self.close)  # multiprocessing would wait for the workers
        if job.config.memory is not None and self._slots:
            self._start_first()

    def submit(self, bundle: Bundle) -> None:
        """Take a bundle to be sent to the workers."""
        self._waiting.append(_Task(bundle))

    def as_completed(self) -> Iterator[list[Evaluation]]:
        """Give each bundle as it finishes; one that is split comes back in parts.

        Raises:
            RunFailedError: If workers die again and again while they start.
            Exception: What keeps a worker from starting, e.g. an EvoError about its data.
        """
        while True:
            self._hand_out()
            while self._found:
                yield self._found.popleft()
            if not self._waiting and not any(slot.task for slot in self._slots):
                return
            self._watch()

    def cancel(self) -> None:
        """Forget the bundles that have not begun."""
        self._waiting.clear()

    def close(self) -> None:
        """Kill all workers, whatever they are at."""
        self.cancel()
        for slot in self._slots:
            if slot.worker is not None:
                slot.worker.kill()
        for slot in self._slots:
            slot.empty()
        atexit.unregister(self.close)

    def _start_first(self) -> None:
        """See one worker start: whether the memory suffices shows there."""
        first = self._slots[0]
        try:
            first.start(self._job)
            while not first.ready:
                if first.worker is None:
                    first.start(self._job)
                self._watch()
        except BaseException:
            self.close()
            raise

    def _hand_out(self) -> None:
        """Give idle workers a bundle, and start as many workers as there are bundles left."""
        for slot in self._slots:
            if slot.ready and slot.task is None and self._waiting:
                self._give(slot, self._waiting.popleft())
        starting = sum(slot.worker is not None and not slot.ready for slot in self._slots)
        empty = [slot for slot in self._slots if slot.worker is None]
        for slot in empty[: max(0, len(self._waiting) - starting)]:
            slot.start(self._job)

    def _give(self, slot: _Slot, task: _Task) -> None:
        assert slot.worker is not None
        try:
            slot.worker.send(task.bundle)
        except WorkerDiedError as death:
            self._waiting.appendleft(task)
            self._lost(slot, str(death))
        else:
            slot.task, slot.since = task, time.monotonic()

    def _watch(self) -> None:
        """Wait until a worker calls, ends, or is overdue; and see to it."""
        watched = [slot for slot in self._slots if slot.worker and (slot.task or not slot.ready)]
        handles = [handle for slot in watched if slot.worker for handle in slot.worker.handles]
        soon = min([self._seconds_left(slot) for slot in watched], default=_LOOK)
        wait(handles, max(0.0, min(soon, _LOOK)))
        for slot in watched:
            self._look_at(slot)

    def _look_at(self, slot: _Slot) -> None:
        assert slot.worker is not None
        try:
            answer = slot.worker.receive()
        except WorkerDiedError as death:
            self._lost(slot, str(death))
            return
        if isinstance(answer, Exception):
            raise answer
        if slot.task is None:
            slot.ready = answer is not None
        elif answer is not None:
            self._take(slot, slot.task, answer)
        elif self._seconds_left(slot) <= 0:
            self._overdue(slot, slot.task)

    def _take(self, slot: _Slot, task: _Task, answer: list[Evaluation]) -> None:
        """Keep the evaluations of a bundle; one that ran out of memory may get another try."""
        slot.task, slot.stillborn = None, 0
        slot.evaluated += len(answer)
        worn = 0 < self._config.recycle <= slot.evaluated
        if worn or any(one.status in ("oom", "timeout") for one in answer):
            slot.empty()
        again = [one.status == "oom" and self._may_repeat(task) for one in answer]
        for candidate, repeat in zip(task.bundle, again, strict=True):
            if repeat:
                self._waiting.appendleft(_Task((candidate,), task.attempt + 1))
        kept = [one for one, repeat in zip(answer, again, strict=True) if not repeat]
        if kept:
            self._found.append([replace(one, attempts=task.attempt) for one in kept])

    def _lost(self, slot: _Slot, death: str) -> None:
        """Go on after the death of a worker."""
        task = slot.task
        slot.empty()
        if task is None:
            slot.stillborn += 1
            if slot.stillborn == _STARTS:
                died = death.removeprefix("its worker ")
                raise RunFailedError(f"a worker process {died}, {_STARTS} times while it started")
        elif len(task.bundle) > 1:
            self._split(task)
        elif self._may_repeat(task):
            self._waiting.appendleft(replace(task, attempt=task.attempt + 1))
        else:
            self._fail(slot, task, Evaluation(task.bundle[0].id, "crashed", error=death))

    def _overdue(self, slot: _Slot, task: _Task) -> None:
        """Kill a worker that could not stop itself."""
        slot.empty()
        if len(task.bundle) > 1:
            self._split(task)
            return
        error = f"killed after the timeout of {self._config.timeout:g} s, deaf to a softer stop"
        self._fail(slot, task, Evaluation(task.bundle[0].id, "timeout", error=error))

    def _fail(self, slot: _Slot, task: _Task, evaluation: Evaluation) -> None:
        seconds = time.monotonic() - slot.since
        self._found.append([replace(evaluation, seconds=seconds, attempts=task.attempt)])

    def _split(self, task: _Task) -> None:
        """Let the candidates of a bundle be tried one by one: which did it is not known."""
        self._waiting.extendleft(_Task((one,), task.attempt) for one in reversed(task.bundle))

    def _may_repeat(self, task: _Task) -> bool:
        return task.attempt < self._config.attempts

    def _seconds_left(self, slot: _Slot) -> float:
        """Tell how long the worker of a slot may be busy yet; it gets a moment to stop itself."""
        timeout = self._config.timeout
        if slot.task is None or timeout is None:
            return float("inf")
        grace = max(1.0, timeout / 10)
        return slot.since + timeout * len(slot.task.bundle) + grace - time.monotonic()
