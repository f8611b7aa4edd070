"""What this package offers to evo."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from evo_core.components import Component, FitnessFunction, Need, option
from evo_core.hookspecs import hookimpl
from evo_core.recipe import ShortTraining


@dataclass(frozen=True, slots=True)
class CostOptions(ShortTraining):
    """Options of ``synops`` and ``energy``.

    Raises:
        ValueError: If a training is described that is not asked for.
    """

    at: Literal["init", "trained"] = option(
        "init", "count under initial weights, or after a short training as that of accuracy"
    )

    def __post_init__(self) -> None:
        training = ShortTraining(self.epochs, self.samples, self.lr)
        if self.at == "init" and training != ShortTraining():
            raise ValueError("epochs, samples and lr describe a training; add at=trained")


def needs(options: CostOptions) -> tuple[Need, ...]:
    """Tell what the counts are made on: the network as it was drawn, or trained."""
    return ("network",) if options.at == "init" else ("trained",)


@hookimpl
def evo_components() -> Iterable[Component]:
    """Offer the fitness functions of running costs."""
    yield FitnessFunction(
        name="synops",
        summary="synaptic operations per sample; fewer is better",
        options=CostOptions,
        goal="min",
        needs=needs,
        score="evo_energy.scores:synops",
    )
    yield FitnessFunction(
        name="energy",
        summary="energy per sample in pJ at 45 nm; less is better",
        options=CostOptions,
        goal="min",
        needs=needs,
        score="evo_energy.scores:energy",
    )
