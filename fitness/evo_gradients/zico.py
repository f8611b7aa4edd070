"""ZiCo: how steady gradients are over batches (Li et al. 2023, arXiv 2301.11300).

The batch is split into parts b. For each weight j, ``mu_j`` is the mean over b of ``|g_bj|`` and
``sd_j`` the population standard deviation of the signed ``g_bj``. The score is the sum over layers
of ``ln(sum_j mu_j / sd_j)``, over weights with ``sd_j > 0``; a layer without any is left out. In
float64: in float32 the ratios are off by 2e-4.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from evo_core.evaluation import Score
from evo_core.snn.gradients import derivatives, loss_of, weights_of
from evo_core.snn.view import View

if TYPE_CHECKING:
    from evo_gradients.plugin import ZicoOptions


def zico(view: View, options: ZicoOptions) -> Score:
    """Score the steadiness; undefined if no layer has a gradient that varies."""
    assert view.inputs is not None
    assert view.labels is not None
    parts = options.parts
    if len(view.labels) < parts:
        return Score.undefined(f"{len(view.labels)} samples can not be split into {parts} parts")
    inputs = view.inputs.double().tensor_split(parts, 1)
    given = zip(inputs, view.labels.tensor_split(parts), strict=True)
    found = [_gradients(view, *part) for part in given]
    layers = [_steadiness(torch.stack(gradients)) for gradients in zip(*found, strict=True)]
    counts: dict[str, Any] = {"forwards": parts, "backwards": parts}
    used = [one for one in layers if one > 0]
    if not used:
        return Score.undefined("no gradient varies from part to part", **counts)
    value = float(torch.stack(used).log().sum())
    return Score(value, details={"layers": len(layers), "used_layers": len(used)}, **counts)


def _gradients(view: View, inputs: Tensor, labels: Tensor) -> list[Tensor]:
    """Give ``dL/dW`` of each layer on one part of the batch."""
    assert view.network is not None
    network = view.network().double()
    weights = weights_of(network)
    loss = loss_of(view.run(network, inputs), labels)
    found = derivatives(loss, weights)
    return [
        torch.zeros_like(weight) if one is None else one
        for weight, one in zip(weights, found, strict=True)
    ]


def _steadiness(gradients: Tensor) -> Tensor:
    """Sum ``mu / sd`` over the weights of a layer; gradients are ``[parts, ...]``."""
    spread = gradients.std(0, correction=0)
    varies = spread > 0
    return (gradients.abs().mean(0)[varies] / spread[varies]).sum()
