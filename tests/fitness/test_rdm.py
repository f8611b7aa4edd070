"""The fitness ``rdm`` against a reference that compares every pair of samples in a loop."""

from __future__ import annotations

from collections import defaultdict

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from evo_core.components import FitnessFunction
from evo_core.config import from_layers
from evo_core.evaluation import Candidate
from evo_core.genome import random_genome
from evo_core.plan import Job, make_plan
from evo_core.seeds import generator
from evo_core.snn.view import SpikeRecord, View, gram_record
from evo_core.snn.worker import Evaluator
from evo_rdm.plugin import RdmOptions
from evo_rdm.score import rdm


def mean(values):
    values = [value for value in values if value is not None]
    return sum(values) / len(values) if values else None


def pair_distances(rows):
    """Give for each pair of samples the share of neurons that differ; None if one is silent."""
    for i, one in enumerate(rows):
        for other in rows[i + 1 :]:
            silent = sum(one) == 0 or sum(other) == 0
            differing = sum(a != b for a, b in zip(one, other, strict=True))
            yield None if silent else differing / len(one)


def reference(records):
    """Score ``(population, step, spikes)`` by the definition, and count its pairs."""
    steps, pairs = defaultdict(list), []
    for population, _, spikes in records:
        distances = list(pair_distances(spikes.tolist()))
        pairs += distances
        steps[population].append(mean(distances))
    populations = [mean(given) for given in steps.values()]
    return mean(populations), {
        "pairs": len(pairs),
        "undefined_pairs": pairs.count(None),
        "undefined_populations": populations.count(None),
    }


def scored(records):
    grams = tuple(gram_record(SpikeRecord(*record)) for record in records)
    return rdm(View(None, grams), RdmOptions())


def spikes(*rows):
    return torch.tensor([[float(digit) for digit in row] for row in rows])


@pytest.mark.parametrize("feedback", ["next-step", "same-step"])
def test_rdm_of_a_real_pass_is_the_reference(feedback):
    kept = []
    spy = FitnessFunction(
        name="spy",
        summary="keeps all spikes",
        goal="max",
        needs=("spikes",),
        collect=lambda record, options: (record.population, record.step, record.spikes.clone()),
        score=lambda view, options: kept.append(view.collected) or 0.0,
    )
    layer = {
        "fitness": ["rdm", "spy"],
        "scoring": {"batch": 6, "steps": 3},
        "mse": {"cells": 3, "channels": 1, "feedback": feedback},
    }
    plan = make_plan(Job(from_layers(layer), (spy,)))
    evaluator = Evaluator(plan)
    for number in range(4):
        genome = random_genome(generator(0, "test", number), plan.space.genes)
        evaluation = evaluator.evaluate(Candidate(number, genome, ""))
        value, details = reference(kept.pop())
        assert details["undefined_pairs"] < details["pairs"]
        assert evaluation.scores["rdm"].value == pytest.approx(value, rel=1e-6)
        assert evaluation.scores["rdm"].details == details
        assert evaluation.details["populations"] * 15 * 3 == details["pairs"]


@st.composite
def spike_records(draw):
    batch, steps = draw(st.integers(2, 5)), draw(st.integers(1, 3))
    records = []
    for population in range(draw(st.integers(1, 3))):
        size = draw(st.integers(1, 6))
        row = st.lists(st.integers(0, 1), min_size=size, max_size=size)
        rows = st.lists(row, min_size=batch, max_size=batch)
        records += [
            (f"p{population}", step, torch.tensor(draw(rows)).float()) for step in range(steps)
        ]
    return records


@settings(deadline=None, max_examples=80)
@given(records=spike_records())
def test_rdm_of_any_spikes_is_the_reference_and_within_0_and_1(records):
    score, (value, details) = scored(records), reference(records)
    reason = {} if value is not None else {"reason": "no two samples are answered by spikes"}
    assert score.details == details | reason
    assert score.status == ("undefined" if value is None else "ok")
    if value is None:
        assert score.value is None
    else:
        assert score.value == pytest.approx(value, rel=1e-6, abs=1e-12)
        assert 0 <= score.value <= 1


def test_a_silent_sample_is_left_out_and_its_pairs_counted():
    score = scored([("p", 0, spikes("1100", "1010", "0000"))])
    assert score.value == pytest.approx(0.5)
    assert score.details == {"pairs": 3, "undefined_pairs": 2, "undefined_populations": 0}


def test_a_network_that_never_spikes_has_no_score():
    score = scored([("p", step, spikes("000", "000")) for step in range(2)])
    assert (score.value, score.status) == (None, "undefined")
    assert score.details.pop("reason") == "no two samples are answered by spikes"
    assert score.details == {"pairs": 2, "undefined_pairs": 2, "undefined_populations": 1}


def test_one_responding_sample_is_not_enough_for_a_pair():
    assert scored([("p", 0, spikes("111", "000", "000"))]).value is None


def test_equal_responses_score_0():
    assert scored([("p", 0, spikes("0110", "0110", "0110"))]).value == 0


def test_complementary_responses_score_1():
    assert scored([("p", 0, spikes("0110", "1001"))]).value == 1


def test_a_population_without_a_defined_pair_has_no_vote():
    alive, dead = ("alive", 0, spikes("10", "11")), ("dead", 0, spikes("000", "111"))
    score = scored([alive, dead])
    assert score.value == scored([alive]).value == 0.5
    assert score.details["undefined_populations"] == 1


def test_each_population_has_one_vote_whatever_its_size():
    small, large = spikes("01", "10"), spikes("1" * 100, "1" * 100)
    assert scored([("small", 0, small), ("large", 0, large)]).value == pytest.approx(0.5)


def test_a_step_without_a_defined_pair_does_not_count_in_the_mean_over_steps():
    records = [("p", 0, spikes("00", "00")), ("p", 1, spikes("10", "01"))]
    assert scored(records).value == 1


def test_the_mean_is_over_steps_first_then_over_populations():
    halves = [("a", 0, spikes("10", "01")), ("a", 1, spikes("00", "00"))]
    zeros = [("b", step, spikes("11", "11")) for step in range(2)]
    assert scored(halves + zeros).value == pytest.approx(0.5)


def test_a_run_averages_rdm_over_inits_and_batches():
    def evaluate(**scoring):
        layer = {"scoring": {"batch": 8, **scoring}, "mse": {"cells": 2, "channels": 2}}
        plan = make_plan(Job(from_layers(layer)))
        genome = random_genome(generator(0, "test"), plan.space.genes)
        return Evaluator(plan).evaluate(Candidate(0, genome, "")).scores["rdm"]

    single, repeated = evaluate(), evaluate(inits=2, batches=2)
    parts = repeated.details["repeats"]
    assert len(parts) == 4
    assert parts[0] == single.details
    assert (single.forwards, repeated.forwards) == (1, 4)
    assert repeated.value != single.value
