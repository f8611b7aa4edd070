"""What this package offers to evo."""

from __future__ import annotations

from collections.abc import Iterable

from evo_core.components import Component, FitnessFunction
from evo_core.hookspecs import hookimpl


@hookimpl
def evo_components() -> Iterable[Component]:
    """Offer the fitness functions of running costs."""
    yield FitnessFunction(
        name="synops",
        summary="synaptic operations per sample, under initial weights; fewer is better",
        goal="min",
        needs=("network",),
        score="evo_energy.scores:synops",
    )
    yield FitnessFunction(
        name="energy",
        summary="energy per sample in pJ at 45 nm, under initial weights; less is better",
        goal="min",
        needs=("network",),
        score="evo_energy.scores:energy",
    )
