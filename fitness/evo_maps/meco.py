"""MeCo: how independent the channels of each layer are on one random input (Jiang et al. 2023).

"MeCo: Zero-Shot NAS with One Data and Single Forward Pass via Minimum Eigenvalue of Correlation",
NeurIPS 2023. One sample of standard normal noise is shown, the same at every time step. For each
call of a leaf module with maps ``F [c, h w]``, P is the Pearson matrix of the channels, 0 where a
channel does not vary, and the score is the sum of the smallest eigenvalues of P, averaged over the
time steps. A neuron counts as a leaf. Published code also looks at containers, so that its values
depend on how a network is written down.

Where a layer has no fewer channels than pixels, P is singular, and the layer adds nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from evo_core.components import NoOptions
from evo_core.evaluation import Score
from evo_core.snn.any_module import spiking_nodes
from evo_core.snn.view import View
from evo_maps.noise import noise_like, runs_on_noise


def meco(view: View, options: NoOptions) -> Score:
    """Sum the smallest eigenvalues; undefined if no layer has more pixels than channels."""
    assert view.network is not None
    assert view.inputs is not None
    network = view.network()
    maps: list[Tensor] = []

    def see(module: nn.Module, given: tuple[Tensor], output: object) -> None:
        maps.extend(_maps(output))

    for leaf in leaves(network):
        leaf.register_forward_hook(see)
    noise = noise_like(view.inputs[:, :1], view.generator("meco"))
    if reason := runs_on_noise(view, network, noise):
        return Score.undefined(reason)
    counted = [one for one in maps if one.shape[1] < one.shape[2]]
    if not counted:
        return Score.undefined("no layer has more pixels than channels", forwards=1)
    total = sum(float(smallest(one).sum()) for one in counted)
    return Score(total / len(view.inputs), forwards=1, details={"maps": len(counted)})


def leaves(network: nn.Module) -> Iterator[nn.Module]:
    """Give the modules without parts of their own, and the neurons."""
    nodes = spiking_nodes(network)
    inside = {id(part) for node in nodes.values() for part in node.modules()}
    for module in network.modules():
        if id(module) not in inside and not list(module.children()):
            yield module
    yield from nodes.values()


def smallest(maps: Tensor) -> Tensor:
    """Give the smallest eigenvalue of the correlations of channels, ``[S, c, h w]`` to ``[S]``."""
    centred = maps.double() - maps.double().mean(-1, keepdim=True)
    covariance = centred @ centred.mT
    variance = covariance.diagonal(dim1=-2, dim2=-1)
    scale = (variance[:, :, None] * variance[:, None, :]).sqrt()
    correlation = torch.where(scale > 0, covariance / scale, 0.0)
    values: Tensor = torch.linalg.eigvalsh(correlation)
    return values[:, 0]


def _maps(output: object) -> Iterator[Tensor]:
    """Give the maps ``[S, c, h w]`` of an output ``[B, C, H, W]`` or ``[T, B, C, H, W]``."""
    if isinstance(output, Tensor) and output.ndim in (4, 5):
        yield output.detach().flatten(-2).flatten(0, -3)
