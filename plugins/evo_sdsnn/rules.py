"""The rules of one structural step, in their order, on layers that may differ in age."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest

import torch
from torch import Tensor

from evo_sdsnn.growth import regenerate, regenerate_by_gradient, shorten_safety
from evo_sdsnn.options import SdsnnOptions
from evo_sdsnn.pruning import prune_dead, prune_neurons, quotas, retract
from evo_sdsnn.ranges import apply_mask, clamp, set_ranges, update_ranges
from evo_sdsnn.schedule import (
    CONV_DEAD,
    FC_DEAD,
    improved_gain,
    percentile,
    released_gain,
    retracted,
)
from evo_sdsnn.state import LayerState


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer at the end of an epoch.

    Attributes:
        weight: Its weights.
        state: Its state.
        epoch: The number of the epoch in the life of the layer, from 0.
        options: The options, with the T_s of the layer.
    """

    weight: Tensor
    state: LayerState
    epoch: int
    options: SdsnnOptions

    @property
    def changes(self) -> bool:
        """Whether connections regenerate and are pruned by now."""
        return self.epoch >= self.options.first


def end_epoch(layers: Sequence[Layer], targets: int) -> None:
    """Make the structural step of all layers, in place.

    Args:
        layers: In their order.
        targets: The neurons behind the last one.
    """
    with torch.no_grad():
        for one in layers:
            _constrain(one)
            one.state.age.fill_(one.epoch + 1)
        for one in layers:
            if one.options.mode == "improved":
                shorten_safety(one.state, one.options.threshold)
            if not one.changes:
                one.state.gradient.zero_()
            elif one.options.regenerate:
                _regenerate(one)
        _prune([one for one in layers if one.options.prune], targets)
        for one in layers:
            apply_mask(one.weight, one.state)
            if one.options.mode == "improved":
                one.state.pruned.copy_(one.state.live() == 0)


def _constrain(one: Layer) -> None:
    """Set or update the ranges, and clamp; as released, ranges of convolutions stay as set."""
    weight, layer, options = one.weight, one.state, one.options
    if one.epoch == 0:
        set_ranges(weight, layer, symmetric=options.mode == "improved")
        return
    cut = options.clamp and one.epoch > options.threshold
    if not (options.mode == "released" and layer.is_conv):
        gently = options.mode == "improved"
        spine, contraction = options.threshold, options.contraction
        update_ranges(weight, layer, spine, contraction, gently=gently, cut=cut)
    elif cut:
        clamp(weight, layer)


def _regenerate(one: Layer) -> None:
    level = percentile(one.options, one.epoch, conv=one.state.is_conv)
    if one.options.mode == "improved":
        regenerate_by_gradient(one.state, level, one.options.threshold)
    else:
        regenerate(one.weight, one.state, level, one.options.threshold)


def _prune(layers: Sequence[Layer], targets: int) -> None:
    """Prune layer after layer; the rate of each looks at the next one before that is pruned."""
    for place, one in enumerate(layers):
        if one.changes and one.options.mode == "improved":
            share = retracted(one.options, one.epoch)
            retract(one.weight, one.state, quotas([each.state for each in layers], share)[place])
    for one, following in zip_longest(layers, layers[1:]):
        if not one.changes:
            continue
        layer, options = one.state, one.options
        ahead = None if following is None else following.state
        prune_neurons(layer, again=options.mode == "improved")
        if options.mode == "improved":
            prune_dead(layer, options.dead)
            later = 1.0 if ahead is None else _alive_share(ahead)
            layer.rate += improved_gain(options, one.epoch, _alive_share(layer), later)
        else:
            layer.rate += released_gain(
                options,
                one.epoch,
                conv=layer.is_conv,
                alive=_alive(layer),
                ahead=targets if ahead is None else _alive(ahead),
                units=layer.units,
            )
        layer.rate.clamp_(max=100.0)


def _alive(layer: LayerState) -> int:
    """Count neurons that are not dead, as released: a fixed number of synapses, whatever fan-in."""
    return int((layer.live() >= (CONV_DEAD if layer.is_conv else FC_DEAD)).sum())


def _alive_share(layer: LayerState) -> float:
    """Give the share of neurons that are not pruned, at least that of one."""
    return max(1, int((layer.live() > 0).sum())) / layer.units
