"""The synaptic constraint: a range [r-, r+] for each synapse, and the clamp.

A weight that stays at an end of its range for T_s + 1 epochs moves that end by the mean excess of
the streak; one whose absolute value falls for T_s + 1 epochs has its range contracted. The rules
are those of the released code (``prun_and_generation.py``), with one streak in place of a count and
a flag for the epoch before: the first epoch of a streak adds no excess, and after an event the
streak goes on from 1.

A layer is worked through in pieces that stay in the cache of a CPU; on other devices, at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from operator import ge, le, lt

import torch
from torch import Tensor

from evo_sdsnn.flags import compared, every, places, some
from evo_sdsnn.state import LayerState

PIECE = 1 << 16  # synapses


def set_ranges(weight: Tensor, layer: LayerState, *, symmetric: bool) -> None:
    """Begin with ranges from the weights of a layer; everything else is forgotten.

    Args:
        weight: The weights.
        layer: Changed in place.
        symmetric: Take the largest absolute weight; as released, the largest weight is taken for
            both ends, although it may be negative.
    """
    end = weight.abs().max() if symmetric else weight.max()
    layer.upper.copy_(end.expand_as(weight))
    layer.lower.copy_((-end).expand_as(weight))
    torch.abs(weight, out=layer.before)
    for one in (layer.above, layer.below, layer.rising, layer.sinking, layer.falling):
        one.zero_()


def update_ranges(
    weight: Tensor, layer: LayerState, spine: int, contraction: float, *, gently: bool, cut: bool
) -> None:
    """Expand and contract the ranges of a layer by its weights after an epoch.

    Args:
        weight: The weights.
        layer: Changed in place.
        spine: The spine threshold T_s in epochs.
        contraction: The factor of a contraction.
        gently: Contract no further than to the weight itself, so that the clamp never cuts a weight
            because it has fallen.
        cut: Bring the weights into their new ranges, in place, as :func:`clamp` does.
    """
    for piece in pieces(weight):
        w, upper, lower, mask = (
            _flat(one)[piece] for one in (weight, layer.upper, layer.lower, layer.mask)
        )
        live = w if every(mask) else w * mask.view(torch.uint8)
        above, rising = _flat(layer.above)[piece], _flat(layer.rising)[piece]
        _expand(live, upper, above, rising, compared(live, ge, upper), spine)
        below, sinking = _flat(layer.below)[piece], _flat(layer.sinking)[piece]
        _expand(live, lower, below, sinking, compared(live, le, lower), spine)
        before, falling = _flat(layer.before)[piece], _flat(layer.falling)[piece]
        size = live.abs()
        falling.add_(1).mul_(compared(size, lt, before).view(torch.uint8))
        before.copy_(size)
        if int(falling.max()) > spine:
            events = places(falling > spine)
            for end in (upper, lower):
                end[events] = _closer(end[events], size[events], contraction, gently=gently)
            falling[events] = 1
        if cut:
            torch.clamp(w, lower, upper, out=w)


def clamp(weight: Tensor, layer: LayerState) -> None:
    """Bring the weights of a layer into their ranges."""
    torch.clamp(weight, layer.lower, layer.upper, out=weight)


def apply_mask(weight: Tensor, layer: LayerState) -> None:
    """Set the weights that are masked to zero."""
    for piece in pieces(weight):
        mask = _flat(layer.mask)[piece]
        if not every(mask):
            _flat(weight)[piece].mul_(mask.view(torch.uint8))


def pieces(weight: Tensor) -> Iterator[slice]:
    """Cut a layer into pieces, as slices of it in one row."""
    size = PIECE if weight.device.type == "cpu" else max(1, weight.numel())
    for first in range(0, weight.numel(), size):
        yield slice(first, first + size)


def _expand(
    w: Tensor, end: Tensor, excess: Tensor, streak: Tensor, outside: Tensor, spine: int
) -> None:
    """Go on with streaks where there is one, and begin those of weights that are outside."""
    active = outside.view(torch.uint8) | streak
    if not some(active):
        return
    at = places(active)
    length = (streak[at] + 1) * outside[at]
    total = (excess[at] + (w[at] - end[at])) * (length > 1)
    events = length > spine
    end[at] += torch.where(events, total / spine, 0)
    excess[at] = total.masked_fill_(events, 0)
    streak[at] = length.masked_fill_(events, 1)


def _closer(end: Tensor, size: Tensor, contraction: float, *, gently: bool) -> Tensor:
    """Contract ends of ranges around weights of some size."""
    closer = end * contraction
    if not gently:
        return closer
    return torch.where(closer.abs() < size, end.clamp(-size, size), closer)


def _flat(tensor: Tensor) -> Tensor:
    return tensor.view(-1)
