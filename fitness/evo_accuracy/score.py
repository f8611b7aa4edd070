"""Train briefly, and measure on samples that were not trained on."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from evo_core.errors import RunFailedError
from evo_core.evaluation import Score
from evo_core.recipe import read_recipe
from evo_core.snn.view import View

if TYPE_CHECKING:
    from evo_accuracy.plugin import AccuracyOptions

BATCH = 32


def accuracy(view: View, options: AccuracyOptions) -> Score:
    """Give the accuracy on the validation split; undefined for a training that diverges.

    The recipe is ``quick`` with batches of 32. The test split is never looked at.
    """
    assert view.trained is not None
    try:
        found = view.trained(read_recipe("quick", asdict(options) | {"batch": BATCH}))
    except RunFailedError as error:
        return Score(None, "undefined", details={"reason": str(error)})
    last = found.history[-1]
    details = {"train": last.train.accuracy, "validation_loss": last.validation.loss}
    return Score(
        last.validation.accuracy,
        forwards=found.forwards,
        backwards=found.backwards,
        details=details,
    )
