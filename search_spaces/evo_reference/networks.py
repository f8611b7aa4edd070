"""The reference networks: plain chains of convolutions and fully connected layers.

A convolution (3x3, padded, without bias) is followed by BatchNorm and PLIF neurons of threshold 1,
a fully connected layer (with bias) by LIF neurons of threshold 0.5; max-pooling, or average pooling
on request, halves the maps of spikes. There are two fully connected layers, the second with one
neuron for each class: its spikes are the logits, and their mean over time is the answer.

``6conv2fc`` is the CIFAR-10 network of SD-SNN (arXiv 2211.12219) in shape and neurons, as its code
was released in BrainCog (examples/Structural_Development/SD-SNN/snn_model.py). Three things differ:
a neuron fires at v >= threshold, in the release the LIF neurons fire at v > threshold; in training
BatchNorm sees all time steps together, in the release each by itself; frames larger than 32 pixels
are taken as they are, in the release they are resized to 64.

Of ``2fc`` and ``2conv2fc`` only the names are published. Their shapes here are common ones for
MNIST, 784-800-10, and two convolutions of 32 and 64 channels with 128 hidden neurons; they do not
claim to be the published ones.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from evo_core.architecture import INPUT, Architecture, Edge, Node, Task
from evo_core.primitives import BatchNorm, Conv, Flatten, Linear, Neuron, Pool, Primitive, Shape


@dataclass(frozen=True, slots=True)
class Layout:
    """The shape of a reference network.

    Attributes:
        convs: The channels of each convolution.
        pooled: The convolutions, counted from 1, whose spikes are pooled over 2x2 pixels.
        hidden: The neurons of the first fully connected layer.
    """

    convs: tuple[int, ...]
    pooled: tuple[int, ...]
    hidden: int

    def resized(self, channels: int | None, hidden: int | None) -> Layout:
        """Set the channels of the first convolution, the others in proportion, and ``hidden``."""
        convs = self.convs
        if channels is not None:
            convs = tuple(channels * width // convs[0] for width in convs)
        return Layout(convs, self.pooled, hidden or self.hidden)


NETWORKS: dict[str, Layout] = {
    "2fc": Layout((), (), 800),
    "2conv2fc": Layout((32, 64), (1, 2), 128),
    "6conv2fc": Layout((128, 128, 256, 256, 512, 512), (2, 4), 512),
}


def build_network(
    layout: Layout,
    conv: Neuron,
    fc: Neuron,
    task: Task,
    *,
    pool: Literal["max", "average"],
    spiking_output: bool,
) -> Architecture:
    """Build a reference network for a task: its input channels, size and classes.

    Args:
        layout: The shape.
        conv: The neurons behind convolutions.
        fc: The neurons behind fully connected layers.
        task: What it is for.
        pool: How spikes are pooled.
        spiking_output: Whether the logits are spikes, or the currents that would drive them.
    """
    chain = _Chain(task)
    given: tuple[Primitive, ...] = ()  # what the layer before leaves to the edge to this one
    for number, width in enumerate(layout.convs, 1):
        chain.add(f"conv{number}", *given, Conv(chain.shape[0], width, 3), BatchNorm(width))
        given = (conv, Pool(pool, 2, 2)) if number in layout.pooled else (conv,)
    inputs = math.prod(chain.after(given))
    chain.add("fc1", *given, Flatten(), Linear(inputs, layout.hidden))
    last = "fc2" if spiking_output else "logits"
    chain.add(last, fc, Linear(layout.hidden, task.classes))
    if spiking_output:
        chain.add("logits", fc)
    return Architecture(task, tuple(chain.nodes), tuple(chain.edges), "logits")


class _Chain:
    """Nodes in a row, each reading the one before; ``shape`` is that of the last."""

    def __init__(self, task: Task) -> None:
        self.nodes: list[Node] = []
        self.edges: list[Edge] = []
        self.shape: Shape = task.shape

    def add(self, name: str, *operations: Primitive) -> None:
        source = self.nodes[-1].name if self.nodes else INPUT
        self.shape = self.after(operations)
        self.nodes.append(Node(name))
        self.edges.append(Edge(source, name, operations))

    def after(self, operations: tuple[Primitive, ...]) -> Shape:
        """Give the shape that operations make of that of the last node."""
        shape = self.shape
        for operation in operations:
            shape = operation.shape(shape)
        return shape
