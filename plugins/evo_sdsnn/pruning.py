"""Pruning: neurons whose synapses have the narrowest ranges; mode ``improved``: weak synapses too.

The score of a neuron is the sum over its synapses of their range r+ + abs(r-), scaled over the
whole layer to [0, 1]. Sums are taken in float64, in which those of float32 ranges come out the
same in any order, so that equal neurons have equal scores: ties go to the lower index.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from operator import eq, lt

import numpy as np
import torch
from torch import Tensor

from evo_sdsnn.flags import compared, count, places
from evo_sdsnn.ranges import PIECE
from evo_sdsnn.selecting import kth_smallest, put_last
from evo_sdsnn.state import LayerState


def scores(layer: LayerState) -> Tensor:
    """Give the score of each neuron, ``[O]``, float64."""
    upper, lower, mask = (one.flatten(1) for one in (layer.upper, layer.lower, layer.mask))
    size = max(1, PIECE // 2 // upper.shape[1]) if upper.device.type == "cpu" else len(upper)
    spans = torch.empty((2, size, upper.shape[1]), dtype=torch.float64, device=upper.device)
    live, sums, ends = layer.live(), [], []
    for first in range(0, len(upper), size):
        some = slice(first, min(first + size, len(upper)))
        span, other = spans[:, : some.stop - first]
        span.copy_(upper[some]).add_(other.copy_(lower[some]).abs_())
        ends.append(torch.stack((span.amin(), span.amax())))
        if int(live[some].min()) < upper.shape[1]:
            span.mul_(mask[some].view(torch.uint8))
        sums.append(span.sum(1))
    least, most = torch.stack(ends).amin(0)[0], torch.stack(ends).amax(0)[1]
    if most == least:
        return live.double() / 2
    return (torch.cat(sums) - least * live) / (most - least)


def prune_neurons(layer: LayerState, *, again: bool) -> None:
    """Prune the neurons with the lowest scores, as many as the pruning rate of the layer says.

    Those that were ever pruned fill the quota but stay as they are. Of those with synapses, the one
    with the highest score stays: it may be no higher than that of the pruned, which is 0.

    Args:
        layer: Its mask changes.
        again: Prune those that have grown again once more, but none that has just grown.
    """
    quota = min(math.floor(layer.units * float(layer.rate) / 100), layer.units - 1)
    order, living = scores(layer).argsort(stable=True), layer.live() > 0
    chosen = torch.zeros_like(layer.pruned)
    chosen[order[:quota]] = True
    chosen[order[living[order]][-1:]] = False
    open_to = living & ~just_grown(layer) if again else ~layer.pruned
    cut(layer, chosen & open_to)


def prune_dead(layer: LayerState, share: float) -> None:
    """Prune neurons that have fewer than a share of their synapses, but for those just grown.

    The neuron with most synapses stays.
    """
    live = layer.live()
    fan_in = layer.mask[0].numel()
    dead = (live > 0) & (live < share * fan_in)
    dead &= ~just_grown(layer)
    dead[live.argmax()] = False
    cut(layer, dead)


def retract(weight: Tensor, layer: LayerState, quota: int) -> None:
    """Prune the weakest connections, until as many are gone as the quota says; one stays.

    The strength is the absolute value of the weight, in a kernel the sum of them. What has just
    grown is left out.
    """
    there = layer.connections()
    strength = weight.abs()
    if layer.is_conv:
        strength = strength.flatten(2).sum(2)
    closed = layer.growth.bool().logical_or_(~there)
    left = count(there)
    more = min(quota - (there.numel() - left), closed.numel() - count(closed), left - 1)
    if more <= 0:
        return
    put_last(strength, closed)
    level = kth_smallest(strength.view(-1), more - 1)
    weak = compared(strength, lt, level)
    ties = places(compared(strength, eq, level).view(-1))
    weak.view(-1)[ties[: more - count(weak)]] = True
    shape = (*weak.shape, *[1] * (layer.mask.ndim - 2))
    layer.mask.logical_and_(~weak.view(shape))


def quotas(layers: Iterable[LayerState], share: float) -> list[int]:
    """Spread the share of synapses to be pruned over layers, and give connections for each.

    Densities are proportional to (O + I) / (O I), up to 1, for O neurons and I inputs of a
    connection each (the Erdos-Renyi rule of SET; Mocanu et al., Nature Communications 9, 2383,
    2018), so that small layers are not emptied.
    """
    shapes = [layer.growth.shape for layer in layers]
    sizes = np.array([outputs * inputs for outputs, inputs in shapes], dtype=float)
    slope = np.array([outputs + inputs for outputs, inputs in shapes]) / sizes
    wanted, full = (1 - share) * sizes.sum(), np.zeros(len(sizes), dtype=bool)
    density = np.ones(len(sizes))
    while not full.all():
        rest = (slope * sizes)[~full].sum()
        density = np.where(full, 1.0, slope * (wanted - sizes[full].sum()) / rest)
        over = (density > 1) & ~full
        if not over.any():
            break
        full |= over
    return [int(one) for one in np.floor((1 - np.minimum(density, 1.0)) * sizes)]


def just_grown(layer: LayerState) -> Tensor:
    """Tell which neurons have connections that are still safe, mode ``improved``."""
    grown = layer.growth.bool().logical_and_(layer.connections())
    return grown.view(torch.uint8).amax(1).bool()


def cut(layer: LayerState, neurons: Tensor) -> None:
    """Take all synapses from neurons."""
    rows = neurons.nonzero().view(-1)
    if len(rows):
        layer.mask[rows] = False
        layer.growth[rows] = 0
        layer.pruned.logical_or_(neurons)
