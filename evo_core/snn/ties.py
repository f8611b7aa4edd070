"""Which channels of a network stand and fall together, wherever they appear in it.

A channel is tied to those that it becomes without being weighted: a neuron, BatchNorm, a clip or a
pool makes one of each; Flatten makes a column of each pixel; a sum ties what it adds, channel by
channel, a concatenation each part to its place. A convolution of several groups ties the channels
of a group, those it reads to those it makes. Only other convolutions and linear layers set
channels free of each other.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from torch import Tensor

from evo_core.architecture import Architecture, Edge
from evo_core.primitives import Conv, Flatten, Linear, Primitive, Shape


@dataclass(frozen=True, slots=True)
class Ties:
    """Numbers for channels; those that are tied have the same one.

    Attributes:
        count: How many numbers there are.
        states: The numbers of the channels of each state, ``[C]``, by the name of the node.
        edges: The same at each place of an edge, by its path: of its source, then behind each
            operation.
    """

    count: int
    states: dict[str, Tensor]
    edges: dict[str, tuple[Tensor, ...]]


def ties(graph: Architecture) -> Ties:
    """Number the channels of a graph."""
    drawn = _Numbers()
    states = {name: drawn.new(shape[0]) for name, shape in graph.shapes.items()}
    edges = {
        path: tuple(_along(edge, graph.shapes[edge.source], states[edge.source], drawn))
        for path, edge in zip(graph.paths, graph.edges, strict=True)
    }
    for node in graph.nodes:
        entering = graph.incoming[node.name]
        ends = [edges[path][-1] for path, _ in entering]
        for end in [torch.cat(ends)] if node.join == "concat" else ends:
            drawn.tie(states[node.name], end)
    count, label = drawn.tied()
    return Ties(
        count,
        {name: label[one] for name, one in states.items()},
        {path: tuple(label[one] for one in places) for path, places in edges.items()},
    )


def mixes(operation: Primitive) -> bool:
    """Tell whether each channel that an operation makes may be read from any that it is given."""
    return isinstance(operation, Linear) or (isinstance(operation, Conv) and operation.groups == 1)


class _Numbers:
    """Draws numbers, and remembers which are the same."""

    def __init__(self) -> None:
        self._count = 0
        self._pairs: list[tuple[Tensor, Tensor]] = []

    def new(self, count: int) -> Tensor:
        self._count += count
        return torch.arange(self._count - count, self._count)

    def tie(self, one: Tensor, other: Tensor) -> None:
        self._pairs.append((one, other))

    def tied(self) -> tuple[int, Tensor]:
        """Give how many different numbers there are, and which one each is."""
        pairs = [torch.cat(column).numpy() for column in zip(*self._pairs, strict=True)]
        links = coo_array((np.ones(len(pairs[0])), tuple(pairs)), shape=(self._count,) * 2)
        count, label = connected_components(links, directed=False)
        return int(count), torch.from_numpy(label.astype(np.int64))


def _along(edge: Edge, shape: Shape, numbers: Tensor, drawn: _Numbers) -> Iterator[Tensor]:
    yield numbers
    for operation, given in edge.walk(shape):
        made = operation.shape(given)
        if mixes(operation):
            numbers = drawn.new(made[0])
        elif isinstance(operation, Conv):
            first = drawn.new(operation.groups)
            drawn.tie(numbers, first.repeat_interleave(given[0] // operation.groups))
            numbers = first.repeat_interleave(made[0] // operation.groups)
        elif isinstance(operation, Flatten):
            numbers = numbers.repeat_interleave(made[0] // given[0])
        yield numbers
