"""What this package offers to evo."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge, Gt

from evo_core.components import Component, FitnessFunction, option
from evo_core.hookspecs import hookimpl


@dataclass(frozen=True, slots=True)
class AccuracyOptions:
    """Options of ``accuracy``."""

    epochs: Annotated[int, Ge(1)] = option(3, "passes over the training samples")
    samples: Annotated[int, Ge(2)] | None = option(
        None, "train on so many samples, classes in proportion; by default on all"
    )
    lr: Annotated[float, Gt(0)] = option(5e-3, "largest learning rate")


@hookimpl
def evo_components() -> Iterable[Component]:
    """Offer the fitness function."""
    yield FitnessFunction(
        name="accuracy",
        summary="accuracy on the validation split after a short training on the train split",
        options=AccuracyOptions,
        goal="max",
        needs=("trained",),
        score="evo_accuracy.score:accuracy",
    )
