"""Neuron dynamics on plain tensors, as single steps and as a run over many.

``step(current, state, parameters) -> (spikes, state)`` on ``[B, ...]`` says what a neuron does.
``run(currents, state, parameters) -> (spikes, state)`` on ``[T', B, ...]`` does the same over time
with as little traffic of memory as torch allows; what it may write to is the state it is given.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from evo_core.snn import fused

if TYPE_CHECKING:
    from evo_core.builtins import IfParameters, LifParameters

Step = Callable[[Tensor, Any, Any], tuple[Tensor, Any]]


def over_time(step: Step) -> Step:
    """Make a run of a step."""

    def run(currents: Tensor, state: Any, parameters: Any) -> tuple[Tensor, Any]:
        fired = []
        for current in currents:
            spikes, state = step(current, state, parameters)
            fired.append(spikes)
        return torch.stack(fired), state

    return run


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


def run_lif(
    currents: Tensor, v: Tensor | None, parameters: LifParameters
) -> tuple[Tensor, Tensor | None]:
    """Run :func:`lif`, or :func:`plif` with its initial time constant, over ``[T', B, ...]``."""
    spikes, leak = _for_spikes(currents), 1 / parameters.tau
    if fused.fits(currents):
        return spikes, fused.run(currents, v, spikes, leak, parameters.threshold)
    for current, fired in zip(currents, spikes, strict=True):
        v = current * leak if v is None else v.lerp_(current, leak)
        _fire(v, fired, parameters.threshold)
    return spikes, v


def run_if(
    currents: Tensor, v: Tensor | None, parameters: IfParameters
) -> tuple[Tensor, Tensor | None]:
    """Run :func:`integrate_and_fire` over ``[T', B, ...]``."""
    spikes = _for_spikes(currents)
    if fused.fits(currents):
        return spikes, fused.run(currents, v, spikes, None, parameters.threshold)
    for current, fired in zip(currents, spikes, strict=True):
        v = current.clone() if v is None else v.add_(current)
        _fire(v, fired, parameters.threshold)
    return spikes, v


def _fired(v: Tensor, threshold: float) -> tuple[Tensor, Tensor]:
    spikes = (v >= threshold).to(v)
    return spikes, v * (1 - spikes)


def _fire(v: Tensor, spikes: Tensor, threshold: float) -> None:
    """Write the spikes, and reset v to zero where there is one."""
    torch.ge(v, threshold, out=spikes)
    v.addcmul_(v, spikes, value=-1)


def _for_spikes(currents: Tensor) -> Tensor:
    """Give memory for ``[T', B, ...]``, each step laid out as one of the currents."""
    one = torch.empty_like(currents[0])
    return one.new_empty_strided((len(currents), *one.shape), (one.numel(), *one.stride()))
