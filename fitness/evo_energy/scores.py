"""Synaptic operations and energy of a network, from SpikingJelly's counters.

A weight that meets a spike is added: a synaptic operation, or accumulate (AC). A weight that meets
another number is multiplied and added (MAC). Which one a layer makes is read off its input at each
time step: 0 and 1 alone are spikes. So convolutions and linear layers behind neurons make
synaptic operations, and MACs are made by the first layer on images, by a linear layer behind an
average over pixels, and by the second half of a separable convolution.

Counted are convolutions and linear layers, per sample and over all time steps T. BatchNorm is
taken as folded into the weights, and what the neurons, biases, sums, clips and pools cost is left
out, as in most published figures.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import torch
from spikingjelly.activation_based.op_counter import DispatchCounterMode, MACCounter, SynOpCounter
from torch import nn

from evo_core.components import NoOptions
from evo_core.evaluation import Score
from evo_core.limits import check_deadline
from evo_core.snn.view import View

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


def synops(view: View, options: NoOptions) -> Score:
    """Count synaptic operations; undefined where there are none, as in a dead network."""
    counted = operations(view)
    return _score(counted.synops, counted)


def energy(view: View, options: NoOptions) -> Score:
    """Estimate the energy in pJ; undefined where there are no synaptic operations."""
    counted = operations(view)
    return _score(counted.picojoules, counted)


def operations(view: View) -> Operations:
    """Count the operations of a network on the batch of a view.

    Args:
        view: A view with a network and the inputs ``[T, B, C, H, W]``.
    """
    assert view.network is not None
    assert view.inputs is not None
    network, inputs = view.network(), view.inputs
    spiking, numeric = SynOpCounter(), MACCounter(extra_ignore_modules=[nn.BatchNorm2d])
    with torch.no_grad(), DispatchCounterMode([spiking, numeric]):
        for frames in torch.split(inputs, 1 if view.statistics == "step" else len(inputs)):
            check_deadline()
            network(frames)
    samples = inputs.shape[1]
    return Operations(spiking.get_total() / samples, numeric.get_total() / samples)


def _score(value: float, counted: Operations) -> Score:
    defined = value if counted.synops > 0 else None
    return Score(defined, forwards=1, details=asdict(counted))
