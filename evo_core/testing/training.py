"""The contract of what works inside a training: developments."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from evo_core.data import Samples, Splits, split
from evo_core.recipe import Recipe
from evo_core.testing.base import Contract, genomes

if TYPE_CHECKING:
    from evo_core.snn.training import Trainer


class DevelopmentContract(Contract):
    """A development; give the fixture ``text``, its name with options."""

    def test_it_repeats(self, text: str) -> None:
        """Trained twice under one seed, a network has the same weights and numbers."""
        import torch

        one, two = (self._trained(text, epochs=5) for _ in range(2))
        for name, value in one.network.state_dict().items():
            assert torch.equal(value, two.network.state_dict()[name]), name
        assert self._numbers(one) == self._numbers(two)

    def test_what_it_keeps_is_all_it_needs(self, text: str) -> None:
        """Attached anew and restored, it goes on as if it had never stopped."""
        import torch

        from evo_core.snn.optimising import moments, restore_moments

        whole, past, later = self._trained(text, 6), self._trained(text, 4), self._trainer(text)
        later.network.load_state_dict(past.network.state_dict())
        kept = {name: one.clone() for name, one in moments(past.network, past.optimiser).items()}
        restore_moments(later.network, later.optimiser, kept)
        assert past.developer is not None
        assert later.developer is not None
        later.developer.restore(past.developer.tensors())
        later.epoch = 4
        self._train(later, 6)
        for name, value in whole.network.state_dict().items():
            assert torch.equal(value, later.network.state_dict()[name]), name
        assert self._numbers(whole) == self._numbers(later)

    def test_the_network_stays_sound(self, text: str) -> None:
        """Weights are finite, and the numbers for the log have the same names all the time."""
        trainer = self._trainer(text)
        names = list(self._numbers(trainer))
        self._train(trainer, 6)
        assert all(bool(one.isfinite().all()) for one in trainer.network.parameters())
        assert list(self._numbers(trainer)) == names

    def _trained(self, text: str, epochs: int) -> Trainer:
        trainer = self._trainer(text)
        self._train(trainer, epochs)
        return trainer

    def _train(self, trainer: Trainer, epochs: int) -> None:
        while trainer.epoch < epochs:
            while trainer.step < trainer.steps:
                trainer.make_step()
            trainer.end_epoch()

    def _trainer(self, text: str) -> Trainer:
        from evo_core.components import Development
        from evo_core.snn.training import Trainer

        plan = self.plan()
        bound = plan.binder.bind(Development, text)
        network = plan.decode(genomes(plan)[0])
        recipe = Recipe(epochs=6, batch=8)
        return Trainer(network, _noise(), plan.neurons, recipe, 5, development=bound)

    def _numbers(self, trainer: Trainer) -> dict[str, float]:
        assert trainer.developer is not None
        return trainer.developer.numbers()


def _noise() -> Splits:
    """Give a few images of noise with the shape of digits."""
    rng = np.random.default_rng(0)
    samples = Samples(rng.random((30, 1, 8, 8)).astype(np.float32), np.arange(30) % 10)
    return split(samples, validation=0.2, test=0.2)
