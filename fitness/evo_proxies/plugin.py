"""What this package offers to evo."""

from __future__ import annotations

from collections.abc import Iterable

from evo_core.components import Component, FitnessFunction
from evo_core.hookspecs import hookimpl


@hookimpl
def evo_components() -> Iterable[Component]:
    """Offer the fitness functions that read the graph alone."""
    yield FitnessFunction(
        name="params",
        summary="trainable weights, biases and BatchNorm scales; fewer is better",
        goal="min",
        needs=("graph",),
        score="evo_proxies.counts:params",
    )
    yield FitnessFunction(
        name="macs",
        summary="multiply-accumulates per sample and time step; fewer is better",
        goal="min",
        needs=("graph",),
        score="evo_proxies.counts:macs",
    )
    yield FitnessFunction(
        name="nir-exportable",
        summary="1 if the network can be written as NIR, else 0; a constraint",
        goal="max",
        needs=("graph",),
        score="evo_proxies.counts:nir_exportable",
    )
