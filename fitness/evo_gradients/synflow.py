"""SynFlow: the synaptic flow through the linearised network (Tanaka et al. 2020).

arXiv 2006.05467. Every weight, bias and buffer is replaced by its absolute value, one step of one
sample of ones is shown, and R is the sum of the logits. The score is ``ln(sum |W dR/dW|)`` over
convolutions and linear layers, in float64.

The network is linearised: neurons, BatchNorm, dropout and the sign clips of evo's networks pass on
what they are given. So an inhibitory edge counts as an excitatory one, and feedback to the next
step, which carries nothing in the first, does not count. Neither data nor labels are read.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import nn

from evo_core.components import NoOptions
from evo_core.evaluation import Score
from evo_core.snn.any_module import spiking_nodes
from evo_core.snn.gradients import derivatives, weights_of
from evo_core.snn.network import SignClip
from evo_core.snn.view import View

_DROPOUTS = ("Dropout", "Dropout1d", "Dropout2d", "Dropout3d", "AlphaDropout")


def synflow(view: View, options: NoOptions) -> Score:
    """Give the logarithm of the synaptic flow; undefined if nothing flows."""
    assert view.network is not None
    assert view.inputs is not None
    network = view.network().double()
    linearise(network)
    weights = weights_of(network)
    ones = torch.ones_like(view.inputs[:1, :1], dtype=torch.float64)
    flow = view.run(network, ones).mean(0).sum()
    found = derivatives(flow, weights)
    used = [(one, weight.detach()) for one, weight in zip(found, weights, strict=True)]
    total = sum(float((one * weight).abs().sum()) for one, weight in used if one is not None)
    counts: dict[str, Any] = {"forwards": 1, "backwards": 1}
    if not 0 < total < math.inf:
        return Score.undefined(f"the synaptic flow is {total:g}", **counts)
    return Score(math.log(total), **counts)


def linearise(network: nn.Module) -> None:
    """Take absolute values of all parameters and buffers, and bypass what is not linear."""
    with torch.no_grad():
        for tensor in network.state_dict().values():
            if tensor.is_floating_point():
                tensor.abs_()
    nodes = set(spiking_nodes(network).values())
    for module in list(network.modules()):
        for name, child in list(module._modules.items()):
            if child is not None and (child in nodes or _is_bypassed(child)):
                module.register_module(name, nn.Identity())


def _is_bypassed(module: nn.Module) -> bool:
    kinds = nn.modules.batchnorm._BatchNorm, SignClip
    return isinstance(module, kinds) or type(module).__name__ in _DROPOUTS
