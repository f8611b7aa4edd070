"""Neuron dynamics as plain steps: ``step(current, state, parameters) -> (spikes, state)``."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from evo_core.builtins import IfParameters, LifParameters


def lif(current: Tensor, v: Tensor | None, parameters: LifParameters) -> tuple[Tensor, Tensor]:
    """Make one step of a leaky integrate-and-fire neuron.

    The equations, in units of the threshold's scale and of one time step (MSE-NAS, arXiv
    2304.10749; SpikingJelly's LIFNode with ``decay_input=True``)::

        v <- v + (I - v) / tau
        s  = 1 where v >= threshold, else 0
        v <- v (1 - s)                       (hard reset to zero)

    Args:
        current: The input current I, ``[B, ...]``.
        v: The membrane potential before the step, of the same shape; None at rest (zero).
        parameters: tau (in steps) and threshold.

    Returns:
        Spikes of 0 and 1 in the dtype of the current, and the membrane potential after the step.
    """
    v = torch.zeros_like(current) if v is None else v
    return _fired(v + (current - v) / parameters.tau, parameters.threshold)


def plif(current: Tensor, v: Tensor | None, parameters: LifParameters) -> tuple[Tensor, Tensor]:
    """Make one step of a LIF neuron with a learnt time constant (PLIF, Fang et al. 2021).

    As :func:`lif` with ``1 / tau = sigmoid(w)``, at the initial ``w = -ln(tau - 1)``. The argument
    and what is returned are those of :func:`lif`.
    """
    v = torch.zeros_like(current) if v is None else v
    w = torch.as_tensor(-math.log(parameters.tau - 1)).to(current)
    return _fired(v + (current - v) * w.sigmoid(), parameters.threshold)


def integrate_and_fire(
    current: Tensor, v: Tensor | None, parameters: IfParameters
) -> tuple[Tensor, Tensor]:
    """Make one step of an integrate-and-fire neuron: ``v <- v + I``, then as :func:`lif`."""
    v = current if v is None else v + current
    return _fired(v, parameters.threshold)


def _fired(v: Tensor, threshold: float) -> tuple[Tensor, Tensor]:
    spikes = (v >= threshold).to(v)
    return spikes, v * (1 - spikes)
