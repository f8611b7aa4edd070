"""The contract of what works inside a training: developments."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from evo_core.binding import Bound
from evo_core.components import Development, load
from evo_core.data import Samples, Splits, split
from evo_core.development import MATE
from evo_core.evaluation import Inheritance
from evo_core.recipe import Recipe
from evo_core.testing.base import Contract, genomes

if TYPE_CHECKING:
    from torch import Tensor

    from evo_core.snn.training import Trainer

    Tensors = dict[str, Tensor]


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

    def test_its_genes_choose_options_that_can_be_trained_with(self, text: str) -> None:
        """Every choice of every gene gives options of its own kind, and a sound network."""
        bound = self._bound(text)
        if bound.record.genes is None or bound.record.configure is None:
            return
        genes = load(bound.record.genes)(bound.options)
        assert all(gene.scale == "development" for gene in genes)
        for place in range(max(len(gene.choices) for gene in genes)):
            chosen = {gene.name: gene.choices[place % len(gene.choices)] for gene in genes}
            options = load(bound.record.configure)(bound.options, chosen)
            assert isinstance(options, bound.record.options)
            trainer = self._trainer(replace(bound, options=options))
            self._train(trainer, 1)
            assert all(bool(one.isfinite().all()) for one in trainer.network.parameters())

    def test_a_body_that_is_inherited_begins_where_it_ended(self, text: str) -> None:
        """Put into the same network untouched, a body is what it was."""
        past = self._trained(text, 4)
        assert _equal(self._begun(text, [past]), _body(past))

    def test_mutations_of_a_body_differ_among_siblings_and_repeat(self, text: str) -> None:
        """One seed gives one child, another seed another; names and shapes stay."""
        past = self._trained(text, 4)
        for name in self._bound(text).record.mutations:
            one, again, other = (self._begun(text, [past], (name, seed)) for seed in (1, 1, 2))
            assert _equal(one, again), f"{name} does not repeat"
            assert not _equal(one, other), f"{name} gives siblings that are alike"

    def test_mated_bodies_are_made_of_both(self, text: str) -> None:
        """A child of two bodies repeats, and is none of the two."""
        if self._bound(text).record.mate is None:
            return
        parents = [self._trained(text, 4), self._trained(text, 4, seed=6)]
        one, again = (self._begun(text, parents, (MATE, 3)) for _ in range(2))
        assert _equal(one, again)
        assert not any(_equal(one, _body(parent)) for parent in parents)

    def test_a_child_goes_on_learning_soundly(self, text: str) -> None:
        """After any mutation, or none, the child trains on with finite weights."""
        past = self._trained(text, 4)
        for name in (None, *self._bound(text).record.mutations):
            child = self._trainer(text)
            _begin(child, [past], self._bound(text), *(() if name is None else ((name, 4),)))
            self._train(child, 1)
            assert all(bool(one.isfinite().all()) for one in child.network.parameters())

    def _begun(self, text: str, parents: list[Trainer], *mutations: tuple[str, int]) -> Tensors:
        child = self._trainer(text)
        _begin(child, parents, self._bound(text), *mutations)
        return _body(child)

    def _trained(self, text: str, epochs: int, seed: int = 5) -> Trainer:
        trainer = self._trainer(text, seed)
        self._train(trainer, epochs)
        return trainer

    def _train(self, trainer: Trainer, epochs: int) -> None:
        while trainer.epoch < epochs:
            while trainer.step < trainer.steps:
                trainer.make_step()
            trainer.end_epoch()

    def _bound(self, text: str) -> Bound[Development]:
        return self.plan().binder.bind(Development, text)

    def _trainer(self, given: str | Bound[Development], seed: int = 5) -> Trainer:
        from evo_core.snn.training import Trainer

        plan = self.plan()
        bound = plan.binder.bind(Development, given) if isinstance(given, str) else given
        network = plan.decode(genomes(plan)[0])
        recipe = Recipe(epochs=6, batch=8)
        return Trainer(network, _noise(), plan.neurons, recipe, seed, development=bound)

    def _numbers(self, trainer: Trainer) -> dict[str, float]:
        assert trainer.developer is not None
        return trainer.developer.numbers()


def _body(trainer: Trainer) -> Tensors:
    from evo_core.snn.heritage import left_by
    from evo_core.snn.tensors import parse_tensors

    return parse_tensors(left_by(trainer), "the body")


def _begin(
    child: Trainer,
    parents: list[Trainer],
    bound: Bound[Development],
    *mutations: tuple[str, int],
) -> None:
    from evo_core.snn.heritage import Heritage, begin

    bodies = tuple(_body(parent) for parent in parents)
    begin(child, Heritage(Inheritance((), mutations), bodies), bound)


def _equal(one: Tensors, two: Tensors) -> bool:
    import torch

    same = one.keys() == two.keys()
    return same and all(torch.equal(tensor, two[name]) for name, tensor in one.items())


def _noise() -> Splits:
    """Give a few images of noise with the shape of digits."""
    rng = np.random.default_rng(0)
    samples = Samples(rng.random((30, 1, 8, 8)).astype(np.float32), np.arange(30) % 10)
    return split(samples, validation=0.2, test=0.2)
