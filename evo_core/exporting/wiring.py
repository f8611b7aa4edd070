"""What of an architecture reaches the logits, and in which classes a file puts it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby

from evo_core.architecture import INPUT, Architecture, Cell, Edge, Node, population
from evo_core.primitives import Neuron
from evo_core.snn.walk import entering

Entering = tuple[tuple[str, Edge], ...]


@dataclass(frozen=True, slots=True)
class Block:
    """Consecutive nodes that go into one class: those of a cell, or of none."""

    cell: Cell | None
    nodes: tuple[Node, ...]


class Wiring:
    """An architecture without what is never read.

    Values are named as evo names them: a state by its node, the spikes of a population by
    :func:`evo_core.architecture.population`.
    """

    def __init__(self, architecture: Architecture) -> None:
        self.architecture = architecture
        self.entering: dict[str, Entering] = {
            node.name: entering(architecture, node) for node in architecture.nodes
        }
        needed, waiting = set[str](), [architecture.output]
        while waiting:
            name = waiting.pop()
            if name not in needed and name != INPUT:
                needed.add(name)
                waiting += [edge.source for _, edge in self.entering[name]]
        self.nodes = tuple(node for node in architecture.nodes if node.name in needed)
        self.unread = tuple(node.name for node in architecture.nodes if node.name not in needed)

    def populations(self, name: str) -> dict[str, Neuron]:
        """Give the populations of a state that something reads."""
        wanted = {value for readers in self.readers.values() for value in readers}
        every = self.architecture.populations[name]
        return {key: neuron for key, neuron in every.items() if key in wanted}

    @cached_property
    def readers(self) -> dict[str, list[str]]:
        """The values that each node reads."""
        return {
            node.name: [self.read(edge) for _, edge in self.entering[node.name]]
            for node in self.nodes
        }

    def read(self, edge: Edge) -> str:
        """Name the value that an edge reads."""
        return population(edge.source, edge.neuron) if edge.neuron else edge.source

    def values(self, nodes: tuple[Node, ...]) -> list[str]:
        """Name all values of some nodes."""
        return [value for node in nodes for value in (node.name, *self.populations(node.name))]

    def given(self, nodes: tuple[Node, ...]) -> list[str]:
        """Name what nodes read of others, each once, in order."""
        own = set(self.values(nodes))
        read = [value for node in nodes for value in self.readers[node.name]]
        return [value for value in dict.fromkeys(read) if value not in own]

    def read_after(self, nodes: tuple[Node, ...]) -> list[str]:
        """Name what others read of nodes, or what is the output, in order."""
        names = {node.name for node in nodes}
        read = {
            value
            for reader, values in self.readers.items()
            if reader not in names
            for value in values
        } | {self.architecture.output}
        return [value for value in self.values(nodes) if value in read]

    def pieces(self, nodes: tuple[Node, ...]) -> Iterator[tuple[tuple[Node, ...], bool]]:
        """Cut nodes into those that run layer by layer, and those that run step by step (True)."""
        for segment in self.architecture.segments:
            inside = tuple(node for node in nodes if node in segment.nodes)
            if inside:
                yield inside, segment.recurrent

    @cached_property
    def blocks(self) -> tuple[Block, ...]:
        """The nodes by cell; all in one where a cell is torn, or a loop ties two together."""
        cells = {cell.name: cell for cell in self.architecture.cells}
        owner = {node.name: node.name.partition("/")[0] for node in self.nodes}
        found = [
            Block(cells.get(name), tuple(nodes))
            for name, nodes in groupby(
                self.nodes, key=lambda node: owner[node.name] if owner[node.name] in cells else ""
            )
        ]
        names = [block.cell.name for block in found if block.cell is not None]
        whole = len(set(names)) == len(names)
        for segment in self.architecture.segments:
            touched = [block for block in found if set(block.nodes) & set(segment.nodes)]
            whole = whole and not (segment.recurrent and len(touched) > 1)
        return tuple(found) if whole else (Block(None, self.nodes),)
