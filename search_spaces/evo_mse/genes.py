"""The gene table of ``mse``: where each gene stands, and which genes say something.

Per cell: the motif, the number of inputs (``macro`` per-cell and free), the sources (free), the
neuron model (if there are several), then one gene per edge slot: first the slots of the inputs,
then the others. Last comes the number of inputs shared by all cells (``macro`` chain). A choice of
one has no gene.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from evo_core.genome import Gene, Genome, Scale
from evo_mse.motifs import Circuit
from evo_mse.options import MseOptions


@dataclass(frozen=True, slots=True)
class CellGenes:
    """What a genome says of one cell.

    Attributes:
        motif: An index into the motifs.
        sources: The states it reads, oldest first: 0 is the stem, i the i-th cell.
        neuron: An index into the neuron models.
        operations: For each edge slot an index into the operations.
    """

    motif: int
    sources: tuple[int, ...]
    neuron: int
    operations: tuple[int, ...]


def reduction_places(cells: int, count: int) -> list[int]:
    """Give the indices of the cells that halve their maps, at even distances.

    With R reductions in L cells these are ``r L // (R + 1)`` for r = 1..R, the published places.
    """
    return [r * cells // (count + 1) for r in range(1, count + 1)]


class GeneTable:
    """The genes of ``mse`` and how to read them."""

    def __init__(self, options: MseOptions, circuits: Sequence[Circuit]) -> None:
        self.options = options
        self.circuits = tuple(circuits)
        self.slots = max(circuit.slots for circuit in circuits)
        self.genes: tuple[Gene, ...] = tuple(
            Gene(name, scale, choices) for name, scale, choices in self._loci() if len(choices) > 1
        )
        self._position = {gene.name: index for index, gene in enumerate(self.genes)}

    def _loci(self) -> list[tuple[str, Scale, tuple[str, ...]]]:
        options = self.options
        motifs = tuple(circuit.name for circuit in self.circuits)
        inputs = tuple(map(str, options.inputs))
        loci: list[tuple[str, Scale, tuple[str, ...]]] = []
        for number, cell in enumerate(self.cells, 1):
            if number - 1 in self.plain:
                continue
            loci.append((f"{cell}.motif", "motif", motifs))
            if options.macro != "chain":
                loci.append((f"{cell}.inputs", "macro", inputs))
            if options.macro == "free":
                earlier = ("stem", *self.cells)[: number - 1]
                loci += [(name, "macro", earlier) for name in self._source_names(number)]
            loci.append((f"{cell}.neuron", "neuron", options.neurons))
            loci += [
                (f"{cell}.{slot}", "neuron", options.operations) for slot in self._slot_names()
            ]
        if options.macro == "chain":
            loci.append(("inputs", "macro", inputs))
        return loci

    @property
    def plain(self) -> list[int]:
        """The indices of the cells that are plain reductions, which have no genes."""
        if not self.options.plain_reductions:
            return []
        return reduction_places(self.options.cells, self.options.reductions or 0)

    @property
    def cells(self) -> list[str]:
        """The names of the cells in order."""
        return [f"cell{number}" for number in range(1, self.options.cells + 1)]

    def read(self, genome: Genome) -> list[CellGenes | None]:
        """Read a genome cell by cell, None for plain reductions; a choice without a gene is 0."""
        return [
            None if number - 1 in self.plain else self._cell(genome, number)
            for number in range(1, self.options.cells + 1)
        ]

    def _cell(self, genome: Genome, number: int) -> CellGenes:
        cell = self.cells[number - 1]
        return CellGenes(
            motif=self._value(genome, f"{cell}.motif"),
            sources=self._sources(genome, number),
            neuron=self._value(genome, f"{cell}.neuron"),
            operations=tuple(self._value(genome, f"{cell}.{slot}") for slot in self._slot_names()),
        )

    def active(self, genome: Genome) -> tuple[bool, ...]:
        """Tell which genes matter.

        All do but the edge slots that a cell's motif does not use, and the sources beyond its
        number of inputs or where there is nothing to choose.
        """
        unused: set[str] = set()
        slots = self._slot_names()
        for number, genes in enumerate(self.read(genome), 1):
            if genes is None:
                continue
            cell, k = self.cells[number - 1], len(genes.sources)
            used = {link.slot for link in self.circuits[genes.motif].at(k)}
            unused |= {f"{cell}.{name}" for slot, name in enumerate(slots) if slot not in used}
            chosen = k - 1 if k - 1 < number - 1 else 0
            unused |= set(self._source_names(number)[chosen:])
        return tuple(gene.name not in unused for gene in self.genes)

    def _sources(self, genome: Genome, number: int) -> tuple[int, ...]:
        """Give the states that the cell with that number reads, 0 for the stem.

        The last one is the state just before it, so that no cell is without a reader. With
        ``macro`` free the others are distinct; a choice that is taken moves on to the next free
        one. Where there are fewer states than inputs, the stem is repeated.
        """
        owner = "inputs" if self.options.macro == "chain" else f"{self.cells[number - 1]}.inputs"
        k = self.options.inputs[self._value(genome, owner)]
        if self.options.macro != "free":
            return tuple(max(0, number - distance) for distance in range(k, 0, -1))
        picked: list[int] = []
        for name in self._source_names(number)[: k - 1]:
            state = self._value(genome, name)
            while state in picked:
                state = (state + 1) % (number - 1)
            picked.append(state)
        return (*[0] * (k - 1 - len(picked)), *sorted(picked), number - 1)

    def _source_names(self, number: int) -> list[str]:
        count = min(max(self.options.inputs) - 1, number - 1)
        if self.options.macro != "free":
            count = 0
        return [f"{self.cells[number - 1]}.source{i}" for i in range(1, count + 1)]

    def _slot_names(self) -> list[str]:
        inputs = max(self.options.inputs)
        internal = range(1, self.slots - inputs + 1)
        return [f"in{i}" for i in range(inputs)] + [f"edge{i}" for i in internal]

    def _value(self, genome: Genome, name: str) -> int:
        position = self._position.get(name)
        return 0 if position is None else genome[position]
