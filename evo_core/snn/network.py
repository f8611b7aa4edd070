"""Architecture to SpikingJelly module: what is trained, counted and exported."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping

import torch
from spikingjelly.activation_based import base, layer
from spikingjelly.activation_based.memopt import checkpoint_module
from torch import Tensor, nn

from evo_core.architecture import Architecture, Edge
from evo_core.components import NeuronModel, load
from evo_core.primitives import (
    BatchNorm,
    Clip,
    Conv,
    Crop,
    Flatten,
    GlobalAveragePool,
    Linear,
    Neuron,
    Pool,
    Primitive,
    Zero,
)
from evo_core.snn.walk import Walker
from evo_core.snn.weights import Weights


class SpikingNetwork(base.MemoryModule):  # type: ignore[misc]
    """A network that runs an Architecture; weights are initialised by parameter path.

    Call it with ``[T, B, C, H, W]``; it gives logits ``[T, B, classes]``, to be averaged over T.
    State is kept between calls, as SpikingJelly's neurons do: call
    ``spikingjelly.activation_based.functional.reset_net(network)`` before a new sequence. In
    training mode BatchNorm sees the statistics of T and B together, except inside cells with
    next-step feedback, which run step by step.

    Args:
        architecture: The graph.
        neurons: The NeuronModel records by name.
        weights: Where the initial weights come from.

    Attributes:
        neurons: The NeuronModel records that it uses, by name.
        recompute: Keep only what enters neurons and edges, and compute what happens inside them
            once more in the backward pass. Outputs, gradients, states and the statistics of
            BatchNorm stay the same.
    """

    def __init__(
        self, architecture: Architecture, neurons: Mapping[str, NeuronModel], weights: Weights
    ) -> None:
        super().__init__()
        logging.getLogger("torch._library.triton").addFilter(_but_missing_triton)
        self.architecture = architecture
        self.neurons = {one.model: neurons[one.model] for one in _models(architecture)}
        self.recompute = False
        self.populations = nn.ModuleDict(
            {
                _key(name): _neuron(neuron, neurons)
                for table in architecture.populations.values()
                for name, neuron in table.items()
            }
        )
        self.edges = nn.ModuleDict(
            {
                _key(path): _edge(path, edge, neurons, weights)
                for path, edge in zip(architecture.paths, architecture.edges, strict=True)
            }
        )
        self.to(weights.device, weights.dtype)
        self.register_memory("held", {})
        self._walker = Walker(architecture, self._fire, self._carry)

    def forward(self, frames: Tensor) -> Tensor:
        """Run a sequence, or the next piece of one: ``[T, B, C, H, W]`` to ``[T, B, classes]``."""
        logits: Tensor = self._walker.run(frames, self.held)
        return logits

    def edge(self, path: str) -> nn.Module:
        """Give the operations of an edge, behind the neuron that opens it."""
        return self.edges[_key(path)]

    def population(self, name: str) -> nn.Module:
        """Give the neurons of a population."""
        return self.populations[_key(name)]

    def _fire(self, name: str, neuron: Neuron, current: Tensor) -> Tensor:
        return self._run(self.population(name), current)

    def _carry(self, path: str, edge: Edge, value: Tensor) -> Tensor:
        return self._run(self.edge(path), value)

    def _run(self, module: nn.Module, value: Tensor) -> Tensor:
        if self.recompute and torch.is_grad_enabled():
            # inside a container of its own, so that the hooks of the module are called as well
            module = checkpoint_module(nn.Sequential(module))
        result: Tensor = module(value)
        return result


class SignClip(nn.Module):
    """Keep the positive (+1) or the negative (-1) part of a current."""

    def __init__(self, sign: int) -> None:
        super().__init__()
        self.sign = sign

    def forward(self, current: Tensor) -> Tensor:
        """Clip a current of any shape."""
        return torch.clamp(current, min=0) if self.sign > 0 else torch.clamp(current, max=0)


class SpatialMean(nn.Module):
    """Global average pooling: ``[T, B, C, H, W]`` to ``[T, B, C]``."""

    def forward(self, maps: Tensor) -> Tensor:
        """Average over height and width."""
        return maps.mean((-2, -1))


class CropFirst(nn.Module):
    """Leave out the first rows and columns of ``[T, B, C, H, W]``."""

    def __init__(self, pixels: int) -> None:
        super().__init__()
        self.pixels = pixels

    def forward(self, maps: Tensor) -> Tensor:
        """Crop at the top and on the left."""
        return maps[..., self.pixels :, self.pixels :]


class Nothing(nn.Module):
    """Multiply by zero."""

    def forward(self, value: Tensor) -> Tensor:
        """Give zeros of the same shape."""
        return value * 0


def _but_missing_triton(record: logging.LogRecord) -> bool:
    """Leave out torch's notice that there is no Triton, which SpikingJelly's neurons call up."""
    return not record.getMessage().startswith("Triton not available")


def _key(name: str) -> str:
    return name.replace(".", "_")  # torch allows no dot in the name of a module


def _models(architecture: Architecture) -> Iterator[Neuron]:
    for edge in architecture.edges:
        yield from (one for one in edge.operations if isinstance(one, Neuron))


def _neuron(neuron: Neuron, neurons: Mapping[str, NeuronModel]) -> nn.Module:
    record = neurons[neuron.model]
    module: nn.Module = load(record.module)(record.options(**dict(neuron.settings)))
    return module


def _edge(
    path: str, edge: Edge, neurons: Mapping[str, NeuronModel], weights: Weights
) -> nn.Sequential:
    modules = {
        str(position): _module(f"{path}/{position}", operation, neurons, weights)
        for position, operation in enumerate(edge.operations)
        if position > 0 or edge.neuron is None
    }
    sequence = nn.Sequential()
    for name, module in modules.items():
        sequence.add_module(name, module)
    return sequence


def _module(
    path: str, operation: Primitive, neurons: Mapping[str, NeuronModel], weights: Weights
) -> nn.Module:
    module: nn.Module
    match operation:
        case Neuron():
            return _neuron(operation, neurons)
        case Conv(inputs, outputs, kernel, stride, dilation, groups):
            sizes = (inputs, outputs, kernel, stride, operation.padding, dilation, groups)
            module = layer.Conv2d(*sizes, bias=False, step_mode="m")
            return _filled(module, path, weights, operation.fan_in)
        case Linear(inputs, outputs):
            module = layer.Linear(inputs, outputs, step_mode="m")
            return _filled(module, path, weights, inputs)
        case BatchNorm(channels):
            module = layer.BatchNorm2d(channels, step_mode="m")
            return module
    return _without_weights(operation)


def _without_weights(operation: Primitive) -> nn.Module:
    module: nn.Module
    match operation:
        case Pool("max", kernel, stride):
            sizes = (kernel, stride, operation.padding)
            module = layer.MaxPool2d(*sizes, ceil_mode=True, step_mode="m")
            return module
        case Pool("average", kernel, stride):
            sizes = (kernel, stride, operation.padding)
            module = layer.AvgPool2d(*sizes, True, count_include_pad=False, step_mode="m")
            return module
        case Clip(sign):
            return SignClip(sign)
        case GlobalAveragePool():
            return SpatialMean()
        case Flatten():
            return nn.Flatten(start_dim=2)  # behind T and B
        case Crop(pixels):
            return CropFirst(pixels)
        case Zero():
            return Nothing()
    raise TypeError(f"no module for the operation {operation}")


def _filled(module: nn.Module, path: str, weights: Weights, fan_in: int) -> nn.Module:
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            values = weights.draw(f"{path}.{name}", tuple(parameter.shape), fan_in)
            parameter.data = values.clone()
    return module
