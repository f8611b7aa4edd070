"""The phenotype as data: a frozen graph of spiking operations.

Nodes are states. An edge is an ordered tuple of primitive operations from one node to another (none
of them: identity). A node adds what its edges bring, or concatenates it along the channels. An
edge whose stage is ``"next-step"`` delivers at step t what its source gave at step t - 1, and zero
at t = 0. Feedback within one step is a node of its own (the state *after* feedback), so all other
edges run forward in the order of the nodes.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Literal

from evo_core.primitives import Clip, Count, Neuron, Primitive, Shape

INPUT = "input"
Join = Literal["add", "concat"]
Stage = Literal["forward", "same-step", "next-step"]


@dataclass(frozen=True, slots=True)
class Task:
    """What a network is for.

    Attributes:
        shape: One input frame, ``(C, H, W)``.
        classes: The number of classes.
        steps: The number of time steps T.
    """

    shape: tuple[Count, Count, Count]
    classes: Count
    steps: Count


@dataclass(frozen=True, slots=True)
class Node:
    """A state: ``name`` and how it joins its edges."""

    name: str
    join: Join = "add"


@dataclass(frozen=True, slots=True)
class Edge:
    """Operations from ``source`` to ``target``.

    ``stage`` is ``"forward"``, or tells feedback: ``"next-step"`` arrives one step later,
    ``"same-step"`` is a forward edge to a state after feedback, told apart for the reader.
    """

    source: str
    target: str
    operations: tuple[Primitive, ...] = ()
    stage: Stage = "forward"

    @property
    def neuron(self) -> Neuron | None:
        """The neuron model that opens the edge, if one does."""
        first = self.operations[0] if self.operations else None
        return first if isinstance(first, Neuron) else None

    @property
    def sign(self) -> int:
        """+1 for an excitatory, -1 for an inhibitory edge, 0 for one that carries both signs."""
        return next((op.sign for op in reversed(self.operations) if isinstance(op, Clip)), 0)

    def walk(self, shape: Shape) -> Iterator[tuple[Primitive, Shape]]:
        """Yield each operation with its input shape."""
        for operation in self.operations:
            yield operation, shape
            shape = operation.shape(shape)

    def shape(self, shape: Shape) -> Shape:
        """Give the shape of what the edge brings from a source of that shape."""
        return _shape_after(self.operations, shape)

    def __repr__(self) -> str:
        operations = ", ".join(map(_text, self.operations)) + "," * (len(self.operations) == 1)
        return (
            f"Edge(source={self.source!r}, target={self.target!r}, operations=({operations}), "
            f"stage={self.stage!r})"
        )


@lru_cache(maxsize=4096)  # a search has few chains of operations, and asks for them very often
def _shape_after(operations: tuple[Primitive, ...], shape: Shape) -> Shape:
    for operation in operations:
        shape = operation.shape(shape)
    return shape


_repr = lru_cache(maxsize=4096)(repr)


def _text(operation: Primitive) -> str:
    """Write an operation; neurons have settings, where 2 and 2.0 are equal but not the same."""
    return repr(operation) if isinstance(operation, Neuron) else _repr(operation)


@dataclass(frozen=True, slots=True)
class Cell:
    """A label for people: which nodes make up a cell, and of which motif it is.

    Attributes:
        name: The prefix of its nodes, e.g. ``"cell2"``.
        motif: The name of its motif.
        sources: The states its inputs read, oldest first.
        output: The node that holds its output.
        reduction: Whether it halves height and width.
    """

    name: str
    motif: str
    sources: tuple[str, ...]
    output: str
    reduction: bool = False


@dataclass(frozen=True, slots=True)
class Segment:
    """Consecutive nodes that run together: layer by layer, or step by step when ``recurrent``."""

    nodes: tuple[Node, ...]
    recurrent: bool


@dataclass(frozen=True)
class Architecture:
    """A network as data; equal graphs are equal and have equal hashes, whatever their labels.

    Attributes:
        task: The input shape, classes and time steps it was made for.
        nodes: In an order in which every non-delayed edge runs forward.
        edges: In a fixed order, part of the identity.
        output: The node whose value is the logits, ``[T, B, classes]``.
        cells: Labels; not part of the identity.

    Raises:
        ValueError: If names repeat or hold a dot, an edge runs backward, or shapes do not fit.
    """

    task: Task
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    output: str
    cells: tuple[Cell, ...] = field(default=(), compare=False)

    def __post_init__(self) -> None:
        order = {INPUT: -1} | {node.name: index for index, node in enumerate(self.nodes)}
        if len(order) != len(self.nodes) + 1:
            raise ValueError("node names repeat")
        if any("." in name for name in order):
            raise ValueError("node names can not hold a dot, as names of torch modules can not")
        for edge in self.edges:
            if edge.source not in order or edge.target not in order:
                raise ValueError(f"edge {edge.source} -> {edge.target} has an unknown end")
            if edge.stage == "next-step" and edge.source == INPUT:
                raise ValueError("feedback can not come from the input")
            if edge.stage != "next-step" and order[edge.source] >= order[edge.target]:
                raise ValueError(f"edge {edge.source} -> {edge.target} runs backward")
        if self.shapes.get(self.output) != (self.task.classes,):
            raise ValueError(f"the output {self.output!r} is not one logit per class")

    @cached_property
    def hash(self) -> str:
        """The identity of the network: 32 hexadecimal digits, the same on every machine."""
        edges = ", ".join(map(repr, self.edges)) + "," * (len(self.edges) == 1)
        text = f"({self.task!r}, {self.nodes!r}, ({edges}), {self.output!r})"
        return hashlib.sha256(text.encode()).hexdigest()[:32]

    @cached_property
    def paths(self) -> tuple[str, ...]:
        """A stable name for each edge; its parameters are drawn and stored under it.

        A path names the two ends only, never the number of cells or later cells.
        """
        seen: Counter[str] = Counter()
        return tuple(_path(edge, seen) for edge in self.edges)

    @cached_property
    def incoming(self) -> dict[str, tuple[tuple[str, Edge], ...]]:
        """The edges that enter each node, each with its path."""
        table: dict[str, list[tuple[str, Edge]]] = {node.name: [] for node in self.nodes}
        for path, edge in zip(self.paths, self.edges, strict=True):
            table[edge.target].append((path, edge))
        return {name: tuple(edges) for name, edges in table.items()}

    @cached_property
    def populations(self) -> dict[str, dict[str, Neuron]]:
        """The neuron populations of each state: one per neuron model that opens an edge from it.

        All edges that leave a state through the same neuron model share one population, and it
        votes once in every score.
        """
        table: dict[str, dict[str, Neuron]] = {INPUT: {}}
        table |= {node.name: {} for node in self.nodes}
        for edge in self.edges:
            if edge.neuron is not None:
                table[edge.source][population(edge.source, edge.neuron)] = edge.neuron
        return table

    @cached_property
    def fanout(self) -> Mapping[str, int]:
        """How many edges each population opens; a neuron inside an edge is not named here."""
        opening = ((edge.source, edge.neuron) for edge in self.edges)
        return Counter(population(source, neuron) for source, neuron in opening if neuron)

    @cached_property
    def shapes(self) -> dict[str, Shape]:
        """The shape of each state, without time and batch."""
        shapes: dict[str, Shape] = {INPUT: self.task.shape}
        joins = {node.name: node.join for node in self.nodes}
        for node in self.nodes:
            entering = (edge for _, edge in self.incoming[node.name])
            forward = [edge for edge in entering if edge.stage != "next-step"]
            given = [edge.shape(shapes[edge.source]) for edge in forward]
            shapes[node.name] = _joined(node, given)
        for edge in self.edges:
            if edge.stage == "next-step":
                if joins[edge.target] == "concat":
                    raise ValueError(f"feedback can not enter {edge.target}, which concatenates")
                brought = edge.shape(shapes[edge.source])
                if brought != shapes[edge.target]:
                    raise ValueError(f"feedback {edge.source} -> {edge.target} brings {brought}")
        return shapes

    @property
    def parameters(self) -> int:
        """The number of trainable scalars outside the neurons."""
        return sum(op.parameters() for edge in self.edges for op in edge.operations)

    @property
    def macs(self) -> int:
        """Multiply-accumulates per sample and time step."""
        return sum(
            op.macs(given)
            for edge in self.edges
            for op, given in edge.walk(self.shapes[edge.source])
        )

    @cached_property
    def segments(self) -> tuple[Segment, ...]:
        """The nodes in order, cut into those a next-step feedback ties together and the others."""
        return tuple(_segments(self))


def population(source: str, neuron: Neuron) -> str:
    """Name the population of a neuron model at a state."""
    settings = ",".join(f"{name}={value}" for name, value in neuron.settings)
    return f"{source}:{neuron.model}[{settings}]"


def _path(edge: Edge, seen: Counter[str]) -> str:
    arrow = "~>" if edge.stage == "next-step" else "->"
    name = f"{edge.source}{arrow}{edge.target}"
    seen[name] += 1
    return name if seen[name] == 1 else f"{name}#{seen[name]}"


def _joined(node: Node, shapes: list[Shape]) -> Shape:
    tails = {shape[1:] for shape in shapes} if node.join == "concat" else set(shapes)
    if len(tails) != 1:
        raise ValueError(f"node {node.name!r} can not join inputs of shapes {shapes}")
    if node.join == "concat":
        return (sum(shape[0] for shape in shapes), *shapes[0][1:])
    return shapes[0]


def _segments(architecture: Architecture) -> Iterator[Segment]:
    order = {node.name: index for index, node in enumerate(architecture.nodes)}
    loops = sorted(
        sorted((order[edge.source], order[edge.target]))
        for edge in architecture.edges
        if edge.stage == "next-step"
    )
    start = 0
    for first, last in _merged(loops):
        if start < first:
            yield Segment(architecture.nodes[start:first], recurrent=False)
        yield Segment(architecture.nodes[first : last + 1], recurrent=True)
        start = last + 1
    if start < len(architecture.nodes):
        yield Segment(architecture.nodes[start:], recurrent=False)


def _merged(loops: list[list[int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for first, last in loops:
        if merged and first <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], last))
        else:
            merged.append((first, last))
    return merged
