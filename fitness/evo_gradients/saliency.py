"""Scores that read one backward pass of the loss, which they share.

``W`` is the weight of a convolution or linear layer, ``L`` the mean cross-entropy of the batch. A
weight that the loss does not depend on has the gradient 0. A network without spikes has a gradient
in its first layers all the same, from the surrogate: these scores do not tell that it is dead.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from evo_core.components import NoOptions
from evo_core.evaluation import Score
from evo_core.snn.gradients import LayerGradient
from evo_core.snn.view import View


def snip(view: View, options: NoOptions) -> Score:
    """Give ``sum over weights of |W dL/dW|`` (SNIP; Lee et al. 2019, arXiv 1810.02340)."""
    return _total(view, lambda one: _gradient(one).mul(one.weight).abs().sum())


def grad_norm(view: View, options: NoOptions) -> Score:
    """Give the sum over layers of ``||dL/dW||_2`` (Abdelfattah et al. 2021, arXiv 2101.08134)."""
    return _total(view, lambda one: _gradient(one).norm())


def fisher(view: View, options: NoOptions) -> Score:
    """Give the Fisher information of channels (Theis et al. 2018; Turner et al. 2020).

    For the output a of a layer, ``g_nc = sum a dL/da`` over the places of channel c for sample n,
    over all time steps and over all calls of the layer. The channel counts ``mean_n(g_nc^2) / 2``
    for each of its weights.
    """
    assert view.gradients is not None
    unclear = [
        one.name
        for one in view.gradients().layers
        if one.gradient is not None and one.saliency is None
    ]
    if unclear:
        reason = f"the outputs of layer {unclear[0]!r} do not show which sample is which"
        return Score.undefined(reason, forwards=1, backwards=1)
    return _total(view, _information)


def _information(one: LayerGradient) -> Tensor:
    if one.saliency is None:
        return one.weight.new_zeros(())
    channels = one.saliency.square().mean(0).sum() / 2
    return channels * (one.weight.numel() / one.saliency.shape[1])


def _gradient(one: LayerGradient) -> Tensor:
    return torch.zeros_like(one.weight) if one.gradient is None else one.gradient


def _total(view: View, of_layer: Callable[[LayerGradient], Tensor]) -> Score:
    """Sum a number over layers; undefined without layers or a finite loss."""
    assert view.gradients is not None
    found = view.gradients()
    counts: dict[str, Any] = {"forwards": 1, "backwards": 1}
    if not found.layers:
        return Score.undefined("the network has no convolution and no linear layer", **counts)
    if not math.isfinite(found.loss):
        return Score.undefined("the loss is not finite", **counts)
    if not any(one.gradient is not None and bool(one.gradient.any()) for one in found.layers):
        return Score.undefined("the loss has no gradient", **counts)
    value = sum(float(of_layer(one)) for one in found.layers)
    unused = sum(one.gradient is None for one in found.layers)
    details = {"unused_layers": unused} if unused else {}
    return Score(value, details=details, **counts)
