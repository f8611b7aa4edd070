"""The gene table of ``mse``: where each gene stands, and which genes say something.

Per cell: the motif, the number of inputs (``macro="per-cell"``), the neuron model (if there are
several), then one gene per edge slot: first the slots of the inputs, then the others. Last comes
the number of inputs shared by all cells (``macro="chain"``). A choice of one has no gene.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from evo_core.genome import Gene, Genome, Scale
from evo_mse.motifs import Circuit
from evo_mse.options import MseOptions


@dataclass(frozen=True, slots=True)
class CellGenes:
    """What a genome says of one cell, as indices into the choices."""

    motif: int
    inputs: int
    neuron: int
    operations: tuple[int, ...]


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
        for cell in self.cells:
            loci.append((f"{cell}.motif", "motif", motifs))
            if options.macro == "per-cell":
                loci.append((f"{cell}.inputs", "macro", inputs))
            loci.append((f"{cell}.neuron", "neuron", options.neurons))
            loci += [
                (f"{cell}.{slot}", "neuron", options.operations) for slot in self._slot_names()
            ]
        if options.macro == "chain":
            loci.append(("inputs", "macro", inputs))
        return loci

    @property
    def cells(self) -> list[str]:
        """The names of the cells in order."""
        return [f"cell{number}" for number in range(1, self.options.cells + 1)]

    def read(self, genome: Genome) -> list[CellGenes]:
        """Read a genome cell by cell; a choice without a gene is 0."""
        shared = self._value(genome, "inputs")
        return [
            CellGenes(
                motif=self._value(genome, f"{cell}.motif"),
                inputs=(
                    self._value(genome, f"{cell}.inputs")
                    if self.options.macro == "per-cell"
                    else shared
                ),
                neuron=self._value(genome, f"{cell}.neuron"),
                operations=tuple(
                    self._value(genome, f"{cell}.{slot}") for slot in self._slot_names()
                ),
            )
            for cell in self.cells
        ]

    def active(self, genome: Genome) -> tuple[bool, ...]:
        """Tell which genes matter: all but the edge slots that a cell's motif does not use."""
        unused: set[str] = set()
        names = self._slot_names()
        for cell, genes in zip(self.cells, self.read(genome), strict=True):
            links = self.circuits[genes.motif].at(self.options.inputs[genes.inputs])
            used = {link.slot for link in links}
            unused |= {f"{cell}.{name}" for slot, name in enumerate(names) if slot not in used}
        return tuple(gene.name not in unused for gene in self.genes)

    def _slot_names(self) -> list[str]:
        inputs = max(self.options.inputs)
        internal = range(1, self.slots - inputs + 1)
        return [f"in{i}" for i in range(inputs)] + [f"edge{i}" for i in internal]

    def _value(self, genome: Genome, name: str) -> int:
        position = self._position.get(name)
        return 0 if position is None else genome[position]
