"""How the device of an evaluation computes."""

from __future__ import annotations

import ctypes
import logging
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import torch

from evo_core.config import RunConfig

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # M_TRIM_THRESHOLD and M_MMAP_THRESHOLD of malloc.h


def prepare(config: RunConfig) -> None:
    """Make this process ready to evaluate; it stays so.

    A limit of memory counts what a process keeps, so with one nothing is kept.
    """
    repeatable(config.device, config.deterministic)
    if config.memory is None:
        keep_freed_memory()


def repeatable(device: str, deterministic: bool) -> None:
    """On CUDA, let torch take only algorithms that give the same numbers every time.

    It has to be called before CUDA starts, and stays so for the whole process.

    Args:
        device: ``cpu``, ``cuda`` or ``cuda:N``; the algorithms of the CPU repeat by themselves.
        deterministic: False leaves the faster algorithms on.
    """
    if device == "cpu" or not deterministic:
        return
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(True)
    torch.backends.cudnn.deterministic = True
    torch.backends.cudnn.benchmark = False


def keep_freed_memory() -> None:
    """Let this process keep memory that torch frees, for the next tensor to take (glibc only).

    By default large tensors are given back to the system at once, and every new one is paid for
    page by page.
    """
    if not sys.platform.startswith("linux"):
        return
    with suppress(OSError, AttributeError):  # another C library has no mallopt
        library = ctypes.CDLL(None)
        library.mallopt(_MMAP_THRESHOLD, 2**30)
        library.mallopt(_TRIM_THRESHOLD, 2**31 - 1)


def expect_no_triton(device: str) -> None:
    """Let torch not warn at the first gradient on a CPU that Triton, a GPU library, is missing."""
    if device == "cpu":
        logging.getLogger("torch._library.triton").setLevel(logging.ERROR)


@contextmanager
def threads(count: int = 1) -> Iterator[None]:
    """Let torch use so many threads meanwhile: with others, sums are added in another order."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def clock(device: str = "cpu") -> float:
    """Give the time in seconds: of this process on the CPU, where other programs do not count.

    On CUDA it is the time of day, after everything that was started there is done.
    """
    if device == "cpu":
        return time.process_time()
    torch.cuda.synchronize(device)
    return time.perf_counter()
