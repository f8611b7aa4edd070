"""The space ``reference``: one gene, which names the network."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from evo_core.architecture import Architecture, Task
from evo_core.binding import Bound
from evo_core.components import NeuronModel
from evo_core.genome import Gene, Genome
from evo_core.primitives import Neuron
from evo_reference.networks import NETWORKS, build_network
from evo_reference.plugin import ReferenceOptions

Bind = Callable[[type[Any], str], Bound[Any]]


def build(options: ReferenceOptions, bind: Bind) -> ReferenceSpace:
    """Build the space.

    Raises:
        EvoError: If a neuron model does not exist.
    """
    bound = [bind(NeuronModel, text) for text in (options.conv_neuron, options.fc_neuron)]
    conv, fc = (Neuron.of(one.record.name, one.options) for one in bound)
    return ReferenceSpace(options, conv, fc)


class ReferenceSpace:
    """The reference networks; a genome is the place of one of them.

    Attributes:
        genes: The only gene, ``network``.
    """

    def __init__(self, options: ReferenceOptions, conv: Neuron, fc: Neuron) -> None:
        self._options = options
        self._conv = conv
        self._fc = fc
        self.genes: tuple[Gene, ...] = (Gene("network", "macro", tuple(NETWORKS)),)

    def active(self, genome: Genome) -> tuple[bool, ...]:
        """Tell that the gene says something."""
        return (True,)

    def decode(self, genome: Genome, task: Task) -> Architecture:
        """Build the network for a task."""
        options = self._options
        layout = NETWORKS[self.genes[0].choice(genome[0])]
        return build_network(
            layout.resized(options.channels, options.hidden),
            self._conv,
            self._fc,
            task,
            pool=options.pool,
            spiking_output=options.spiking_output,
        )
