"""Neuron dynamics as plain steps: ``step(current, state, parameters) -> (spikes, state)``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from evo_core.builtins import LifParameters


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
    if v is None:
        v = torch.zeros_like(current)
    v = v + (current - v) / parameters.tau
    spikes = (v >= parameters.threshold).to(v)
    return spikes, v * (1 - spikes)
