"""How often the populations of a network fire, seen from outside while it runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from evo_core.primitives import Neuron
from evo_core.snn.activity import Activity
from evo_core.snn.network import SpikingNetwork


@contextmanager
def watching(network: SpikingNetwork) -> Iterator[Activity]:
    """Count the spikes of each population by its name, of neurons inside an edge by its path."""
    activity = Activity(network.architecture)
    hooks = [
        one.register_forward_hook(partial(_fired, activity, name))
        for name, one in populations(network).items()
    ]
    try:
        yield activity
    finally:
        for hook in hooks:
            hook.remove()


def populations(network: SpikingNetwork) -> dict[str, nn.Module]:
    """Give the neurons of a network: populations, then those inside an edge, ``path/position``."""
    architecture = network.architecture
    names = [name for table in architecture.populations.values() for name in table]
    found: dict[str, nn.Module] = dict(zip(names, network.populations.values(), strict=True))
    for path, edge in zip(architecture.paths, architecture.edges, strict=True):
        for position, operation in enumerate(edge.operations):
            if position and isinstance(operation, Neuron):
                found[f"{path}/{position}"] = network.edge(path).get_submodule(str(position))
    return found


def _fired(activity: Activity, name: str, node: nn.Module, given: Any, spikes: Tensor) -> None:
    flat = spikes.detach().flatten(2)
    activity.add(name, flat.sum(2, dtype=torch.float64), flat.shape[2])
