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

import copy
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import torch
from spikingjelly.activation_based.op_counter import DispatchCounterMode, MACCounter, SynOpCounter
from torch import nn

from evo_core.errors import RunFailedError
from evo_core.evaluation import Score
from evo_core.limits import check_deadline
from evo_core.snn.view import Trained, View

if TYPE_CHECKING:
    from evo_energy.plugin import CostOptions

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


def synops(view: View, options: CostOptions) -> Score:
    """Count synaptic operations; undefined where there are none, or where a training diverges."""
    return _score(view, options, lambda counted: counted.synops)


def energy(view: View, options: CostOptions) -> Score:
    """Estimate the energy in pJ; undefined where the synaptic operations are."""
    return _score(view, options, lambda counted: counted.picojoules)


def operations(view: View, trained: Trained | None = None) -> Operations:
    """Count the operations of a network on the batch of a view.

    Args:
        view: A view with a network and the inputs ``[T, B, C, H, W]``.
        trained: Count on this network instead, with the running statistics of BatchNorm. It stays
            as it is.
    """
    assert view.inputs is not None
    steps = len(view.inputs) if trained is None and view.statistics == "sequence" else 1
    if trained is None:
        assert view.network is not None
        network = view.network()
    else:
        network = copy.deepcopy(trained.network).eval()
    spiking, numeric = SynOpCounter(), MACCounter(extra_ignore_modules=[nn.BatchNorm2d])
    with torch.no_grad(), DispatchCounterMode([spiking, numeric]):
        for frames in torch.split(view.inputs, steps):
            check_deadline()
            network(frames)
    samples = view.inputs.shape[1]
    return Operations(spiking.get_total() / samples, numeric.get_total() / samples)


def _score(view: View, options: CostOptions, value: Callable[[Operations], float]) -> Score:
    trained = None
    if options.at == "trained":
        assert view.trained is not None
        try:
            trained = view.trained(options.recipe)
        except RunFailedError as error:
            return Score.undefined(str(error))
    counted = operations(view, trained)
    forwards = 1 + (trained.forwards if trained else 0)
    backwards = trained.backwards if trained else 0
    given: dict[str, Any] = {"forwards": forwards, "backwards": backwards}
    if counted.synops == 0:
        return Score.undefined("no spike meets a weight", details=asdict(counted), **given)
    return Score(value(counted), details=asdict(counted), **given)
