"""What this package offers to evo."""

from __future__ import annotations

from collections.abc import Iterable

from evo_core.components import Component, FitnessFunction
from evo_core.hookspecs import hookimpl
from evo_core.recipe import ShortTraining


@hookimpl
def evo_components() -> Iterable[Component]:
    """Offer the fitness function."""
    yield FitnessFunction(
        name="accuracy",
        summary="accuracy on the validation split after a short training on the train split",
        options=ShortTraining,
        goal="max",
        needs=("trained",),
        score="evo_accuracy.score:accuracy",
    )
