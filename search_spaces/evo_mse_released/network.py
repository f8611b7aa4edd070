"""The network that the released code builds of its decoded cells (MSE-NAS, cellmodel.py).

A cell brings its k inputs to its channels (neuron, 1x1 convolution, BatchNorm; across reductions a
``FactorizedReduce``) and runs its motif. A reduction is a ``FactorizedReduce`` of the previous cell
and nothing else. Feedback acts within the time step, node by node: a state that it reaches has two
versions, ``n2`` and ``n2_after``; whatever is computed later reads the second.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from evo_core.architecture import INPUT, Architecture, Cell, Edge, Node, Task
from evo_core.errors import InvalidGenomeError
from evo_core.primitives import (
    BatchNorm,
    Clip,
    Conv,
    Crop,
    GlobalAveragePool,
    Linear,
    Neuron,
    Primitive,
    Zero,
)
from evo_mse_released.genes import ReleasedCell
from evo_mse_released.options import ReleasedOptions
from evo_mse_released.templates import Entry

STEM = 3  # channels of the stem, and of a reduction, in units of a state's channels


def build_network(
    cells: Sequence[ReleasedCell], k: int, options: ReleasedOptions, neuron: Neuron, task: Task
) -> Architecture:
    """Build the network of decoded cells.

    Raises:
        InvalidGenomeError: If the released code fails on it.
    """
    _check_size(options, task)
    return _Builder(k, options, neuron, task).network(cells)


def _check_size(options: ReleasedOptions, task: Task) -> None:
    times = len(options.reduction_cells)
    if any(size % 2**times for size in task.shape[1:]):
        size = "x".join(map(str, task.shape[1:]))
        raise InvalidGenomeError(
            f"{times} reductions do not fit {size}: a released reduction fails on an odd size"
        )


@dataclass(frozen=True, slots=True)
class _State:
    """A state that cells may read: its node, channels, and how often it has been halved."""

    node: str
    channels: int
    level: int


class _Builder:
    """Collects nodes and edges in order; a node is added with the edges that enter it."""

    def __init__(self, k: int, options: ReleasedOptions, neuron: Neuron, task: Task) -> None:
        self._k = k
        self._options = options
        self._neuron = neuron
        self._task = task
        self._nodes: list[Node] = []
        self._edges: list[Edge] = []
        self._cells: list[Cell] = []

    def network(self, cells: Sequence[ReleasedCell]) -> Architecture:
        """Build the network: stem, cells, head."""
        states = [self._stem()]
        for cell in cells:
            build = self._reduction if cell.reduction else self._motif_cell
            states.append(build(cell, states))
        last = states[-1]
        head = (self._neuron, GlobalAveragePool(), Linear(last.channels, self._task.classes))
        self._add(Node("logits"), Edge(last.node, "logits", head))
        return Architecture(
            self._task, tuple(self._nodes), tuple(self._edges), "logits", tuple(self._cells)
        )

    def _stem(self) -> _State:
        """Add the stem: one convolution for events and colour, two for grey images."""
        given, channels = self._task.shape[0], STEM * self._options.channels
        if given not in (1, 2, 3):
            raise InvalidGenomeError(f"the released stems take 1 to 3 input channels, not {given}")
        widths = [1, 3, channels] if given == 1 else [given, channels]
        convs = [Conv(a, b, 3) for a, b in pairwise(widths)]
        self._add(Node("stem"), Edge(INPUT, "stem", (*convs, BatchNorm(channels))))
        return _State("stem", channels, 0)

    def _reduction(self, cell: ReleasedCell, states: list[_State]) -> _State:
        previous = states[-1]
        level = previous.level + 1
        channels = STEM * self._options.channels * 2**level
        output = f"{cell.name}/out"
        pair = self._pair(f"{cell.name}/pair", previous, channels)
        self._add(Node(output), Edge(pair, output, (BatchNorm(channels),)))
        self._cells.append(Cell(cell.name, "reduce", (previous.node,), output, reduction=True))
        return _State(output, channels, level)

    def _motif_cell(self, cell: ReleasedCell, states: list[_State]) -> _State:
        level = states[-1].level
        channels = self._options.channels * 2**level
        sources = [states[max(0, len(states) - distance)] for distance in range(self._k, 0, -1)]
        inputs = [f"{cell.name}/x{number}" for number in range(self._k)]
        for node, source in zip(inputs, sources, strict=True):
            self._input(node, source, channels, level)
        final = self._motif(cell, inputs, channels)
        output = f"{cell.name}/out"
        self._add(Node(output, "concat"), *(Edge(final[i], output) for i in cell.concat))
        read = tuple(source.node for source in sources)
        self._cells.append(Cell(cell.name, cell.motif, read, output))
        return _State(output, channels * len(cell.concat), level)

    def _input(self, node: str, source: _State, channels: int, level: int) -> None:
        """Bring a source to the size and channels of a cell."""
        crossed, norm = level - source.level, BatchNorm(channels)
        operations: tuple[Primitive, ...] = (norm,)
        if crossed > 2:
            raise InvalidGenomeError(
                f"{node} reads {source.node} across {crossed} reductions: "
                "the released code has no F1"
            )
        if crossed == 0:
            conv = Conv(source.channels, channels, 1)
            self._add(Node(node), Edge(source.node, node, (self._neuron, conv, norm)))
            return
        if crossed == 2:  # F0: one more convolution, without BatchNorm
            operations = (norm, Conv(channels, channels, 3, 2))
        pair = self._pair(f"{node}/pair", source, channels)
        self._add(Node(node), Edge(pair, node, operations))

    def _pair(self, node: str, source: _State, channels: int) -> str:
        """Add what ``FactorizedReduce`` concatenates: the second half sees one pixel less."""
        conv = Conv(source.channels, channels // 2, 3, 2)
        self._add(
            Node(node, "concat"),
            Edge(source.node, node, (self._neuron, conv)),
            Edge(source.node, node, (self._neuron, Crop(1), conv)),
        )
        return node

    def _motif(self, cell: ReleasedCell, inputs: list[str], channels: int) -> list[str]:
        """Add the nodes of a motif; give the node that finally stands for each state."""
        states, k = list(inputs), self._k
        for number in range(len(cell.forward) // k):
            node = f"{cell.name}/n{k + number}"
            entries = cell.forward[k * number : k * (number + 1)]
            brought = [entry for entry in entries if not entry.zero] or entries
            self._add(
                Node(node),
                *(
                    Edge(states[one.state], node, self._operations(one, channels))
                    for one in brought
                ),
            )
            if number > 0 and cell.back and not (back := cell.back[number - 1]).zero:
                before, after = states[back.state], f"{cell.name}/n{back.state}_after"
                operations = self._operations(back, channels)
                loop = Edge(node, after, operations, "same-step")
                self._add(Node(after), Edge(before, after), loop)
                states[back.state] = after
            states.append(node)
        return states

    def _operations(self, entry: Entry, channels: int) -> tuple[Primitive, ...]:
        if entry.sign is None:
            return (Zero(),) if entry.zero else ()
        conv = Conv(channels, channels, entry.kernel)
        return (self._neuron, conv, BatchNorm(channels), Clip(entry.sign))

    def _add(self, node: Node, *edges: Edge) -> None:
        self._nodes.append(node)
        self._edges.extend(edges)
