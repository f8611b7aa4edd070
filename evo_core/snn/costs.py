"""What a network costs: operations that really happen on given frames, and what of it is left.

A weight that meets a spike is added: a synaptic operation (SynOp). A weight that meets another
number is multiplied and added (MAC). Which one a layer makes is read off its input at each time
step: 0 and 1 alone are spikes. Weights of exactly zero are not there: they make neither.

Counted are convolutions and linear layers, per sample and over all time steps T. BatchNorm is taken
as folded into the weights, and what the neurons, biases, sums, clips and pools cost is left out, as
in most published figures.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial

import torch
from torch import Tensor, nn

MAC_PJ, AC_PJ = 4.6, 0.9  # 32-bit floats at 45 nm (Horowitz, ISSCC 2014)


@dataclass(frozen=True, slots=True)
class Operations:
    """What one sample takes over all time steps, on average.

    Attributes:
        synops: Synaptic operations: weights added because a spike arrived.
        macs: Multiply-accumulates: weights multiplied with other numbers.
    """

    synops: float
    macs: float

    @property
    def picojoules(self) -> float:
        """The energy of these operations at 45 nm, in pJ."""
        return MAC_PJ * self.macs + AC_PJ * self.synops


@dataclass(slots=True)
class Counter:
    """Adds up operations over passes.

    Attributes:
        synops: Synaptic operations so far.
        macs: Multiply-accumulates so far.
    """

    synops: float = 0.0
    macs: float = 0.0
    _ones: dict[int, Tensor] = field(default_factory=dict)

    def per_sample(self, samples: int) -> Operations:
        """Give the mean over so many samples."""
        return Operations(self.synops / samples, self.macs / samples)

    def see(self, layer: nn.Conv2d | nn.Linear, given: tuple[Tensor], made: Tensor) -> None:
        """Count a call of a layer: ``[T, B, ...]`` if it is a multi-step one, or ``[B, ...]``."""
        if id(layer) not in self._ones:
            self._ones[id(layer)] = (layer.weight.detach() != 0).float()
        there = self._ones[id(layer)]
        steps = getattr(layer, "step_mode", "s") == "m"
        frames = given[0].detach() if steps else given[0].detach()[None]
        for frame in frames:
            if bool(((frame == 0) | (frame == 1)).all()):
                self.synops += _met(layer, frame.float(), there)
            else:
                places = made.numel() // len(frames) // len(there)  # of each output, all samples
                self.macs += float(there.sum(dtype=torch.float64)) * places


@contextmanager
def counting(network: nn.Module) -> Iterator[Counter]:
    """Count what the convolutions and linear layers of a network do.

    Weights must stay as they are meanwhile.
    """
    counter = Counter()
    layers = [one for one in network.modules() if isinstance(one, nn.Conv2d | nn.Linear)]
    hooks = [one.register_forward_hook(partial(_seen, counter)) for one in layers]
    try:
        yield counter
    finally:
        for hook in hooks:
            hook.remove()


def _seen(counter: Counter, layer: nn.Module, given: tuple[Tensor], made: Tensor) -> None:
    assert isinstance(layer, nn.Conv2d | nn.Linear)
    counter.see(layer, given, made)


def _met(layer: nn.Conv2d | nn.Linear, spikes: Tensor, there: Tensor) -> float:
    """Count the weights that spikes ``[B, ...]`` meet; the sums are whole numbers."""
    if isinstance(layer, nn.Linear):
        return float((spikes.sum(0, dtype=torch.float64) * there.sum(0).double()).sum())
    total = spikes.sum(0, keepdim=True)  # a convolution is linear: one for all samples
    met = torch.conv2d(
        total, there, None, layer.stride, layer.padding, layer.dilation, layer.groups
    )
    return float(met.sum(dtype=torch.float64))
