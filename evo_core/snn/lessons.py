"""The short trainings within the evaluation of a candidate."""

from __future__ import annotations

import math
from typing import Any

from evo_core.architecture import Architecture
from evo_core.augmentation import check_augmentations
from evo_core.binding import Bound
from evo_core.components import Development, load
from evo_core.errors import EvoError, InvalidGenomeError
from evo_core.evaluation import Candidate
from evo_core.limits import check_deadline
from evo_core.plan import Plan
from evo_core.recipe import Recipe
from evo_core.snn.heritage import Heritage
from evo_core.snn.view import Trained


class Lessons:
    """Trains one candidate, and keeps account of it.

    Args:
        plan: The plan.
        architecture: The network.
        development: How its structure develops meanwhile, or None.
        heritage: The bodies that it begins with; None for initial weights.
        passes_on: Whether what the first training leaves is kept.

    Attributes:
        epochs: How many epochs all trainings took together.
        body: What the first training left, as a safetensors file; empty if it is not passed on.
    """

    def __init__(
        self,
        plan: Plan,
        architecture: Architecture,
        development: Bound[Development] | None = None,
        heritage: Heritage | None = None,
        *,
        passes_on: bool = False,
    ) -> None:
        self._plan, self._architecture = plan, architecture
        self._development, self._heritage, self._passes_on = development, heritage, passes_on
        self.epochs = 0
        self.body = b""

    @classmethod
    def of(cls, plan: Plan, architecture: Architecture, candidate: Candidate) -> Lessons:
        """Prepare the trainings of a candidate.

        Under initial weights of its own choice it inherits nothing, and passes nothing on.

        Raises:
            EvoError: If a body that it inherits is missing or damaged.
        """
        fresh = bool(candidate.inits)
        return cls(
            plan,
            architecture,
            plan.developing(candidate.genome),
            None if fresh else Heritage.of(candidate),
            passes_on=plan.body_rates is not None and not fresh,
        )

    def account(self) -> dict[str, Any]:
        """Give the epochs spent here, and by the ancestors; nothing where none develops."""
        if self._development is None:
            return {}
        inherited = self._heritage.inheritance.epochs if self._heritage is not None else 0
        return {"training": {"epochs": self.epochs, "inherited": inherited}}

    def trained(self, init: int, recipe: Recipe) -> Trained:
        """Train the network, as long as the evaluation has time.

        Args:
            init: The number of the initial weights.
            recipe: How.

        Raises:
            EvoError: If an augmentation of the recipe does not fit the data.
            InvalidGenomeError: If the development can not work on the network.
            RunFailedError: If the training diverges.
        """
        from evo_core.snn.devices import expect_no_triton
        from evo_core.snn.heritage import begin, left_by
        from evo_core.snn.training import Trainer

        plan, config = self._plan, self._plan.config
        check_augmentations(recipe.augment, plan.splits.train)
        self._check_development(recipe)
        expect_no_triton(config.device)
        trainer = Trainer(
            self._architecture,
            plan.splits,
            plan.neurons,
            recipe,
            config.seed,
            init=init,
            device=config.device,
            development=self._development,
            encoding=config.scoring.encoding,
        )
        if self._heritage is not None and self._development is not None:
            begin(trainer, self._heritage, self._development)
        history = []
        for _ in range(recipe.epochs):
            while trainer.step < trainer.steps:
                check_deadline()
                trainer.make_step()
            history.append(trainer.end_epoch())
            self.epochs += 1
        if self._passes_on and not self.body:
            self.body = left_by(trainer)
        steps = recipe.epochs * trainer.steps
        measured = recipe.epochs * math.ceil(len(plan.splits.validation) / recipe.batch)
        return Trained(trainer.network, tuple(history), steps + measured, steps)

    def _check_development(self, recipe: Recipe) -> None:
        bound = self._development
        if bound is None or bound.record.check is None:
            return
        try:
            load(bound.record.check)(self._architecture, bound.options, recipe.epochs)
        except EvoError as error:
            raise InvalidGenomeError(str(error)) from None
