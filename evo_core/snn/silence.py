"""Which channels of a network are silent for good, whatever the input: read off its weights.

A channel of a current is silent if it is zero at all times: all its weights are zero or read silent
channels, its bias is zero, and BatchNorm has neither a shift nor a running mean to add. A node is
silent where all that it adds is; neurons that get no current do not fire. Feedback does not wake
what it could only wake by itself, since it brings zero at first.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from evo_core.architecture import INPUT, Architecture, Edge, Node
from evo_core.primitives import BatchNorm, Conv, Flatten, Linear, Shape, Zero
from evo_core.snn.network import SpikingNetwork

WEIGHTED = (Conv, Linear)


@dataclass(frozen=True, slots=True)
class Pruned:
    """How much of a network is gone.

    Attributes:
        weights: The share of the weights of convolutions and linear layers that are zero, or read
            what never fires.
        neurons: The share of the neurons and channels in front of the classifier without such
            weights.
    """

    weights: float
    neurons: float


@dataclass(frozen=True, slots=True)
class WeightLayer:
    """A convolution or linear layer in a network.

    Attributes:
        name: The name of its weights among the parameters of the network.
        operation: What it is.
        module: Its module, with ``weight`` and ``bias``.
        norm: The BatchNorm directly behind it, if there is one.
        last: Whether the logits come from it without a further such layer.
    """

    name: str
    operation: Conv | Linear
    module: nn.Module
    norm: nn.BatchNorm2d | None
    last: bool

    @property
    def weight(self) -> nn.Parameter:
        """The weights, ``[O, I, kh, kw]`` or ``[O, I]``."""
        weight = self.module.weight
        assert isinstance(weight, nn.Parameter)
        return weight

    @property
    def bias(self) -> nn.Parameter | None:
        """The bias, ``[O]``."""
        bias = self.module.bias
        assert bias is None or isinstance(bias, nn.Parameter)
        return bias


def weight_layers(network: SpikingNetwork) -> tuple[WeightLayer, ...]:
    """Give the convolutions and linear layers of a network, in the order of its edges."""
    names = {id(one): name for name, one in network.named_modules()}
    found = []
    for path, at, operation, last in weighted(network.architecture):
        module, behind = _module(network, path, at), _module(network, path, at + 1)
        norm = behind if isinstance(behind, nn.BatchNorm2d) else None
        found.append(WeightLayer(f"{names[id(module)]}.weight", operation, module, norm, last))
    return tuple(found)


def weighted(graph: Architecture) -> Iterator[tuple[str, int, Conv | Linear, bool]]:
    """Give the convolutions and linear layers of a graph, in the order of its edges.

    Yields:
        The path of the edge, the place in it, the operation, and whether the logits come from it
        without a further such operation.
    """
    to_logits = _paths_to_logits(graph)
    for path, edge in zip(graph.paths, graph.edges, strict=True):
        within = [(at, one) for at, one in enumerate(edge.operations) if isinstance(one, WEIGHTED)]
        for at, operation in within:
            yield path, at, operation, path in to_logits and at == within[-1][0]


def silent_inputs(network: SpikingNetwork) -> dict[str, Tensor]:
    """Tell for each convolution and linear layer which of its inputs are silent for good.

    Returns:
        Booleans ``[I]`` on the CPU, over all input channels, by the name of the weights.
    """
    return _Walk(network).inputs()


def pruned(network: SpikingNetwork) -> Pruned:
    """Tell how much of a network is gone."""
    silent = silent_inputs(network)
    layers = weight_layers(network)
    there = {one.name: there_of(one, silent[one.name]) for one in layers}
    left = sum(int(one.sum()) for one in there.values())
    hidden = [there[one.name].flatten(1).any(1) for one in layers if not one.last]
    units = sum(len(one) for one in hidden)
    return Pruned(
        1 - left / max(1, sum(one.weight.numel() for one in layers)),
        1 - sum(int(one.sum()) for one in hidden) / max(1, units),
    )


def there_of(layer: WeightLayer, silent: Tensor) -> Tensor:
    """Tell which weights of a layer are not zero and read what may fire, on the CPU."""
    nonzero = (layer.weight.detach() != 0).cpu()
    connected = reached(layer, silent)
    return nonzero & connected.view(*connected.shape, *[1] * (nonzero.ndim - 2))


def reached(layer: WeightLayer, silent: Tensor) -> Tensor:
    """Tell which connections of a layer read a channel that may fire, ``[O, I / groups]``."""
    awake = ~silent
    if isinstance(layer.operation, Conv) and layer.operation.groups > 1:
        groups = layer.operation.groups
        return awake.view(groups, -1).repeat_interleave(layer.operation.outputs // groups, 0)
    return awake.expand(layer.operation.outputs, -1)


class _Walk:
    """Follows silence along the edges until nothing more wakes."""

    def __init__(self, network: SpikingNetwork) -> None:
        self._graph = network.architecture
        self._network = network
        self._layers = {id(layer.module): layer for layer in weight_layers(network)}
        self._found: dict[str, Tensor] = {}

    def inputs(self) -> dict[str, Tensor]:
        silent = {node.name: self._all(self._graph.shapes[node.name]) for node in self._graph.nodes}
        silent[INPUT] = ~self._all(self._graph.task.shape)
        changed = True
        while changed:  # silence only ever ends, so this ends as well
            changed = False
            for node in self._graph.nodes:
                now = self._joined(node, silent)
                changed |= not torch.equal(now, silent[node.name])
                silent[node.name] = now
        return self._found

    def _all(self, shape: Shape) -> Tensor:
        return torch.ones(shape[0], dtype=torch.bool)

    def _joined(self, node: Node, silent: dict[str, Tensor]) -> Tensor:
        entering = self._graph.incoming[node.name]
        parts = [self._brought(path, edge, silent[edge.source]) for path, edge in entering]
        if node.join == "concat":
            return torch.cat(parts)
        return torch.stack(parts).all(0)

    def _brought(self, path: str, edge: Edge, silent: Tensor) -> Tensor:
        for at, (operation, shape) in enumerate(edge.walk(self._graph.shapes[edge.source])):
            match operation:
                case Conv() | Linear():
                    layer = self._layers[id(_module(self._network, path, at))]
                    silent = self._weighted(layer, silent)
                case BatchNorm():
                    silent = silent & _adds_nothing(_module(self._network, path, at))
                case Flatten():
                    silent = silent.repeat_interleave(operation.shape(shape)[0] // shape[0])
                case Zero():
                    silent = torch.ones_like(silent)
        return silent

    def _weighted(self, layer: WeightLayer, silent: Tensor) -> Tensor:
        self._found[layer.name] = silent
        quiet = ~there_of(layer, silent).flatten(1).any(1)
        return quiet if layer.bias is None else quiet & (layer.bias.detach() == 0).cpu()


def _adds_nothing(norm: nn.Module) -> Tensor:
    assert isinstance(norm, nn.BatchNorm2d)
    assert norm.running_mean is not None
    return ((norm.bias.detach() == 0) & (norm.running_mean == 0)).cpu()


def _module(network: SpikingNetwork, path: str, at: int) -> nn.Module:
    return dict(network.edge(path).named_children()).get(str(at), nn.Identity())


def _paths_to_logits(graph: Architecture) -> set[str]:
    """Name the edges from whose end the logits are reached without further weights."""
    free, found = {graph.output}, set()
    for node in reversed(graph.nodes):
        for path, edge in graph.incoming[node.name] if node.name in free else ():
            found.add(path)
            if not any(isinstance(one, WEIGHTED) for one in edge.operations):
                free.add(edge.source)
    return found
