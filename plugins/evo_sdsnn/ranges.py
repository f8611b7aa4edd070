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

import torch
from torch import Tensor

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
    weight: Tensor, layer: LayerState, spine: int, contraction: float, *, gently: bool = False
) -> None:
    """Expand and contract the ranges of a layer by its weights after an epoch.

    Args:
        weight: The weights.
        layer: Changed in place.
        spine: The spine threshold T_s in epochs.
        contraction: The factor of a contraction.
        gently: Contract no further than to the weight itself, so that the clamp never cuts a weight
            because it has fallen.
    """
    whole = layer.is_whole()
    for piece in pieces(weight):
        flat = [_flat(one)[piece] for one in (weight, layer.upper, layer.lower, layer.above)]
        w, upper, lower, above = flat
        if not whole:
            w = w * _flat(layer.mask)[piece]
        _expand(w, upper, above, _flat(layer.rising)[piece], w >= upper, spine)
        below = _flat(layer.below)[piece]
        _expand(w, lower, below, _flat(layer.sinking)[piece], w <= lower, spine)
        before, falling = _flat(layer.before)[piece], _flat(layer.falling)[piece]
        size = w.abs()
        falling.add_(1).mul_(size < before)
        before.copy_(size)
        if int(falling.max()) > spine:
            events = falling > spine
            for end in (upper, lower):
                closer = end * contraction
                if gently:
                    closer = torch.where(closer.abs() < size, end.clamp(-size, size), closer)
                end.copy_(torch.where(events, closer, end))
            falling.masked_fill_(events, 1)


def clamp(weight: Tensor, layer: LayerState) -> None:
    """Bring the weights of a layer into their ranges."""
    torch.clamp(weight, layer.lower, layer.upper, out=weight)


def apply_mask(weight: Tensor, layer: LayerState) -> None:
    """Set the weights that are masked to zero."""
    if not layer.is_whole():
        for piece in pieces(weight):
            _flat(weight)[piece].mul_(_flat(layer.mask)[piece])


def pieces(weight: Tensor) -> Iterator[slice]:
    """Cut a layer into pieces, as slices of it in one row."""
    size = PIECE if weight.device.type == "cpu" else max(1, weight.numel())
    for first in range(0, weight.numel(), size):
        yield slice(first, first + size)


def _expand(
    w: Tensor, end: Tensor, excess: Tensor, streak: Tensor, outside: Tensor, spine: int
) -> None:
    if not (outside.any() or streak.any()):
        return  # the excess is zero as well
    streak.add_(1).mul_(outside)
    excess.add_(w - end).mul_(streak > 1)
    if int(streak.max()) > spine:
        events = streak > spine
        end.add_(torch.where(events, excess / spine, 0))
        excess.masked_fill_(events, 0)
        streak.masked_fill_(events, 1)


def _flat(tensor: Tensor) -> Tensor:
    return tensor.view(-1)
