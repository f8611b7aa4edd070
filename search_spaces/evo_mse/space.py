"""The space ``mse``: from a genome to an Architecture.

A chain of cells stands between a stem and a head. Each cell brings its k inputs to its own number
of channels and map size (neuron, strided 1x1 convolution, BatchNorm), runs its motif on them, and
gives the concatenation of the motif's principal nodes. At reductions maps are halved and channels
doubled. An edge of a motif is neuron, convolution, BatchNorm, sign clip (MSE-NAS, arXiv
2304.10749; the motifs are repaired, see docs/motifs.md).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from evo_core.architecture import INPUT, Architecture, Cell, Edge, Node, Stage, Task
from evo_core.binding import Bound
from evo_core.components import Motif, NeuronModel
from evo_core.genome import Gene, Genome
from evo_core.primitives import (
    BatchNorm,
    Clip,
    Conv,
    Crop,
    GlobalAveragePool,
    Linear,
    Neuron,
    Primitive,
    Sign,
)
from evo_mse.genes import CellGenes, GeneTable, reduction_places
from evo_mse.motifs import Circuit, Link, read_motif
from evo_mse.operations import OPERATIONS
from evo_mse.options import MseOptions

Bind = Callable[[type[Any], str], Bound[Any]]


def build(options: MseOptions, bind: Bind) -> MseSpace:
    """Build the space; every motif is read and every neuron model bound once, here.

    Raises:
        EvoError: If a motif or neuron model does not exist or does not fit.
    """
    chosen = [
        _template(name, options) or bind(Motif, name).record
        for name in dict.fromkeys((*options.motifs, *options.templates))
    ]
    circuits = [read_motif(motif, options.inputs) for motif in chosen]
    bound = [bind(NeuronModel, text) for text in options.neurons]
    neurons = tuple(Neuron.of(one.record.name, one.options) for one in bound)
    return MseSpace(GeneTable(options, circuits), neurons)


class MseSpace:
    """The gene table and its decoding."""

    def __init__(self, table: GeneTable, neurons: tuple[Neuron, ...]) -> None:
        self._table = table
        self._neurons = neurons

    @property
    def genes(self) -> tuple[Gene, ...]:
        """The gene table."""
        return self._table.genes

    def active(self, genome: Genome) -> tuple[bool, ...]:
        """Tell which genes say something."""
        return self._table.active(genome)

    def decode(self, genome: Genome, task: Task) -> Architecture:
        """Build the network of a genome for a task."""
        return _Builder(self._table, self._neurons, task).network(genome)


@dataclass(frozen=True, slots=True)
class _State:
    """A state that cells may read: its node, channels, and how often it has been halved."""

    node: str
    channels: int
    level: int


class _Builder:
    """Collects the nodes and edges of one network."""

    def __init__(self, table: GeneTable, neurons: tuple[Neuron, ...], task: Task) -> None:
        self._table = table
        self._options = table.options
        self._neurons = neurons
        self._task = task
        self._nodes: list[Node] = []
        self._edges: list[Edge] = []
        self._cells: list[Cell] = []

    def network(self, genome: Genome) -> Architecture:
        channels = 3 * self._options.channels
        stem = (Conv(self._task.shape[0], channels, 3), BatchNorm(channels))
        self._add(Node("stem"), Edge(INPUT, "stem", stem))
        states = [_State("stem", channels, 0)]
        halved = reduction_cells(self._options, self._task)
        for index, genes in enumerate(self._table.read(genome)):
            level = sum(position <= index for position in halved)
            if genes is None:
                states.append(self._plain_reduction(index, states[-1], level))
            else:
                states.append(self._cell(index, genes, states, level))
        last = states[-1]
        head: tuple[Primitive, ...] = (
            self._neurons[0],
            GlobalAveragePool(),
            Linear(last.channels, self._task.classes),
        )
        self._add(Node("logits"), Edge(last.node, "logits", head))
        return Architecture(
            self._task, tuple(self._nodes), tuple(self._edges), "logits", tuple(self._cells)
        )

    def _cell(self, index: int, genes: CellGenes, states: list[_State], level: int) -> _State:
        name = self._table.cells[index]
        circuit = self._table.circuits[genes.motif]
        channels = self._options.channels * 2**level
        neuron = self._neurons[genes.neuron]
        sources = [states[number] for number in genes.sources]
        for number, source in enumerate(sources):
            self._input(f"{name}/x{number}", source, channels, level, neuron)
        operations = _Operations(self._options, genes, neuron, channels, self._size(level))
        final = self._motif(name, circuit, circuit.at(len(sources)), operations)
        output = f"{name}/out"
        self._add(Node(output, "concat"), *(Edge(final[node], output) for node in circuit.output))
        reduced = level > states[-1].level
        read = tuple(source.node for source in sources)
        self._cells.append(Cell(name, circuit.name, read, output, reduced))
        return _State(output, channels * len(circuit.output), level)

    def _plain_reduction(self, index: int, source: _State, level: int) -> _State:
        """Halve the maps without a motif, as published.

        Two 3x3 convolutions of stride 2, the second on the input shifted by one pixel (maps of an
        odd size are not shifted), share one population; their concatenation is normalised.
        """
        name = self._table.cells[index]
        channels = self._options.channels * 2**level
        even = all(size % 2 == 0 for size in self._size(source.level))
        shift: tuple[Primitive, ...] = (Crop(1),) if even else ()
        halves = (f"{name}/c1", f"{name}/c2")
        for half, before in zip(halves, ((), shift), strict=True):
            conv = Conv(source.channels, channels, 3, stride=2)
            self._add(Node(half), Edge(source.node, half, (self._neurons[0], *before, conv)))
        self._add(Node(f"{name}/c", "concat"), *(Edge(half, f"{name}/c") for half in halves))
        output = f"{name}/out"
        self._add(Node(output), Edge(f"{name}/c", output, (BatchNorm(2 * channels),)))
        self._cells.append(Cell(name, "reduction", (source.node,), output, reduction=True))
        return _State(output, 2 * channels, level)

    def _input(self, node: str, source: _State, channels: int, level: int, neuron: Neuron) -> None:
        stride = 2 ** (level - source.level)
        conv = Conv(source.channels, channels, 1, stride)
        self._add(Node(node), Edge(source.node, node, (neuron, conv, BatchNorm(channels))))

    def _motif(
        self, cell: str, circuit: Circuit, links: tuple[Link, ...], operations: _Operations
    ) -> dict[str, str]:
        """Add the nodes of a motif; give the node that finally stands for each name."""
        same_step = self._options.feedback == "same-step"
        feedback = [link for link in links if link.feedback]
        moment = max((circuit.nodes.index(link.source) for link in feedback), default=-1)
        final = {link.source: f"{cell}/{link.source}" for link in links}
        for index, node in enumerate(circuit.nodes):
            final[node] = f"{cell}/{node}"
            entering = [link for link in links if link.target == node and not link.feedback]
            if not same_step:
                entering += [link for link in feedback if link.target == node]
            edges = [_edge(link, final, final[node], operations) for link in entering]
            self._add(Node(final[node]), *edges)
            if same_step and index == moment:
                final |= self._fed_back(cell, feedback, dict(final), operations)
        return final

    def _fed_back(
        self, cell: str, feedback: list[Link], before: dict[str, str], operations: _Operations
    ) -> dict[str, str]:
        """Add the states after same-step feedback: all sources are read as they were before."""
        after: dict[str, str] = {}
        for target in dict.fromkeys(link.target for link in feedback):
            after[target] = f"{cell}/{target}_after"
            links = [link for link in feedback if link.target == target]
            self._add(
                Node(after[target]),
                Edge(before[target], after[target]),
                *(_edge(link, before, after[target], operations, "same-step") for link in links),
            )
        return after

    def _size(self, level: int) -> tuple[int, int]:
        height, width = (-(-size // 2**level) for size in self._task.shape[1:])
        return height, width

    def _add(self, node: Node, *edges: Edge) -> None:
        self._nodes.append(node)
        self._edges.extend(edges)


@dataclass(frozen=True, slots=True)
class _Operations:
    """The operations of the edges of one cell."""

    options: MseOptions
    genes: CellGenes
    neuron: Neuron
    channels: int
    size: tuple[int, int]

    def of(self, slot: int, sign: Sign) -> tuple[Primitive, ...]:
        name = self.options.operations[self.genes.operations[slot]]
        kept = sign if self.options.sign_clip else None
        return _operation(name, self.neuron, self.channels, self.size, kept)


@lru_cache(maxsize=4096)  # a space has few of them, and each genome asks for dozens
def _operation(
    name: str, neuron: Neuron, channels: int, size: tuple[int, int], sign: Sign | None
) -> tuple[Primitive, ...]:
    clip = (Clip(sign),) if sign is not None else ()
    return (neuron, *OPERATIONS[name](channels, size), BatchNorm(channels), *clip)


def reduction_cells(options: MseOptions, task: Task) -> list[int]:
    """Give the indices of the cells that halve their maps: as often as asked, or as maps allow."""
    count, size = 0, min(task.shape[1:])
    while -(-size // 2) >= 4:
        count, size = count + 1, -(-size // 2)
    if options.reductions is not None:
        count = options.reductions
    count = min(count, options.cells - 1)
    return reduction_places(options.cells, count)


def _edge(
    link: Link,
    states: dict[str, str],
    target: str,
    operations: _Operations,
    stage: Stage | None = None,
) -> Edge:
    stage = stage or ("next-step" if link.feedback else "forward")
    if link.sign is None or link.slot is None:
        return Edge(states[link.source], target, (), stage)
    return Edge(states[link.source], target, operations.of(link.slot, link.sign), stage)


def _template(name: str, options: MseOptions) -> Motif | None:
    template = options.templates.get(name)
    if template is None:
        return None
    return Motif(
        name=name,
        summary="from the configuration",
        nodes=template.nodes,
        output=template.output,
        feedback=template.feedback,
    )
