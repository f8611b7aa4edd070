"""A trained network as a graph of NIR nodes.

Several edges into one NIR node add up. So a state is no node of its own: it is the nodes whose
outputs add up to it, and all that reads the state reads each of them. Populations stay one node,
however many edges they open. What NIR lacks but linear algebra has is a matrix over channels: the
places of a concatenation, a BatchNorm that follows no convolution, and a copy of a current.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import nir
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from evo_core.architecture import INPUT, Edge, Node, population
from evo_core.primitives import (
    BatchNorm,
    Conv,
    Flatten,
    GlobalAveragePool,
    Linear,
    Neuron,
    Pool,
    Primitive,
    Shape,
)
from evo_core.snn.network import SpikingNetwork

DT = 1e-4  # seconds per time step: what programs that read NIR take unless told otherwise
Array = NDArray[np.floating[Any]]
Sources = tuple[str, ...]  # the NIR nodes whose outputs add up


def nir_graph(network: SpikingNetwork) -> nir.NIRGraph:
    """Build the graph of a network of which NIR can say everything.

    BatchNorm is that of evaluation mode, and is folded into the convolution before it.

    Args:
        network: On the CPU; :func:`evo_core.nir_limits.unsupported` finds nothing in it.
    """
    architecture = network.architecture
    builder = _Builder(network)
    builder.settle(INPUT, ("input",))
    for node in architecture.nodes:
        brought = [builder.edge(path, edge) for path, edge in architecture.incoming[node.name]]
        builder.settle(node.name, builder.joined(node, brought))
    return builder.graph()


class _Builder:
    """Collects NIR nodes; their names begin with their place, so that files list them in order."""

    def __init__(self, network: SpikingNetwork) -> None:
        self._network = network
        self._architecture = network.architecture
        self._nodes = {"input": nir.Input(np.array(network.architecture.task.shape))}
        self._edges: list[tuple[str, str]] = []
        self._states: dict[str, Sources] = {}  # by the name of the state, or of the population

    def graph(self) -> nir.NIRGraph:
        task, output = self._architecture.task, self._architecture.output
        logits = self._states[output]
        if len(logits) > 1:  # readers take what comes first, and do not add at the output
            logits = self._mixed(output, np.eye(task.classes), (task.classes,), logits)
        self._nodes["output"] = nir.Output(np.array([task.classes]))
        self._edges.append((logits[0], "output"))
        metadata = {"architecture": self._architecture.hash, "steps": task.steps, "dt": DT}
        return nir.NIRGraph(self._nodes, self._edges, metadata=metadata)

    def settle(self, state: str, sources: Sources) -> None:
        """Say what adds up to a state, and add the populations that read it."""
        self._states[state] = sources
        shape = self._architecture.shapes[state]
        for name, neuron in self._architecture.populations[state].items():
            node = _neuron(neuron, self._network.population(name), shape)
            self._states[name] = self._add(f"{state}_{neuron.model}", node, sources)

    def edge(self, path: str, edge: Edge) -> Sources:
        """Add the operations of an edge; give what brings its current."""
        opening = population(edge.source, edge.neuron) if edge.neuron else edge.source
        sources = self._states[opening]
        modules = dict(self._network.edge(path).named_children())
        walked = list(edge.walk(self._architecture.shapes[edge.source]))
        for position, (operation, shape) in enumerate(walked):
            module = modules.get(str(position))
            if module is None:
                continue  # the neuron that opens the edge
            label = f"{path}_{operation.label or operation.tag}"
            before = walked[position - 1][0] if position > 0 else None
            after = walked[position + 1][0] if position + 1 < len(walked) else None
            if isinstance(operation, Conv):
                norm = modules[str(position + 1)] if isinstance(after, BatchNorm) else None
                sources = self._add(label, _conv(operation, shape, module, norm), sources)
            elif not (isinstance(operation, BatchNorm) and isinstance(before, Conv)):
                sources = self._other(label, operation, shape, module, sources)
        return sources

    def joined(self, node: Node, brought: Sequence[Sources]) -> Sources:
        """Give what adds up to a node."""
        shape = self._architecture.shapes[node.name]
        if node.join == "concat" and len(brought) > 1:
            return self._concatenated(node.name, brought)
        nodes: list[str] = []
        for name in (name for sources in brought for name in sources):
            again = name in nodes  # between two nodes NIR has one edge at most
            nodes += self._mixed(node.name, np.eye(shape[0]), shape, (name,)) if again else (name,)
        return tuple(nodes)

    def _concatenated(self, name: str, brought: Sequence[Sources]) -> Sources:
        edges = (edge for _, edge in self._architecture.incoming[name])
        whole, start = self._architecture.shapes[name], 0
        nodes: list[str] = []
        for edge, sources in zip(edges, brought, strict=True):
            shape = edge.shape(self._architecture.shapes[edge.source])
            places = np.eye(whole[0], shape[0], -start)
            nodes += self._mixed(f"{name}_part", places, shape, sources)
            start += shape[0]
        return tuple(nodes)

    def _other(
        self, label: str, operation: Primitive, shape: Shape, module: Any, sources: Sources
    ) -> Sources:
        match operation:
            case Neuron():
                return self._add(label, _neuron(operation, module, shape), sources)
            case Linear():
                weight, bias = (_array(one) for one in (module.weight, module.bias))
                return self._add(label, nir.Affine(weight, bias), sources)
            case BatchNorm():
                scale, shift = _affine(module)
                return self._mixed(label, np.diag(scale), shape, sources, shift)
            case Pool():
                return self._add(label, _average((operation.kernel, operation.kernel)), sources)
            case GlobalAveragePool():
                mean = self._add(label, _average(shape[1:]), sources)
                return self._add(label, _flatten((shape[0], 1, 1)), mean)
            case Flatten():
                return self._add(label, _flatten(shape), sources)
        raise TypeError(f"no NIR node for the operation {operation}")

    def _mixed(
        self,
        label: str,
        matrix: Array,
        shape: Shape,
        sources: Sources,
        shift: Array | None = None,
    ) -> Sources:
        """Add a matrix over channels, ``[outputs, inputs]``."""
        matrix = matrix.astype(np.float32)
        bias = (np.zeros(len(matrix)) if shift is None else shift).astype(np.float32)
        if len(shape) == 1:
            return self._add(label, nir.Affine(matrix, bias), sources)
        conv = nir.Conv2d(shape[1:], matrix[..., None, None], 1, 0, 1, 1, bias)
        return self._add(label, conv, sources)

    def _add(self, label: str, node: nir.NIRNode, sources: Sources) -> Sources:
        plain = re.sub(r"\W+", "_", label.replace("->", "_to_"))
        name = f"{len(self._nodes):04}_{plain}"
        self._nodes[name] = node
        self._edges += [(source, name) for source in sources]
        return (name,)


def _conv(conv: Conv, shape: Shape, module: Any, norm: Any) -> nir.NIRNode:
    """Write a convolution, with the BatchNorm behind it; groups become zeros between them.

    NIR's own type check takes the inputs of a group for those of the layer.
    """
    weight = _array(module.weight).astype(np.float64)
    scale, shift = _affine(norm) if norm is not None else (1.0, np.zeros(conv.outputs))
    whole = np.zeros((conv.outputs, conv.inputs, conv.kernel, conv.kernel))
    outputs, inputs = conv.outputs // conv.groups, conv.inputs // conv.groups
    for group in range(conv.groups):
        rows = slice(group * outputs, (group + 1) * outputs)
        whole[rows, group * inputs : (group + 1) * inputs] = weight[rows]
    whole *= np.reshape(scale, (-1, 1, 1, 1))
    sizes = (conv.stride, conv.padding, conv.dilation, 1)
    return nir.Conv2d(shape[1:], whole.astype(np.float32), *sizes, shift.astype(np.float32))


def _affine(norm: Any) -> tuple[Array, Array]:
    """Give scale and shift of a BatchNorm in evaluation mode, ``[C]`` each, in float64."""
    mean, variance, weight, bias = (
        _array(one).astype(np.float64)
        for one in (norm.running_mean, norm.running_var, norm.weight, norm.bias)
    )
    scale = weight / np.sqrt(variance + norm.eps)
    return scale, bias - mean * scale


def _neuron(neuron: Neuron, module: Any, shape: Shape) -> nir.NIRNode:
    """Write a population: ``tau dv/dt = v_leak - v + r I``, in steps of DT as SpikingJelly's.

    That is ``v <- v + (I - v) / tau`` for tau in steps, or ``v <- v + I`` without a leak.
    """
    threshold = np.full(shape, module.v_threshold)
    zero, one = np.zeros(shape), np.ones(shape)
    if neuron.model == "if":
        return nir.IF(r=one / DT, v_threshold=threshold, v_reset=zero)
    learnt = neuron.model == "plif"
    tau = 1 / torch.sigmoid(module.w.double()).item() if learnt else module.tau
    return nir.LIF(
        tau=np.full(shape, tau * DT), r=one, v_leak=zero, v_threshold=threshold, v_reset=zero
    )


def _average(kernel: Shape) -> nir.NIRNode:
    sizes = np.array(kernel)
    return nir.AvgPool2d(kernel_size=sizes, stride=sizes, padding=np.zeros(2, int))


def _flatten(shape: Shape) -> nir.NIRNode:
    return nir.Flatten(input_type={"input": np.array(shape)}, start_dim=0, end_dim=-1)


def _array(tensor: Tensor) -> Array:
    array: Array = tensor.detach().numpy()
    return array
