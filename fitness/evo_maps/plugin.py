"""What this package offers to evo."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge

from evo_core.components import Component, FitnessFunction, option
from evo_core.hookspecs import hookimpl


@dataclass(frozen=True, slots=True)
class ZenOptions:
    """Options of ``zen``."""

    repeats: Annotated[int, Ge(1)] = option(4, "draws of weights and noise; published: 32")


@hookimpl
def evo_components() -> Iterable[Component]:
    """Offer the fitness functions of maps."""
    yield FitnessFunction(
        name="zen",
        summary="how much features answer to noise on noise, under Gaussian weights (Zen-score)",
        options=ZenOptions,
        goal="max",
        needs=("network",),
        score="evo_maps.zen:zen",
    )
    yield FitnessFunction(
        name="meco",
        summary="how independent channels are on one random input (MeCo)",
        goal="max",
        needs=("network",),
        score="evo_maps.meco:meco",
    )
