"""Gradients of an untrained network: one forward and one backward pass, shared by who reads them.

Through spikes goes the surrogate gradient of the network's own neurons. Layers are convolutions and
linear layers, the same for every score of gradients; BatchNorm and biases are left out, as in
published code (Abdelfattah et al. 2021, "Zero-Cost Proxies for Lightweight NAS").
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional

from evo_core.errors import EvoError
from evo_core.limits import check_deadline
from evo_core.snn.operations import Statistics

_LAYERS = (nn.modules.conv._ConvNd, nn.Linear)


@dataclass(frozen=True, slots=True)
class LayerGradient:
    """A convolution or linear layer under the loss of the batch.

    Attributes:
        name: Its name in the network.
        weight: Its weight W, whatever the shape.
        gradient: ``dL/dW``; None if the loss does not depend on it.
        saliency: ``sum a dL/da`` over the places of a channel, over all calls of the layer and all
            time steps, for its output a: ``[B, channels]``. None if it was never called, or if its
            output does not tell which sample is which.
    """

    name: str
    weight: Tensor
    gradient: Tensor | None
    saliency: Tensor | None


@dataclass(frozen=True, slots=True)
class Gradients:
    """What one forward and one backward pass give.

    Attributes:
        loss: The mean cross-entropy of the logits averaged over time, in nats.
        layers: Every convolution and linear layer once, in the order of the network.
    """

    loss: float
    layers: tuple[LayerGradient, ...]


def run(network: nn.Module, inputs: Tensor, statistics: Statistics) -> Tensor:
    """Run a network as the untrained pass did: ``[T, B, ...]`` to ``[T, B, classes]``."""
    parts = []
    for frames in torch.split(inputs, 1 if statistics == "step" else len(inputs)):
        check_deadline()
        parts.append(network(frames))
    return torch.cat(parts)


def loss_of(logits: Tensor, labels: Tensor) -> Tensor:
    """Give the mean cross-entropy of logits ``[T, B, classes]``, averaged over time."""
    return functional.cross_entropy(logits.mean(0), labels)


def layers_of(network: nn.Module) -> dict[str, nn.Module]:
    """Give the convolutions and linear layers; of several that share a weight, the first.

    Raises:
        EvoError: If the weight of a layer is computed from other parameters.
    """
    found: dict[str, nn.Module] = {}
    seen: set[int] = set()
    for name, module in network.named_modules():
        if not isinstance(module, _LAYERS):
            continue
        if "weight" not in dict(module.named_parameters(recurse=False)):
            raise EvoError(
                f"the weight of layer {name!r} is computed from other parameters; remove the "
                "parametrisation (torch.nn.utils.parametrize.remove_parametrizations) first"
            )
        if id(module.weight) not in seen:
            seen.add(id(module.weight))
            found[name] = module
    return found


def weights_of(network: nn.Module) -> list[Tensor]:
    """Give the weights of all layers, each ready to be differentiated by."""
    weights: list[Tensor] = [layer.get_parameter("weight") for layer in layers_of(network).values()]
    return [weight.requires_grad_() for weight in weights]


def derivatives(
    value: Tensor, weights: Sequence[Tensor], *, differentiable: bool = False
) -> tuple[Tensor | None, ...]:
    """Differentiate a number by weights; None for those that it does not depend on.

    Args:
        value: The number.
        weights: What to differentiate by.
        differentiable: Whether the result is to be differentiated again.
    """
    if not weights or not value.requires_grad:
        return (None,) * len(weights)
    return torch.autograd.grad(value, weights, create_graph=differentiable, allow_unused=True)


def gradients_of(
    network: nn.Module, inputs: Tensor, labels: Tensor, statistics: Statistics = "step"
) -> Gradients:
    """Differentiate the loss of a batch by the weights and the outputs of all layers.

    Args:
        network: A network of one's own, whose state nobody needs afterwards.
        inputs: ``[T, B, ...]``.
        labels: ``[B]``.
        statistics: Whether to give the inputs step by step or in one call.
    """
    layers, weights = layers_of(network), weights_of(network)
    names = {id(layer.weight): name for name, layer in layers.items()}
    watch = _Saliency(len(labels))
    for module in network.modules():
        if isinstance(module, _LAYERS):
            module.register_forward_hook(partial(watch.see, names[id(module.weight)]))
    loss = loss_of(run(network, inputs, statistics), labels)
    given = derivatives(loss, weights)
    return Gradients(
        float(loss.detach()),
        tuple(
            LayerGradient(name, weight.detach(), gradient, watch.of(name))
            for name, weight, gradient in zip(layers, weights, given, strict=True)
        ),
    )


class _Saliency:
    """Adds up ``a dL/da`` of each layer while the loss is differentiated."""

    def __init__(self, batch: int) -> None:
        self._batch = batch
        self._sums: dict[str, Tensor] = {}
        self._unclear: set[str] = set()

    def of(self, name: str) -> Tensor | None:
        return None if name in self._unclear else self._sums.get(name)

    def see(self, name: str, module: nn.Module, given: tuple[Tensor], output: Tensor) -> Tensor:
        if output.requires_grad:
            output.register_hook(  # type: ignore[no-untyped-call]
                partial(self._add, name, module, output.detach())
            )
        return output.clone()  # what comes next may write into it

    def _add(self, name: str, module: nn.Module, output: Tensor, gradient: Tensor) -> None:
        summed = _per_sample(output * gradient, module, self._batch)
        if summed is None:
            self._unclear.add(name)
        else:
            before = self._sums.get(name)
            self._sums[name] = summed if before is None else before + summed


def _per_sample(values: Tensor, module: nn.Module, batch: int) -> Tensor | None:
    """Sum over time and places: ``[B, channels]``; None where samples can not be told apart."""
    spatial = len(module.kernel_size) if isinstance(module, nn.modules.conv._ConvNd) else 0
    if spatial:
        values = values.flatten(-spatial).sum(-1)  # [T, B, C], [B, C] or [T B, C]
    time_first = values.ndim > 2 and (
        spatial > 0 or getattr(module, "step_mode", "s") == "m" or len(values) != batch
    )
    if time_first:
        values = values.sum(0)
    elif values.ndim == 2 and len(values) != batch and len(values) % batch == 0:
        values = values.view(-1, batch, values.shape[1]).sum(0)
    if len(values) != batch:
        return None
    return values.flatten(1, -2).sum(1) if values.ndim > 2 else values
