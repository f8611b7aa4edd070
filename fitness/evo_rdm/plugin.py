"""What this package offers to evo: the fitness ``rdm``."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from evo_core.components import Component, FitnessFunction, option
from evo_core.hookspecs import hookimpl


@dataclass(frozen=True, slots=True)
class RdmOptions:
    """Options of ``rdm``."""

    metric: Literal["hamming"] = option("hamming", "how two spike patterns are compared")


@hookimpl
def evo_components() -> Iterable[Component]:
    """Offer the fitness function."""
    yield FitnessFunction(
        name="rdm",
        summary="mean dissimilarity of the responses to different inputs (MSE-NAS)",
        options=RdmOptions,
        goal="max",
        needs=("gram",),
        score="evo_rdm.score:rdm",
    )
