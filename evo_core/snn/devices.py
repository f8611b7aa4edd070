"""How the device of an evaluation computes."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch


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
