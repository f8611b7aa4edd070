"""Zen-score: how much the features of a network answer to noise on noise (Lin et al. 2021).

arXiv 2102.01063. Weights of convolutions and linear layers are drawn from N(0, 1), biases are 0 and
BatchNorm is at its start; x and e are standard normal, the same at every time step. With the
features phi, the last maps of more than a pixel that enter a layer behind the first convolution:

    ln mean_it sum |phi_t(x_i) - phi_t(x_i + e_i / 100)| + sum over BatchNorm ln sqrt(mean_c var_c)

with samples i, time steps t, and the variance var of a channel before it is normalised, averaged
over calls. The released code reads running averages instead, which depend on how often it was run.
Neurons stay as they are: of spikes, phi changes only where the noise moves one. Neither data nor
labels are read.
"""

from __future__ import annotations

import copy
import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from evo_core.evaluation import Score
from evo_core.snn.any_module import SequenceModule
from evo_core.snn.gradients import layers_of
from evo_core.snn.view import View
from evo_maps.meco import leaves
from evo_maps.noise import noise_like, runs_on_noise

if TYPE_CHECKING:
    from evo_maps.plugin import ZenOptions

GAMMA = 0.01


def zen(view: View, options: ZenOptions) -> Score:
    """Average the score over draws of weights and noise; undefined if one of them gives none."""
    generator = view.generator("zen")
    values = []
    for _ in range(options.repeats):
        value, reason = _once(view, generator)
        if reason:
            return Score.undefined(reason)
        values.append(value)
    mean = sum(values) / len(values)
    return Score(mean, forwards=2 * len(values), details={"draws": values})


def draw_gaussian(network: nn.Module, generator: torch.Generator) -> None:
    """Draw all weights from N(0, 1), set biases to 0, and let BatchNorm gather plain averages."""
    with torch.no_grad():
        for layer in layers_of(network).values():
            weight, bias = layer.get_parameter("weight"), layer.bias
            weight.copy_(torch.randn(weight.shape, generator=generator))
            if isinstance(bias, Tensor):
                bias.zero_()
    for norm in _norms(network):
        norm.reset_parameters()
        norm.momentum = None


def _once(view: View, generator: torch.Generator) -> tuple[float, str]:
    """Give the score of one draw, or the reason why there is none."""
    assert view.network is not None
    assert view.inputs is not None
    network = view.network().train()
    draw_gaussian(network, generator)
    twin = copy.deepcopy(network)
    x, e = (noise_like(view.inputs, generator) for _ in range(2))
    one, other = _Features(network), _Features(twin)
    if reason := runs_on_noise(view, network, x) or runs_on_noise(view, twin, x + GAMMA * e):
        return math.nan, reason
    if not one.maps:
        return math.nan, "no map enters a layer behind a convolution"
    pairs = zip(one.maps, other.maps, strict=True)
    change = sum(float((a - b).abs().sum()) for a, b in pairs) / (len(x) * x.shape[1])
    if change == 0:
        return math.nan, "the features do not change with the noise"
    return math.log(change) + sum(map(_scale, _norms(network))), ""


def _norms(network: nn.Module) -> list[nn.modules.batchnorm._BatchNorm]:
    return [one for one in network.modules() if isinstance(one, nn.modules.batchnorm._BatchNorm)]


def _scale(norm: nn.modules.batchnorm._BatchNorm) -> float:
    """Give ``ln sqrt(mean_c var_c)``; 0 for a BatchNorm that was not called or keeps no average."""
    if norm.running_var is None or not norm.num_batches_tracked:
        return 0.0
    variance = float(norm.running_var.double().mean())
    return 0.5 * math.log(variance) if variance > 0 else 0.0


class _Features:
    """Keeps the last map that enters a layer in each call of a network.

    Attributes:
        maps: One for each call, in order.
    """

    def __init__(self, network: nn.Module) -> None:
        self.maps: list[Tensor] = []
        self._last: Tensor | None = None
        self._behind = False
        for leaf in leaves(network):
            leaf.register_forward_pre_hook(self._see)
        inner = network.module if isinstance(network, SequenceModule) else network
        inner.register_forward_hook(self._end)

    def _see(self, module: nn.Module, given: tuple[object, ...]) -> None:
        entering = given[0] if given else None
        if self._behind and isinstance(entering, Tensor) and _is_map(entering):
            self._last = entering.detach().clone()
        self._behind |= isinstance(module, nn.modules.conv._ConvNd)

    def _end(self, *_: object) -> None:
        if self._last is not None:
            self.maps.append(self._last)
        self._last, self._behind = None, False


def _is_map(entering: Tensor) -> bool:
    """Tell whether a tensor is ``[B, C, H, W]`` or ``[T, B, C, H, W]`` of more than one pixel."""
    return entering.ndim in (4, 5) and entering.shape[-1] * entering.shape[-2] > 1
