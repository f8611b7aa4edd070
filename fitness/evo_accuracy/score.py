"""Train briefly, and measure on samples that were not trained on."""

from __future__ import annotations

from evo_core.errors import RunFailedError
from evo_core.evaluation import Score
from evo_core.recipe import ShortTraining
from evo_core.snn.view import View


def accuracy(view: View, options: ShortTraining) -> Score:
    """Give the accuracy on the validation split; undefined for a training that diverges.

    The test split is never looked at.
    """
    assert view.trained is not None
    try:
        found = view.trained(options.recipe)
    except RunFailedError as error:
        return Score.undefined(str(error))
    last = found.history[-1]
    details = {"train": last.train.accuracy, "validation_loss": last.validation.loss}
    return Score(
        last.validation.accuracy,
        forwards=found.forwards,
        backwards=found.backwards,
        details=details,
    )
