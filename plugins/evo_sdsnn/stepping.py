"""One structural step on plain tensors: after a training epoch, before the evaluation."""

from __future__ import annotations

from itertools import zip_longest

import torch
from torch import Tensor

from evo_core.errors import EvoError
from evo_sdsnn.growth import regenerate, regenerate_by_gradient
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
from evo_sdsnn.state import LayerState, State, Weights, fresh, named

Layers = list[tuple[Tensor, LayerState]]


def begin(weights: Weights, options: SdsnnOptions, *, targets: int = 10) -> State:
    """Make the state of some layers, with all synapses there.

    Args:
        weights: Those of each layer in their order, ``[O, I, kh, kw]`` or ``[O, I]``, float32 or
            float64, contiguous; a list, or a mapping from names. The classifier is not among them.
        options: The options.
        targets: The neurons behind the last layer, as a rule the classes.

    Raises:
        EvoError: If there is no layer, or one that is not such a tensor.
    """
    layers = {}
    for name, weight in named(weights):
        if weight.ndim not in (2, 4) or not weight.numel() or not weight.is_contiguous():
            raise EvoError(
                f"weights {name} of shape {tuple(weight.shape)} are not those of a layer: give "
                "contiguous [outputs, inputs, height, width] or [outputs, inputs]"
            )
        rate = options.conv_rate if weight.ndim == 4 else options.fc_rate
        layers[name] = fresh(weight, gradient=options.mode == "improved", rate=rate)
        set_ranges(weight, layers[name], symmetric=options.mode == "improved")
    if not layers:
        raise EvoError("there is no layer whose structure could develop")
    return State(layers, targets)


def step(weights: Weights, state: State, epoch: int, options: SdsnnOptions) -> None:
    """Make the structural step that ends an epoch, in place on weights and state.

    After epoch 0 the ranges are set. After each later one they are updated; after epochs beyond
    T_s weights are clamped into them; beyond 2 T_s connections regenerate, neurons are pruned,
    masked weights are set to zero, and the pruning rates move.

    Args:
        weights: The weights as they are after the epoch, given as to :func:`begin`.
        state: What :func:`begin` made. In mode ``improved``, add up the dense gradients of the
            epoch in ``state.layers[name].gradient``, or nothing regenerates; the step clears them.
        epoch: The number of the epoch, from 0; each epoch once, in their order.
        options: The options; without ``spine``, T_s is 18.

    Raises:
        EvoError: If the weights are not those that the state belongs to.

    Example:
        >>> import torch
        >>> options = SdsnnOptions(mode="intended", spine=1, regenerate=False)
        >>> weights = [torch.randn(100, 30), torch.randn(20, 100)]
        >>> state = begin(weights, options)
        >>> for epoch in range(5):
        ...     step([one.mul_(0.9) for one in weights], state, epoch, options)
        >>> [int(layer.pruned.sum()) for layer in state.layers.values()]
        [2, 9]
    """
    layers = _together(weights, state)
    with torch.no_grad():
        for weight, layer in layers:
            _constrain(weight, layer, epoch, options)
        if epoch < options.first:
            for _, layer in layers:
                layer.gradient.zero_()
            return
        if options.regenerate:
            for weight, layer in layers:
                _regenerate(weight, layer, epoch, options)
        if options.prune:
            _prune(layers, state.targets, epoch, options)
        for weight, layer in layers:
            apply_mask(weight, layer)
            if options.mode == "improved":
                layer.pruned.copy_(layer.live() == 0)


def _together(weights: Weights, state: State) -> Layers:
    pairs = []
    for name, weight in named(weights):
        layer = state.layers.get(name)
        if layer is None or layer.mask.shape != weight.shape:
            raise EvoError(f"weights {name} of shape {tuple(weight.shape)} belong to another state")
        pairs.append((weight, layer))
    if len(pairs) != len(state.layers):
        raise EvoError(f"the state is of {len(state.layers)} layers, not of {len(pairs)}")
    return pairs


def _constrain(weight: Tensor, layer: LayerState, epoch: int, options: SdsnnOptions) -> None:
    """Set or update the ranges, and clamp; as released, ranges of convolutions stay as set."""
    if epoch == 0:
        set_ranges(weight, layer, symmetric=options.mode == "improved")
        return
    if not (options.mode == "released" and layer.is_conv):
        gently = options.mode == "improved"
        update_ranges(weight, layer, options.threshold, options.contraction, gently=gently)
    if options.clamp and epoch > options.threshold:
        clamp(weight, layer)


def _regenerate(weight: Tensor, layer: LayerState, epoch: int, options: SdsnnOptions) -> None:
    level = percentile(options, epoch, conv=layer.is_conv)
    if options.mode == "improved":
        regenerate_by_gradient(layer, level, options.threshold)
    else:
        regenerate(weight, layer, level, options.threshold)


def _prune(layers: Layers, targets: int, epoch: int, options: SdsnnOptions) -> None:
    """Prune layer after layer; the rate of each looks at the next one before that is pruned."""
    improved = options.mode == "improved"
    if improved:
        share = retracted(options, epoch)
        for (weight, layer), count in zip(
            layers, quotas([layer for _, layer in layers], share), strict=True
        ):
            retract(weight, layer, count)
    chain = [layer for _, layer in layers]
    for layer, ahead in zip_longest(chain, chain[1:]):
        prune_neurons(layer, again=improved)
        if improved:
            prune_dead(layer, options.dead)
            later = 1.0 if ahead is None else _alive_share(ahead)
            layer.rate += improved_gain(options, epoch, _alive_share(layer), later)
        else:
            layer.rate += released_gain(
                options,
                epoch,
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
