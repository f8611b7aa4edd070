"""The space ``mse-released``: gene table, decoding and description of published genomes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from evo_core.architecture import Architecture, Task
from evo_core.binding import Bound
from evo_core.components import NeuronModel
from evo_core.genome import Gene, Genome
from evo_core.primitives import Neuron
from evo_mse_released.genes import active, gene_table, read_cells
from evo_mse_released.network import build_network
from evo_mse_released.options import ReleasedOptions

Bind = Callable[[type[Any], str], Bound[Any]]


def build(options: ReleasedOptions, bind: Bind) -> ReleasedSpace:
    """Build the space.

    Raises:
        EvoError: If the neuron model does not exist.
    """
    bound = bind(NeuronModel, options.neuron)
    return ReleasedSpace(options, Neuron.of(bound.record.name, bound.options))


class ReleasedSpace:
    """The released encoding.

    Attributes:
        genes: The genes within the bounds of the search.
        readable_genes: What the decoder can read, which is more: genomes given by hand may use it.
    """

    def __init__(self, options: ReleasedOptions, neuron: Neuron) -> None:
        self._options = options
        self._neuron = neuron
        self.genes: tuple[Gene, ...] = gene_table(options.cells, options.bounds)
        self.readable_genes: tuple[Gene, ...] = gene_table(options.cells, "wide")

    def active(self, genome: Genome) -> tuple[bool, ...]:
        """Tell which genes say something."""
        return active(genome, self._options)

    def decode(self, genome: Genome, task: Task) -> Architecture:
        """Build the network that the released code builds.

        Raises:
            InvalidGenomeError: If the released code fails there; the message says at what.
        """
        cells = read_cells(genome, self._options)
        return build_network(cells, genome[-1], self._options, self._neuron, task)

    def describe(self, genome: Genome) -> list[dict[str, Any]]:
        """Describe each cell in the released vocabulary, reductions included.

        ``edges`` holds ``[operation, state]`` in the order of the template: the forward entries
        with the state they read, then the feedback (``..._back``) with the state it adds to.
        """
        return [
            {
                "name": cell.name,
                "motif": cell.motif,
                "template": cell.template,
                "reduction": cell.reduction,
                "edges": [
                    *([entry.name, entry.state] for entry in cell.forward),
                    *([f"{entry.name}_back", entry.state] for entry in cell.back),
                ],
                "concat": list(cell.concat),
            }
            for cell in read_cells(genome, self._options)
        ]
