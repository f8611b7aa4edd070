"""The need ``rates``, needs that depend on options, and what repeats report."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
import torch

from evo_core import EvoError, FitnessFunction, array_dataset, option
from evo_core.config import from_layers
from evo_core.evaluation import Candidate
from evo_core.genome import random_genome
from evo_core.plan import Job, make_plan, needs_data
from evo_core.seeds import generator
from evo_core.snn.worker import Evaluator
from evo_core.testing import FitnessContract


def fitness(name, **fields):
    given = {"summary": "", "goal": "max", "score": lambda view, options: 0.0}
    return FitnessFunction(name=name, **(given | fields))


def evaluator(*components, mse=None, **settings):
    layer = {
        "fitness": [one.name for one in components if isinstance(one, FitnessFunction)],
        "scoring": {"batch": 6, "steps": 3},
        "mse": {"cells": 2, "channels": 1} | (mse or {}),
    }
    return Evaluator(make_plan(Job(from_layers(layer, settings), components)))


def evaluate(made, number=0):
    genome = random_genome(generator(0, "test", number), made._plan.space.genes)
    return made.evaluate(Candidate(number, genome, ""))


class TestRdmOfRates(FitnessContract):
    @pytest.fixture(params=["hamming", "euclidean", "cosine", "pearson"])
    def text(self, request):
        return f"rdm[metric={request.param},feature=rate]"


@pytest.mark.parametrize("feedback", ["next-step", "same-step"])
def test_a_population_hands_over_the_mean_of_its_spikes_once(feedback):
    spikes, rates = {}, {}
    seen = fitness(
        "seen",
        needs=("spikes",),
        collect=lambda record, options: spikes.setdefault(record.population, []).append(
            record.spikes.clone()
        ),
    )
    mean = fitness(
        "mean",
        needs=("rates",),
        collect=lambda record, options: record,
        score=lambda view, options: (
            rates.update({r.population: r for r in view.collected}) or float(len(view.collected))
        ),
    )
    made = evaluator(seen, mean, mse={"cells": 3, "feedback": feedback})
    for number in range(3):
        spikes.clear(), rates.clear()
        evaluation = evaluate(made, number)
        assert evaluation.scores["mean"].value == len(spikes) == evaluation.details["populations"]
        for name, given in spikes.items():
            record = rates[name]
            assert (record.steps, len(given)) == (3, 3)
            assert torch.equal(record.counts, sum(given))
            assert torch.allclose(record.rates, torch.stack(given).mean(0))


@dataclass(frozen=True, slots=True)
class Chosen:
    need: str = option("graph", "what to read")


def choosing(**fields):
    return fitness("choosing", options=Chosen, needs=lambda options: (options.need,), **fields)


def test_needs_may_depend_on_the_options():
    calls = []
    made = choosing(
        collect=lambda record, options: calls.append(record),
        score=lambda view, options: float(len(view.collected) or len(view.grams) or -1),
    )
    plans = {need: evaluator(made, choosing={"need": need}) for need in ("graph", "gram", "rates")}
    assert {need: needs_data(one._plan.fitness) for need, one in plans.items()} == {
        "graph": False, "gram": True, "rates": True,
    }  # fmt: skip
    values = {need: evaluate(one) for need, one in plans.items()}
    scores = {need: next(iter(one.scores.values())).value for need, one in values.items()}
    populations = values["gram"].details["populations"]
    assert scores == {"graph": -1, "gram": 3 * populations, "rates": populations}
    assert len(calls) == populations


def test_a_need_that_does_not_exist_is_named_when_the_options_ask_for_it():
    with pytest.raises(EvoError, match=r"'choosing' needs 'rate'; did you mean 'rates'"):
        evaluator(choosing(), choosing={"need": "rate"})


def test_a_need_that_collects_asks_for_a_collect_function():
    with pytest.raises(EvoError, match="'spikes' and a collect function go together"):
        evaluator(choosing(), choosing={"need": "rates"})
    with pytest.raises(EvoError, match="'spikes' and a collect function go together"):
        fitness("f", needs=("rates",))


def test_spikes_and_rates_are_not_collected_by_one_function():
    with pytest.raises(EvoError, match="can collect 'spikes' or 'rates', not both"):
        fitness("f", needs=("spikes", "rates"), collect=len)


def test_rdm_reads_grams_or_rates_never_both():
    made = evaluator(fitness=["rdm", "rdm[feature=rate]"])
    needs = [bound.record.needs_with(bound.options) for bound in made._plan.fitness]
    assert needs == [{"gram"}, {"rates"}]


@pytest.mark.parametrize("text", ["rdm", "rdm[feature=rate]", "rdm-released"])
def test_repeats_are_the_passes_of_each_init_and_batch_and_each_is_reported(text):
    def run(**scoring):
        evaluation = evaluate(evaluator(fitness=[text], scoring=scoring))
        return evaluation, evaluation.scores[text]

    (both, score), (batches, _), (inits, _) = (
        run(inits=2, batches=2), run(batches=2), run(inits=2),
    )  # fmt: skip
    values = score.details["values"]
    assert len(set(values)) == 4
    assert score.value == pytest.approx(sum(values) / 4)
    assert values[:2] == batches.scores[text].details["values"]
    assert values[::2] == inits.scores[text].details["values"]
    single, first = run()
    assert (first.value, first.details) == (values[0], score.details["repeats"][0])
    assert both.details["repeats"][0] == {
        key: single.details[key] for key in ("firing_rate", "populations", "silent_populations")
    }
    rates = [one["firing_rate"] for one in both.details["repeats"]]
    assert both.details["firing_rate"] == pytest.approx(sum(rates) / 4)


def test_the_same_input_twice_in_a_batch_is_seen():
    images = torch.rand(10, 1, 8, 8, generator=torch.Generator().manual_seed(0)).numpy()
    twice = array_dataset("twice", images.repeat(3, 0), [0, 1, 0] * 10)
    made = evaluator(twice, fitness=["rdm"], data="twice", scoring={"batch": 18})
    details = evaluate(made).scores["rdm"].details
    populations = evaluate(made).details["populations"]
    assert details["duplicate_inputs"] > 0
    assert details["pairs"] == 3 * populations * (18 * 17 // 2 - details["duplicate_inputs"])
