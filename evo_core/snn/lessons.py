"""A short training within the evaluation of a candidate."""

from __future__ import annotations

import math

from evo_core.architecture import Architecture
from evo_core.augmentation import check_augmentations
from evo_core.limits import check_deadline
from evo_core.plan import Plan
from evo_core.recipe import Recipe
from evo_core.snn.view import Trained


def trained(plan: Plan, architecture: Architecture, init: int, recipe: Recipe) -> Trained:
    """Train a network from its initial weights, as long as the evaluation has time.

    Raises:
        EvoError: If an augmentation of the recipe does not fit the data.
        RunFailedError: If the training diverges.
    """
    from evo_core.snn.devices import expect_no_triton
    from evo_core.snn.training import Trainer

    config = plan.config
    check_augmentations(recipe.augment, plan.splits.train)
    expect_no_triton(config.device)
    trainer = Trainer(
        architecture,
        plan.splits,
        plan.neurons,
        recipe,
        config.seed,
        init=init,
        device=config.device,
        encoding=config.scoring.encoding,
    )
    history = []
    for _ in range(recipe.epochs):
        while trainer.step < trainer.steps:
            check_deadline()
            trainer.make_step()
        history.append(trainer.end_epoch())
    steps = recipe.epochs * trainer.steps
    measured = recipe.epochs * math.ceil(len(plan.splits.validation) / recipe.batch)
    return Trained(trainer.network, tuple(history), steps + measured, steps)
