"""The limits of one evaluation: how long it may take, and how much memory its process may use.

A limit stops the evaluation from inside, so its process lives on. What can not be stopped so, a
library that never gives the interpreter back, is left to whoever watches the process.
"""

from __future__ import annotations

import errno
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path
from types import FrameType

from evo_core.errors import EvoError

_STATUS = Path("/proc/self/status")
_AGAIN = 1.0  # seconds after which the alarm repeats, should a library have swallowed it
_NO_MEMORY = (
    "can't allocate memory",  # torch on Linux and macOS
    "not enough memory",  # torch on Windows
    "out of memory",  # CUDA
    "alloc_failed",  # cuBLAS, cuDNN
    "bad_alloc",  # small allocations inside torch
)
_deadline: ContextVar[float] = ContextVar("deadline", default=float("inf"))


class DeadlineExceeded(BaseException):
    """An evaluation took too long; no Exception, so that no fitness function catches it."""


@contextmanager
def limits(seconds: float | None = None, memory: int | None = None) -> Iterator[None]:
    """Limit what is done meanwhile.

    Args:
        seconds: After so many seconds it is stopped: in the main thread of a Unix process wherever
            it is, elsewhere at the next :func:`check_deadline`.
        memory: As many bytes of private memory the whole process may have (Linux only).

    Raises:
        DeadlineExceeded: If the time is over.
        MemoryError: If memory runs out; libraries have errors of their own, see
            :func:`out_of_memory`.
    """
    with _time_limit(seconds), _memory_limit(memory):
        yield


def check_deadline() -> None:
    """Stop here if the time of the evaluation is over.

    Raises:
        DeadlineExceeded: If it is.
    """
    if time.monotonic() > _deadline.get():
        raise DeadlineExceeded


def out_of_memory(error: BaseException) -> bool:
    """Tell whether an error of Python, numpy, torch or CUDA says that memory ran out."""
    if isinstance(error, MemoryError) or getattr(error, "errno", None) == errno.ENOMEM:
        return True
    text = str(error).lower()
    return isinstance(error, RuntimeError) and any(words in text for words in _NO_MEMORY)


def parse_memory(text: str | None) -> int | None:
    """Read an amount of memory such as ``4GB`` or ``500MiB``; None stands for no limit.

    Raises:
        EvoError: If it is no amount of memory, or this system can not limit it.
    """
    if text is None:
        return None
    import pydantic

    try:
        found = int(pydantic.TypeAdapter(pydantic.ByteSize).validate_python(text))
    except pydantic.ValidationError:
        raise EvoError(f"memory is {text!r}; write it as '4GB' or '500MiB'") from None
    if not sys.platform.startswith("linux"):
        raise EvoError("a limit of memory needs Linux; leave memory out")
    return found


def check_memory(limit: int | None) -> None:
    """Refuse a limit that this process exceeds before it has evaluated anything.

    Raises:
        EvoError: If it does.
    """
    if limit is None:
        return
    used = private_bytes()
    if used >= limit:
        raise EvoError(
            f"memory is {limit / 2**20:,.0f} MiB, but a worker at rest has {used / 2**20:,.0f} MiB;"
            " give it some hundred MiB more than that"
        )


def private_bytes() -> int:
    """Give the private writable memory of this process, in bytes: what is limited (Linux only)."""
    return _told("VmData")


def peak_bytes() -> int:
    """Give the largest resident memory this process has had, in bytes; 0 where none is told."""
    with suppress(OSError):  # other systems than Linux have no such file
        return _told("VmHWM")
    try:
        import resource
    except ImportError:  # Windows has no such module
        return 0
    # on Linux it would begin at the peak of the process that started this one
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _told(name: str) -> int:
    lines = _STATUS.read_text(encoding="ascii", errors="replace").splitlines()
    kib = next(line.split()[1] for line in lines if line.startswith(f"{name}:"))
    return int(kib) * 1024


@contextmanager
def _time_limit(seconds: float | None) -> Iterator[None]:
    if seconds is None:
        yield
        return
    before = _deadline.set(time.monotonic() + seconds)
    try:
        if hasattr(signal, "setitimer") and _in_main_thread():
            with _alarm(seconds):
                yield
        else:
            yield
    finally:
        _deadline.reset(before)


def _in_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()


@contextmanager
def _alarm(seconds: float) -> Iterator[None]:
    """Raise DeadlineExceeded after some seconds; then the alarm that was set before goes on."""
    began = time.monotonic()
    handler = signal.signal(signal.SIGALRM, _ring)
    remaining, interval = signal.setitimer(signal.ITIMER_REAL, seconds, _AGAIN)
    try:
        yield
    finally:
        try:
            signal.setitimer(signal.ITIMER_REAL, 0)
        finally:  # also when it rings just now
            signal.signal(signal.SIGALRM, handler)
            if remaining:
                left = max(remaining - (time.monotonic() - began), 1e-3)
                signal.setitimer(signal.ITIMER_REAL, left, interval)


def _ring(number: int, frame: FrameType | None) -> None:
    raise DeadlineExceeded


@contextmanager
def _memory_limit(memory: int | None) -> Iterator[None]:
    if memory is None:
        yield
        return
    import resource  # Windows has no such module

    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    lowest = min(limit for limit in (memory, soft, hard) if limit != resource.RLIM_INFINITY)
    resource.setrlimit(resource.RLIMIT_DATA, (lowest, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))
