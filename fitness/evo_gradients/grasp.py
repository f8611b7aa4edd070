"""GraSP: what a step along the gradient does to the gradient flow (Wang et al. 2020)."""

from __future__ import annotations

from typing import Any

import torch

from evo_core.components import NoOptions
from evo_core.evaluation import Score
from evo_core.snn.gradients import derivatives, loss_of, weights_of
from evo_core.snn.view import View


def grasp(view: View, options: NoOptions) -> Score:
    """Give ``-sum W (H g)`` with the gradient g and the Hessian H of the loss.

    arXiv 2002.07376 with the sign of Abdelfattah et al. (2021) and no temperature. Through spikes
    the surrogate gradient is differentiated once more. Undefined if the loss has no gradient.
    """
    assert view.network is not None
    assert view.labels is not None
    network = view.network()
    weights = weights_of(network)
    loss = loss_of(view.run(network), view.labels)
    found = derivatives(loss, weights, differentiable=True)
    flow = sum((one.detach() * one).sum() for one in found if one is not None)
    counts: dict[str, Any] = {"forwards": 1, "backwards": 2}
    if not isinstance(flow, torch.Tensor) or flow == 0:
        return Score.undefined("the loss has no gradient", **counts)
    products = derivatives(flow, weights)
    used = [(one, weight.detach()) for one, weight in zip(products, weights, strict=True)]
    value = -sum(float((one * weight).sum()) for one, weight in used if one is not None)
    return Score(value, **counts)
