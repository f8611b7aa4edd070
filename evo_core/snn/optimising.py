"""What a recipe asks of each step: loss, learning rate, optimiser, and its moments as tensors."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.optim import SGD, AdamW, Optimizer

from evo_core.recipe import Recipe


def make_optimiser(recipe: Recipe, network: nn.Module) -> Optimizer:
    """Build the optimiser; weight decay acts on weights with two dimensions and more."""
    parameters = list(network.parameters())
    groups = [
        {
            "params": [one for one in parameters if one.ndim > 1],
            "weight_decay": recipe.weight_decay,
        },
        {"params": [one for one in parameters if one.ndim <= 1], "weight_decay": 0.0},
    ]
    groups = [group for group in groups if group["params"]]
    if recipe.optimiser == "adamw":
        return AdamW(groups, lr=recipe.lr, eps=1e-8)
    nesterov = recipe.momentum > 0
    return SGD(groups, lr=recipe.lr, momentum=recipe.momentum, nesterov=nesterov)


def learning_rate(recipe: Recipe, epoch: float) -> float:
    """Give the learning rate at a point of the training.

    It rises linearly in the warm-up, then falls along half a cosine (Loshchilov and Hutter, 2017).

    Args:
        recipe: The recipe.
        epoch: How many epochs are done, with a fraction.
    """
    warm = recipe.warmup_epochs
    if epoch < warm:
        return recipe.warmup_lr + (recipe.lr - recipe.warmup_lr) * epoch / warm
    if recipe.schedule == "constant":
        return recipe.lr
    share = (epoch - warm) / max(1, recipe.epochs - warm)
    return recipe.min_lr + (recipe.lr - recipe.min_lr) * (1 + math.cos(math.pi * share)) / 2


def loss_of(recipe: Recipe, logits: Tensor, targets: Tensor) -> Tensor:
    """Give the loss of a batch.

    Args:
        recipe: Says which loss: ``ce`` and ``mse`` look at the mean of the logits over time, as a
            decision does; ``tet`` is :func:`temporal_efficient_training`.
        logits: ``[T, B, classes]``.
        targets: Classes ``[B]``, or the share of each class in each sample, ``[B, classes]``.
    """
    if recipe.loss == "tet":
        return temporal_efficient_training(recipe, logits, targets)
    mean = logits.mean(0)
    if recipe.loss == "ce":
        return functional.cross_entropy(mean, targets, label_smoothing=recipe.label_smoothing)
    classes = mean.shape[1]
    shares = functional.one_hot(targets, classes).to(mean) if targets.ndim == 1 else targets
    smooth = shares * (1 - recipe.label_smoothing) + recipe.label_smoothing / classes
    return functional.mse_loss(mean, smooth)


def temporal_efficient_training(recipe: Recipe, logits: Tensor, targets: Tensor) -> Tensor:
    """Give (1 - lambda) L_TET + lambda L_MSE (Deng et al. 2022, arXiv 2202.11946).

    L_TET is the mean of the cross-entropies of all time steps. L_MSE, the mean of (logit - 1)^2
    over steps, samples and classes, keeps the logits near the threshold of the neurons, which is 1
    in the paper. SpikingJelly has L_TET alone, and for whole labels without smoothing.

    Args:
        recipe: Gives lambda and the smoothing of labels.
        logits: ``[T, B, classes]``.
        targets: ``[B]`` or ``[B, classes]``.
    """
    every = targets.expand(len(logits), *targets.shape).flatten(0, 1)
    entropy = functional.cross_entropy(
        logits.flatten(0, 1), every, label_smoothing=recipe.label_smoothing
    )
    if not recipe.tet_lambda:
        return entropy
    return (1 - recipe.tet_lambda) * entropy + recipe.tet_lambda * (logits - 1).square().mean()


def moments(network: nn.Module, optimiser: Optimizer) -> dict[str, Tensor]:
    """Give what the optimiser remembers, as ``<parameter>/<moment>``."""
    return {
        f"{name}/{moment}": value
        for name, parameter in network.named_parameters()
        for moment, value in optimiser.state.get(parameter, {}).items()
        if isinstance(value, Tensor)
    }


def restore_moments(
    network: nn.Module, optimiser: Optimizer, tensors: Mapping[str, Tensor]
) -> None:
    """Let the optimiser remember what :func:`moments` gave.

    Raises:
        ValueError: If a moment belongs to no parameter, or has another shape than it.
    """
    parameters = dict(network.named_parameters())
    for path, value in tensors.items():
        name, _, moment = path.rpartition("/")
        parameter = parameters.get(name)
        if parameter is None or value.shape not in (parameter.shape, torch.Size(())):
            raise ValueError(f"the moment {path} belongs to another network")
        on_device = value if moment == "step" else value.to(parameter.device)
        optimiser.state[parameter][moment] = on_device


def set_learning_rate(optimiser: Optimizer, rate: float) -> None:
    """Give all parameters the same learning rate."""
    for group in optimiser.param_groups:
        group["lr"] = rate


def clip_gradients(recipe: Recipe, parameters: Iterator[nn.Parameter]) -> None:
    """Shorten the gradient to the norm that the recipe allows."""
    if recipe.clip_gradient is not None:
        nn.utils.clip_grad_norm_(parameters, recipe.clip_gradient)
