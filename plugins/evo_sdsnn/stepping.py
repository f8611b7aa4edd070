"""One structural step on plain tensors: after a training epoch, before the evaluation."""

from __future__ import annotations

from torch import Tensor

from evo_core.errors import EvoError
from evo_sdsnn.options import SdsnnOptions
from evo_sdsnn.ranges import set_ranges
from evo_sdsnn.rules import Layer, end_epoch
from evo_sdsnn.state import LayerState, State, Weights, fresh, named


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
    layers = [Layer(*pair, epoch, options) for pair in _together(weights, state)]
    end_epoch(layers, state.targets)


def go_on(weights: Weights, state: State, left: int, options: SdsnnOptions) -> None:
    """Make the step that ends an epoch, for each layer by its own age.

    Layers that were inherited are older than those that were not. Without ``spine``, T_s is that of
    the life which a layer will have had at the end of its training.

    Args:
        weights: As for :func:`step`.
        state: As for :func:`step`.
        left: The epochs of the training that were left when this one began.
        options: The options.
    """
    layers = []
    for weight, layer in _together(weights, state):
        epoch = int(layer.age)
        layers.append(Layer(weight, layer, epoch, options.over(epoch + left)))
    end_epoch(layers, state.targets)


def _together(weights: Weights, state: State) -> list[tuple[Tensor, LayerState]]:
    pairs = []
    for name, weight in named(weights):
        layer = state.layers.get(name)
        if layer is None or layer.mask.shape != weight.shape:
            raise EvoError(f"weights {name} of shape {tuple(weight.shape)} belong to another state")
        pairs.append((weight, layer))
    if len(pairs) != len(state.layers):
        raise EvoError(f"the state is of {len(state.layers)} layers, not of {len(pairs)}")
    return pairs
