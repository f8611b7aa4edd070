"""The neurons evo brings: each as a SpikingJelly node and as one plain step on tensors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spikingjelly.activation_based import neuron, surrogate
from torch import nn

if TYPE_CHECKING:
    from evo_core.builtins import IfParameters, LifParameters

_SURROGATES = {
    "piecewise-quadratic": surrogate.PiecewiseQuadratic,
    "atan": surrogate.ATan,
    "sigmoid": surrogate.Sigmoid,
}


def lif_module(parameters: LifParameters) -> nn.Module:
    """Build SpikingJelly's leaky integrate-and-fire node with hard reset to zero."""
    node: nn.Module = neuron.LIFNode(tau=parameters.tau, decay_input=True, **_common(parameters))
    return node


def plif_module(parameters: LifParameters) -> nn.Module:
    """Build SpikingJelly's LIF node with a learnt time constant (PLIF, Fang et al. 2021)."""
    node: nn.Module = neuron.ParametricLIFNode(
        init_tau=parameters.tau, decay_input=True, **_common(parameters)
    )
    return node


def if_module(parameters: IfParameters) -> nn.Module:
    """Build SpikingJelly's integrate-and-fire node with hard reset to zero."""
    node: nn.Module = neuron.IFNode(**_common(parameters))
    return node


def _common(parameters: IfParameters | LifParameters) -> dict[str, Any]:
    return {
        "v_threshold": parameters.threshold,
        "v_reset": 0.0,
        "detach_reset": True,
        "surrogate_function": _SURROGATES[parameters.surrogate](alpha=parameters.alpha),
        "step_mode": "m",
    }
