"""One worker process: what it does, and the end of it that its parent holds.

::

    parent                              worker
    start ---------------- job -------> makes its own plan: names travel, not networks
          <--------------- [] --------- ready; or the exception that kept it from it
    send  ------------- bundle -------> evaluates
          <---------- evaluations -----

A worker evaluates one bundle at a time, and is never asked to end: it is killed.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
import time
import traceback
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evo_core.errors import RunFailedError
from evo_core.evaluation import Evaluation
from evo_core.executors import Bundle, make_evaluator
from evo_core.interrupts import deaf_children
from evo_core.plan import Job

if TYPE_CHECKING:
    from evo_core.snn.worker import Evaluator

Answer = list[Evaluation] | Exception
_PATIENCE = 5.0  # seconds to wait for the end of a process that was killed
_PARENT_DIED = 1  # PR_SET_PDEATHSIG of Linux


class WorkerDiedError(Exception):
    """A worker process has ended; the message tells how."""


class WorkerProcess:
    """The parent's end of a worker process, which starts at once.

    Args:
        job: The job, as :func:`pack` gives it.
    """

    def __init__(self, job: bytes) -> None:
        from joblib.externals.loky.backend import get_context

        context = get_context("loky")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, job, os.getpid()))
        with deaf_children():
            self._process.start()
        theirs.close()

    @property
    def handles(self) -> list[Any]:
        """What ``multiprocessing.connection.wait`` waits for: an answer, or the end."""
        return [self._connection, self._process.sentinel]

    def send(self, bundle: Bundle) -> None:
        """Give a worker without work a bundle.

        Raises:
            WorkerDiedError: If it has ended, and so has not begun.
        """
        if self._process.exitcode is not None:
            raise WorkerDiedError(self._ending())
        try:
            self._connection.send(bundle)
        except OSError:
            raise WorkerDiedError(self._ending()) from None

    def receive(self) -> Answer | None:
        """Give the answer of the worker if there is one.

        Raises:
            WorkerDiedError: If it has ended, or answers nonsense.
        """
        ended = self._process.exitcode is not None  # asked first: a last answer may lie there
        try:
            if self._connection.poll():
                answer: Answer = self._connection.recv()
                return answer
        except (EOFError, OSError):
            ended = True
        except Exception as error:  # noqa: BLE001  (whatever a damaged message makes of pickle)
            raise WorkerDiedError(f"its worker sent what can not be read: {error}") from None
        if ended:
            raise WorkerDiedError(self._ending())
        return None

    def kill(self) -> None:
        """Kill the process and all it has started, without waiting for the end."""
        if not hasattr(signal, "SIGKILL"):  # Windows
            self._process.terminate()
            return
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        if self._process.exitcode is None:  # it may not have come to make a group of its own
            os.kill(self._process.pid, signal.SIGKILL)

    def close(self) -> None:
        """Kill the process and see it end."""
        self.kill()
        self._process.join(_PATIENCE)
        self._connection.close()

    def _ending(self) -> str:
        """Say how the process ended; its connection may have closed a moment before it."""
        self._process.join(_PATIENCE)
        code = self._process.exitcode
        if code is None:
            return "its worker hung up"
        if code >= 0:
            return f"its worker died: exit status {code}"
        known = {one.value: one.name for one in signal.Signals}
        hint = " (killed from outside, or memory ran out)" if known.get(-code) == "SIGKILL" else ""
        return f"its worker died: {known.get(-code, f'signal {-code}')}{hint}"


def pack(job: Job) -> bytes:
    """Pickle a job by value, functions of notebooks and scripts included."""
    from joblib.externals.loky.backend import reduction

    return bytes(reduction.dumps(job))


def _serve(connection: Connection, job: bytes, parent: int) -> None:
    """Evaluate bundle after bundle; the life of a worker process."""
    from joblib.externals.loky.backend import reduction

    with suppress(EOFError, OSError):  # the parent has gone
        _set_apart(parent)
        os.dup2(2, 1)  # what candidates print must not be taken for what the command prints
        try:
            evaluator = _evaluator(reduction.loads(job))
        except Exception as error:  # noqa: BLE001  (the parent raises it)
            connection.send_bytes(reduction.dumps(_portable(error)))
            return
        connection.send([])
        while True:
            bundle: Bundle = connection.recv()
            answer = [evaluator.evaluate(candidate) for candidate in bundle]
            connection.send_bytes(reduction.dumps(answer))


def _evaluator(job: Job) -> Evaluator:
    import torch

    from evo_core.snn.devices import prepare

    torch.set_num_threads(1)
    prepare(job.config)
    return make_evaluator(job)


def _portable(error: Exception) -> Exception:
    """Give an error that the parent can read, with a note of where it was raised."""
    from joblib.externals.loky.backend import reduction

    error.add_note("in a worker process:\n" + "".join(traceback.format_exception(error)))
    try:
        reduction.loads(reduction.dumps(error))
    except Exception:  # noqa: BLE001  (an exception with fields of its own, mostly)
        line = "".join(traceback.format_exception_only(error)).splitlines()[0]
        return RunFailedError(f"a worker can not start: {line}")
    return error


def _set_apart(parent: int) -> None:
    """Make a process group, be the first to go when memory is short, and end with the parent."""
    if hasattr(os, "setpgid"):
        os.setpgid(0, 0)  # so that it can be killed with all it has started
    with suppress(OSError):  # there is no such file outside Linux
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_PARENT_DIED, signal.SIGKILL)
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)
