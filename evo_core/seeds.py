"""Randomness by address: every generator is keyed by (run seed, purpose, numbers).

Nothing about generators is ever stored: the same address gives the same numbers after a restart, in
any process and in any order.
"""

from __future__ import annotations

import random
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import torch


def generator(seed: int, purpose: str, *numbers: int) -> np.random.Generator:
    """Give the generator at an address, e.g. ``generator(7, "variation", generation)``."""
    key = (seed, zlib.crc32(purpose.encode()), *numbers)
    return np.random.default_rng(np.random.SeedSequence(key))


def torch_generator(seed: int, purpose: str, *numbers: int) -> torch.Generator:
    """Give torch's generator at an address, on the CPU."""
    import torch

    number = int(generator(seed, purpose, *numbers).integers(2**63))
    return torch.Generator().manual_seed(number)


@contextmanager
def deap_randomness(rng: np.random.Generator) -> Iterator[None]:
    """Seed the global generators DEAP draws from, and put them back afterwards.

    DEAP uses ``random``, its NSGA-III also ``numpy.random``; neither takes a generator.
    """
    python, numpy = random.getstate(), np.random.get_state()
    random.seed(int(rng.integers(2**63)))
    np.random.seed(int(rng.integers(2**32)))
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)
