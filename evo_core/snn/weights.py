"""Initial weights, each drawn from a generator of its own.

The generator is keyed by (seed, init number, parameter path), so a parameter has the same numbers
in every network that has it, in both executors, in every worker and on every device. That gives
candidates common random numbers: they differ by their structure, not by luck of the draw.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Weights:
    """The source of all initial weights of one network.

    Attributes:
        seed: The run's seed.
        init: The number of the repeat; another number is another draw of all weights.
        dtype: The type of the tensors; numbers are drawn in float32 and then converted.
        device: Where the tensors go; numbers are always drawn on the CPU.
    """

    seed: int
    init: int = 0
    dtype: torch.dtype = torch.float32
    device: str = "cpu"

    def draw(self, path: str, shape: tuple[int, ...], fan_in: int) -> Tensor:
        """Draw from U(-b, b) with b = 1 / sqrt(fan_in): PyTorch's default for conv and linear.

        Args:
            path: The parameter path, ``"<edge path>/<position>.<name>"``.
            shape: The shape of the tensor.
            fan_in: Inputs per output unit.
        """
        digest = hashlib.sha256(f"{self.seed}/{self.init}/{path}".encode()).digest()
        generator = torch.Generator().manual_seed(int.from_bytes(digest[:8], "big") >> 1)
        bound = 1 / math.sqrt(fan_in)
        values = torch.empty(shape).uniform_(-bound, bound, generator=generator)
        return values.to(self.device, self.dtype)
