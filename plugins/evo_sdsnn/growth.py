"""Regeneration: which pruned connections grow again."""

from __future__ import annotations

from operator import gt

import torch
from torch import Tensor

from evo_sdsnn.flags import compared, count, every, places, some
from evo_sdsnn.ranges import pieces
from evo_sdsnn.selecting import kth_smallest, put_last
from evo_sdsnn.state import LayerState

JUST_GROWN = 255  # safe for T_s epochs, by the T_s of the next step; T_s itself is 250 at most


def shorten_safety(layer: LayerState, spine: int) -> None:
    """Let an epoch pass in which what has grown was safe, mode ``improved``; T_s epochs at most.

    What a mutation grows is safe for the T_s of the training to come, which the mutation does not
    know: it is known here.
    """
    if some(layer.growth):
        shorter = layer.growth.clamp(1, spine).sub_(1)
        layer.growth.copy_(torch.where(layer.connections(), shorter, layer.growth))


def regenerate(weight: Tensor, layer: LayerState, percentile: float, spine: int) -> None:
    """Let connections grow whose value is high: that of the weights themselves, with its sign.

    A masked weight moves within an epoch, since masks act only after it; a connection (a kernel,
    summed, or a synapse) that is above the percentile of its layer in T_s + 2 epochs in a row is
    there again, with the weight that it has.
    """
    if every(layer.mask):
        return
    values = (weight.flatten(2).sum(2) if layer.is_conv else weight).reshape(-1)
    level = _below_percentile(values, percentile, among=len(values))
    there, growth = layer.connections().view(-1), layer.growth.view(-1)
    for piece in pieces(values):
        gone = ~there[piece]
        if not some(gone):
            continue  # the streaks are zero as well
        streak = growth[piece]
        asking = compared(values[piece], gt, level).logical_and_(gone)
        streak.add_(1).mul_(asking.view(torch.uint8))
        if int(streak.max()) > spine + 1:
            grown = places(streak > spine + 1)
            streak[grown] = 0
            there[piece][grown] = True
    if not layer.is_conv:
        return  # the connections are the mask
    layer.mask.logical_or_(there.view(*layer.growth.shape, 1, 1))


def regenerate_by_gradient(layer: LayerState, percentile: float, spine: int) -> None:
    """Let connections grow that would lower the loss, mode ``improved``.

    The evidence is the absolute value of the gradients that were summed over the epoch, over a
    kernel or a synapse; it is compared among the pruned connections of the layer. Those above the
    percentile in T_s + 1 epochs in a row grow from zero, and are not pruned for T_s epochs.
    """
    gone = ~layer.connections()
    evidence = layer.gradient.abs()
    if layer.is_conv:
        evidence = evidence.flatten(2).sum(2)
    asking = torch.zeros_like(gone)
    if some(gone):
        put_last(evidence, ~gone)
        level = _below_percentile(evidence, percentile, among=count(gone)).clamp(min=0)
        asking = compared(evidence, gt, level).logical_and_(gone)
    safe = layer.growth * (~gone).view(torch.uint8)
    layer.growth.add_(1).mul_(asking.view(torch.uint8)).add_(safe)
    grown = (layer.growth > spine).logical_and_(gone)
    layer.gradient.zero_()
    if some(grown):
        layer.growth.masked_fill_(grown, spine)
        shape = (*grown.shape, *[1] * (layer.mask.ndim - 2))
        layer.mask.logical_or_(grown.view(shape))


def _below_percentile(values: Tensor, percentile: float, *, among: int) -> Tensor:
    """Give the value at or just below a percentile of so many values, the smallest ones.

    A value is above it exactly if it is above the percentile that lies between two values.
    """
    rank = int((among - 1) * (percentile / 100))
    return kth_smallest(values.reshape(-1), rank)
