"""Initial weights, each drawn from a generator of its own.

The generator is keyed by (seed, init number, parameter path), so a parameter has the same numbers
in every network that has it, in both executors, in every worker and on every device. That gives
candidates common random numbers: they differ by their structure, not by luck of the draw. It also
means that what one candidate has drawn, the next need not draw again.
"""

from __future__ import annotations

import hashlib
import math
from collections import OrderedDict
from dataclasses import dataclass, field

import torch
from torch import Tensor

BANK_BYTES = 256 * 2**20


class Bank:
    """Keeps drawn weights, and forgets those whose last use is longest ago.

    Args:
        most: How many bytes it may hold.
    """

    def __init__(self, most: int = BANK_BYTES) -> None:
        self._most = most
        self._bytes = 0
        self._held: OrderedDict[object, Tensor] = OrderedDict()

    def get(self, key: object) -> Tensor | None:
        """Give what is kept under a key."""
        if key in self._held:
            self._held.move_to_end(key)
        return self._held.get(key)

    def put(self, key: object, weight: Tensor) -> None:
        """Keep a tensor that nobody changes, under a new key."""
        if weight.nbytes > self._most:
            return
        self._held[key] = weight
        self._bytes += weight.nbytes
        while self._bytes > self._most:
            _, oldest = self._held.popitem(last=False)
            self._bytes -= oldest.nbytes


@dataclass(frozen=True, slots=True)
class Weights:
    """The source of all initial weights of one network.

    Attributes:
        seed: The run's seed.
        init: The number of the repeat; another number is another draw of all weights.
        dtype: The type of the tensors; numbers are drawn in float32 and then converted.
        device: Where the tensors go; numbers are always drawn on the CPU.
        bank: Where :meth:`cached` keeps what it has drawn; may be shared by many sources.
    """

    seed: int
    init: int = 0
    dtype: torch.dtype = torch.float32
    device: str = "cpu"
    bank: Bank = field(default_factory=Bank, compare=False, repr=False)

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

    def cached(self, path: str, shape: tuple[int, ...], fan_in: int) -> Tensor:
        """Give what :meth:`draw` gives, from the bank if it is there; it is not to be changed.

        Weights of convolutions lie with the channels last in memory.
        """
        key = (self.seed, self.init, path, shape, fan_in, self.dtype, self.device)
        weight = self.bank.get(key)
        if weight is None:
            weight = self.draw(path, shape, fan_in)
            if weight.dim() == 4:
                weight = weight.contiguous(memory_format=torch.channels_last)
            self.bank.put(key, weight)
        return weight
