"""Drop path: leave out whole paths of a network at random while it is trained."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from evo_core.architecture import INPUT, Architecture, Edge
from evo_core.primitives import Clip, Neuron
from evo_core.snn.network import SpikingNetwork


class DropPath:
    """Leaves out edges of a network, for each sample anew and for all of its time steps together.

    An edge can be left out if it is no identity, reads no input, gives no logits, and other edges
    enter its target too, so that something always arrives. What is left is scaled up, which keeps
    its mean (Larsson et al. 2017).

    Args:
        network: The network; nothing is left out until :meth:`draw` is called.
    """

    def __init__(self, network: SpikingNetwork) -> None:
        self._masks: dict[str, Tensor] = {}
        self._paths = droppable(network.architecture)
        for path in self._paths:
            network.edge(path).register_forward_hook(partial(self._leave_out, path))

    def draw(self, batch: int, probability: float, generator: torch.Generator) -> None:
        """Choose what is left out of the next forward pass.

        Args:
            batch: The number of samples B.
            probability: That of leaving out one edge for one sample.
            generator: A generator on the CPU.
        """
        keep = 1 - probability
        self._masks = {
            path: (torch.rand(batch, generator=generator) < keep).float() / keep
            for path in self._paths
            if probability > 0
        }

    def rest(self) -> None:
        """Leave out nothing from now on."""
        self._masks = {}

    def _leave_out(self, path: str, module: nn.Module, given: Any, brought: Tensor) -> Tensor:
        mask = self._masks.get(path)
        if mask is None:
            return brought
        return brought * mask.to(brought).view(1, -1, *[1] * (brought.ndim - 2))


def droppable(architecture: Architecture) -> list[str]:
    """Name the paths of the edges that can be left out."""
    return [
        path
        for path, edge in zip(architecture.paths, architecture.edges, strict=True)
        if edge.source != INPUT
        and edge.target != architecture.output
        and len(architecture.incoming[edge.target]) > 1
        and not _identity(edge)
    ]


def _identity(edge: Edge) -> bool:
    return all(isinstance(operation, Neuron | Clip) for operation in edge.operations)
