"""Sparse evolutionary training (SET; Mocanu et al., Nature Communications 9, 2383, 2018).

Each layer starts with a random share of its weights. After each epoch the weakest of them, by
magnitude, are pruned, and as many new ones grow at random places, from zero. Other than in the
paper, all layers have the same density, and positive and negative weights are pruned together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from evo_core.seeds import torch_generator
from evo_core.snn.developing import Progress

if TYPE_CHECKING:
    from evo_set.plugin import SetOptions


@dataclass(frozen=True, slots=True)
class State:
    """The masked weights of a network, by name, with their masks of 0 and 1."""

    weights: Mapping[str, nn.Parameter]
    masks: Mapping[str, Tensor]
    optimiser: Optimizer
    options: SetOptions
    seed: int


def attach(network: nn.Module, optimiser: Optimizer, options: SetOptions, seed: int) -> State:
    """Thin out the weights of all convolutions and linear layers."""
    weights = {name: one for name, one in network.named_parameters() if one.ndim > 1}
    masks = {}
    for layer, (name, weight) in enumerate(weights.items()):
        kept = max(1, round(options.density * weight.numel()))
        order = torch.randperm(weight.numel(), generator=torch_generator(seed, "set", 0, layer))
        mask = torch.zeros(weight.numel())
        mask[order[:kept]] = 1
        masks[name] = mask.view(weight.shape).to(weight.device)
    state = State(weights, masks, optimiser, options, seed)
    _apply(state)
    return state


def after_backward(state: State) -> None:
    """Mask the gradients, so that neither a weight nor a moment appears where none is."""
    for name, weight in state.weights.items():
        if weight.grad is not None:
            weight.grad *= state.masks[name]


def after_epoch(state: State, progress: Progress) -> None:
    """Prune the weakest weights and grow others; after the last epoch all stays as it is."""
    if progress.epoch == progress.epochs:
        return
    for layer, (name, weight) in enumerate(state.weights.items()):
        mask = state.masks[name].view(-1)
        empty = (mask == 0).nonzero().view(-1)
        there = mask.nonzero().view(-1)
        count = min(int(state.options.replaced * len(there)), len(empty))
        weakest = weight.detach().view(-1)[there].abs().argsort(stable=True)[:count]
        rng = torch_generator(state.seed, "set", progress.epoch, layer)
        grown = torch.randperm(len(empty), generator=rng)[:count].to(mask.device)
        mask[there[weakest]] = 0
        mask[empty[grown]] = 1
    _apply(state)


def tensors(state: State) -> dict[str, Tensor]:
    """Give the masks, in bytes."""
    return {name: mask.to(torch.uint8) for name, mask in state.masks.items()}


def restore(state: State, kept: Mapping[str, Tensor]) -> None:
    """Take over the masks; the weights are there already.

    Raises:
        ValueError: If they are those of another network.
    """
    for name, mask in state.masks.items():
        if name not in kept or kept[name].shape != mask.shape:
            raise ValueError(f"no mask for {name}")
        mask.copy_(kept[name])
    _apply(state)


def numbers(state: State) -> dict[str, float]:
    """Give the density of each layer: the share of weights that are there."""
    return {f"density {name}": float(mask.mean()) for name, mask in state.masks.items()}


def _apply(state: State) -> None:
    """Zero the weights that are not there, and their moments."""
    with torch.no_grad():
        for name, weight in state.weights.items():
            weight.mul_(state.masks[name])
            for moment in state.optimiser.state.get(weight, {}).values():
                if isinstance(moment, Tensor) and moment.shape == weight.shape:
                    moment.mul_(state.masks[name])
