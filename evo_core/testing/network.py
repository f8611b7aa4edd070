"""Contracts of the network side: fitness functions, neurons, data sets, executors."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from evo_core.components import Dataset, NeuronModel, load
from evo_core.data import Samples
from evo_core.evaluation import Candidate, Score
from evo_core.executors import ExecutorLike, make_evaluator
from evo_core.plan import Plan
from evo_core.testing.base import Contract, genomes


class FitnessContract(Contract):
    """A fitness function; give the fixture ``text``, its name with options."""

    _known: ClassVar[dict[tuple[type, str], list[Score]]] = {}

    def test_it_scores_random_networks(self, text: str) -> None:
        """The score is a finite number, or undefined."""
        for score in self._alone(text):
            assert score.status in ("ok", "undefined")
            assert (score.value is None) == (score.status == "undefined")
            assert score.value is None or np.isfinite(score.value)

    def test_it_repeats(self, text: str) -> None:
        """The same network under the same seed has the same score."""
        assert _values(self._all_scores([text])[0]) == _values(self._alone(text))

    def test_it_tells_networks_apart(self, text: str) -> None:
        """A fitness that is the same for every network guides no search."""
        assert len({score.value for score in self._alone(text)}) > 1

    def test_it_leaves_what_it_shares_as_it_is(self, text: str) -> None:
        """Beside other functions, which read the same spikes, it and they score as when alone."""
        steps, rates = "rdm[metric=hamming]", "rdm[feature=rate]"
        for names in ([steps, text], [text, rates]):
            together = self._all_scores(list(dict.fromkeys(names)))
            for name, scores in zip(dict.fromkeys(names), together, strict=True):
                assert _values(scores) == _values(self._alone(name))

    def _alone(self, text: str) -> list[Score]:
        """Give the scores by one function alone, computed once for all tests."""
        key = (type(self), text)
        if key not in self._known:
            self._known[key] = self._all_scores([text])[0]
        return self._known[key]

    def _all_scores(self, texts: list[str]) -> list[list[Score]]:
        """Score random networks with some functions at once; the scores of each function."""
        plan = self.plan(fitness=texts)
        evaluator = make_evaluator(plan.job)
        found = [
            evaluator.evaluate(Candidate(number, genome, "")).scores
            for number, genome in enumerate(genomes(plan))
        ]
        return [[scores[bound.text] for scores in found] for bound in plan.fitness]


def _values(scores: list[Score]) -> list[float | None]:
    return [score.value for score in scores]


class NeuronContract(Contract):
    """A neuron model; give the fixture ``text``, its name with options."""

    def test_step_and_module_fire_alike(self, text: str) -> None:
        """The plain step and the SpikingJelly node give the same spikes in float64."""
        import torch

        bound = self.plan().binder.bind(NeuronModel, text)
        current = torch.randn(
            6, 4, 20, dtype=torch.float64, generator=torch.Generator().manual_seed(0)
        )
        module = load(bound.record.module)(bound.options).double()
        state, fired = None, []
        for frame in current:
            spikes, state = load(bound.record.step)(frame, state, bound.options)
            fired.append(spikes)
        with torch.no_grad():
            expected = module(current)
        assert torch.equal(torch.stack(fired), expected)
        assert 0 < float(expected.mean()) < 1
        assert set(expected.unique().tolist()) <= {0.0, 1.0}

    def test_run_fires_as_steps_do(self, text: str) -> None:
        """If there is a run over time, it gives the spikes of the steps, in one piece or two.

        The currents stay as they are, in whatever order they lie in memory.
        """
        import torch

        bound = self.plan().binder.bind(NeuronModel, text)
        if bound.record.run is None:
            return
        step, run = load(bound.record.step), load(bound.record.run)
        random = torch.Generator().manual_seed(0)
        for shape in ((6, 4, 20), (6, 2, 5, 3, 3)):
            currents = torch.randn(shape, dtype=torch.float64, generator=random).transpose(1, 2)
            state, fired = None, []
            for current in currents:
                spikes, state = step(current, state, bound.options)
                fired.append(spikes)
            before = currents.clone()
            whole, _ = run(currents, None, bound.options)
            first, state = run(currents[:2], None, bound.options)
            rest, _ = run(currents[2:], state, bound.options)
            assert torch.equal(whole, torch.stack(fired))
            assert torch.equal(torch.cat([first, rest]), whole)
            assert torch.equal(currents, before)


class DatasetContract(Contract):
    """A data set; give the fixture ``text``, its name with options.

    If it needs files, give the fixture ``root``, the folder that holds them, as well.
    """

    @pytest.fixture
    def root(self) -> Path | None:
        """Give the data root; None for a data set that needs no files."""
        return None

    def test_splits_fit_together(self, text: str, root: Path | None) -> None:
        """All splits have samples of one shape, finite, with labels in range."""
        bound = self.plan().binder.bind(Dataset, text)
        splits = load(bound.record.load)(bound.options, root)
        parts: list[Samples] = [splits.train, splits.validation, splits.test]
        for part in parts:
            assert len(part) > 0
            assert part.inputs.shape[1:] == splits.train.inputs.shape[1:]
            assert np.isfinite(part.inputs).all()
            assert part.labels.min() >= 0
            assert part.labels.max() < splits.classes

    def test_loading_repeats(self, text: str, root: Path | None) -> None:
        """Splits are the same every time."""
        bound = self.plan().binder.bind(Dataset, text)
        one, two = (load(bound.record.load)(bound.options, root) for _ in range(2))
        assert np.array_equal(one.train.inputs, two.train.inputs)
        assert np.array_equal(one.test.labels, two.test.labels)


class ExecutorContract(Contract):
    """An executor; give the fixture ``text``, its name with options."""

    def test_every_bundle_comes_back(self, text: str) -> None:
        """One evaluation for each candidate, in bundles as submitted, equal to those made here."""
        plan, executor, candidates = self._executor(text)
        try:
            executor.submit(tuple(candidates[:2]))
            for candidate in candidates[2:]:
                executor.submit((candidate,))
            bundles = list(executor.as_completed())
            executor.cancel()
        finally:
            executor.close()
        assert sorted(len(bundle) for bundle in bundles) == [1, 1, 1, 2]
        here = make_evaluator(plan.job)
        found = {one.candidate: one for bundle in bundles for one in bundle}
        for candidate in candidates:
            expected = here.evaluate(candidate).scores["rdm"].value
            assert found[candidate.id].scores["rdm"].value == expected
            assert found[candidate.id].attempts == 1

    def test_what_is_cancelled_does_not_come_back(self, text: str) -> None:
        """Before anything has begun, all is forgotten; what comes later is evaluated."""
        _, executor, candidates = self._executor(text)
        try:
            assert list(executor.as_completed()) == []
            for candidate in candidates[:4]:
                executor.submit((candidate,))
            executor.cancel()
            executor.submit((candidates[4],))
            found = [one.candidate for bundle in executor.as_completed() for one in bundle]
        finally:
            executor.close()
            executor.close()  # a second time it does nothing
        assert found == [4]

    def _executor(self, text: str) -> tuple[Plan, ExecutorLike, list[Candidate]]:
        plan = self.plan(executor=text)
        bound = plan.executor
        executor: ExecutorLike = load(bound.record.build)(bound.options, 2, plan.job)
        candidates = [Candidate(i, genome, "") for i, genome in enumerate(genomes(plan)[:5])]
        return plan, executor, candidates
