"""``rdm`` under all options against a reference that compares every pair neuron by neuron."""

from __future__ import annotations

import math
from collections import defaultdict

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from evo_core.binding import Binder
from evo_core.components import FitnessFunction
from evo_core.config import from_layers
from evo_core.errors import EvoError
from evo_core.evaluation import Candidate
from evo_core.genome import random_genome
from evo_core.plan import Job, make_plan
from evo_core.registry import installed
from evo_core.seeds import generator
from evo_core.snn.view import RateRecord, SpikeRecord, View, duplicates_in, gram_record
from evo_core.snn.worker import Evaluator
from evo_rdm.plugin import RdmOptions
from evo_rdm.score import collect, rdm

METRICS = ("hamming", "euclidean", "cosine", "pearson")
COMBINATIONS = [
    (metric, feature, normalise)
    for metric in METRICS
    for feature in ("step", "rate")
    for normalise in ("size", "expected", "none")
    if normalise != "expected" or (feature == "step" and metric != "pearson")
]
LARGEST = {
    ("euclidean", "expected"): math.sqrt(2),
    ("hamming", "size"): 1,
    ("euclidean", "size"): 1,
}


def mean(values):
    values = [value for value in values if value is not None]
    return math.fsum(values) / len(values) if values else None


def distance(one, other, metric, normalise):
    """Compare two rows of numbers by the definition; None where there is none."""
    size, pairs = len(one), list(zip(one, other, strict=True))
    if sum(one) == 0 or sum(other) == 0:
        return None
    r, q = sum(one) / size, sum(other) / size
    expected = size * (r * (1 - q) + (1 - r) * q)
    if normalise == "expected" and min(r, q) == 1:
        return None
    if metric == "hamming":
        raw = math.fsum(abs(a - b) for a, b in pairs)
        return raw / {"size": size, "expected": expected, "none": 1}[normalise]
    if metric == "euclidean":
        raw = math.fsum((a - b) ** 2 for a, b in pairs)
        return math.sqrt(raw / {"size": size, "expected": expected, "none": 1}[normalise])
    if metric == "pearson":
        if len(set(one)) == 1 or len(set(other)) == 1:
            return None
        one, other = [a - r for a in one], [b - q for b in other]
    product = math.fsum(a * b for a, b in zip(one, other, strict=True))
    similarity = product / math.hypot(*one) / math.hypot(*other)
    return (1 - similarity) / (1 - math.sqrt(r * q) if normalise == "expected" else 1)


def reference(records, metric, feature, normalise, skipped=()):
    """Score ``(population, step, spikes)`` and count pairs, leaving out the pairs ``skipped``."""
    patterns = defaultdict(list)
    for population, _, spikes in records:
        patterns[population].append(spikes.double())
    if feature == "rate":
        patterns = {name: [sum(steps) / len(steps)] for name, steps in patterns.items()}
    means, compared = [], []
    for steps in patterns.values():
        matrices = []
        for rows in (step.tolist() for step in steps):
            pairs = [(i, j) for i in range(len(rows)) for j in range(i + 1, len(rows))]
            matrices.append(
                [
                    distance(rows[i], rows[j], metric, normalise)
                    for i, j in pairs
                    if (i, j) not in skipped
                ]
            )
        means.append(mean(mean(one) for one in matrices))
        compared += [one for matrix in matrices for one in matrix]
    details = {
        "pairs": len(compared),
        "undefined_pairs": compared.count(None),
        "undefined_populations": means.count(None),
    }
    return mean(means), details | ({"duplicate_inputs": len(skipped)} if skipped else {})


def scored(records, metric="hamming", feature="step", normalise="size", inputs=None):
    """Score ``(population, step, spikes)`` with ``rdm``."""
    options = RdmOptions(metric, feature, normalise)
    same = None if inputs is None else duplicates_in(inputs)
    if feature == "step":
        grams = tuple(gram_record(SpikeRecord(*record)) for record in records)
        return rdm(View(None, grams, duplicates=same), options)
    steps = defaultdict(list)
    for population, _, spikes in records:
        steps[population].append(spikes)
    rates = [RateRecord(name, sum(given), len(given)) for name, given in steps.items()]
    collected = tuple(collect(record, options) for record in rates)
    return rdm(View(None, collected=collected, duplicates=same), options)


def near(value):
    """Give what a score must equal: the value to a millionth, or None."""
    return None if value is None else pytest.approx(value, rel=1e-6, abs=1e-12)


def assert_same(score, expected):
    value, details = expected
    reason = {} if score.value is not None else {"reason": "no two samples are answered by spikes"}
    assert score.details == details | reason
    assert score.status == ("undefined" if value is None else "ok")
    assert score.value == near(value)


def spikes(*rows):
    return torch.tensor([[float(digit) for digit in row] for row in rows])


@st.composite
def spike_records(draw, batch=None):
    batch, steps = batch or draw(st.integers(2, 5)), draw(st.integers(1, 3))
    records = []
    for population in range(draw(st.integers(1, 3))):
        size = draw(st.integers(1, 7))
        row = st.lists(st.integers(0, 1), min_size=size, max_size=size)
        row |= st.sampled_from([[0] * size, [1] * size])
        rows = st.lists(row, min_size=batch, max_size=batch)
        records += [
            (f"p{population}", step, torch.tensor(draw(rows)).float()) for step in range(steps)
        ]
    return records


any_options = st.sampled_from(COMBINATIONS)


@pytest.mark.parametrize("options", COMBINATIONS, ids="-".join)
@settings(deadline=None, max_examples=60)
@given(records=spike_records())
def test_the_score_of_any_spikes_is_the_reference(options, records):
    assert_same(scored(records, *options), reference(records, *options))


@pytest.mark.parametrize("feedback", ["next-step", "same-step"])
def test_the_scores_of_real_passes_are_the_reference(feedback):
    kept = []
    spy = FitnessFunction(
        name="spy",
        summary="keeps all spikes",
        goal="max",
        needs=("spikes",),
        collect=lambda record, options: (record.population, record.step, record.spikes.clone()),
        score=lambda view, options: kept.append(view.collected) or 0.0,
    )
    texts = {
        f"rdm[metric={metric},feature={feature},normalise={normalise}]": (
            metric,
            feature,
            normalise,
        )
        for metric, feature, normalise in COMBINATIONS
    }
    layer = {
        "fitness": [*texts, "spy"],
        "scoring": {"batch": 5, "steps": 3},
        "mse": {"cells": 2, "channels": 1, "feedback": feedback},
    }
    plan = make_plan(Job(from_layers(layer), (spy,)))
    evaluator = Evaluator(plan)
    for number in range(3):
        genome = random_genome(generator(0, "test", number), plan.space.genes)
        scores = evaluator.evaluate(Candidate(number, genome, "")).scores
        records = kept.pop()
        for bound in plan.fitness[:-1]:
            combination = texts[
                f"rdm[metric={bound.options.metric},feature={bound.options.feature},"
                f"normalise={bound.options.normalise}]"
            ]
            assert_same(scores[bound.text], reference(records, *combination))


@given(records=spike_records(), options=any_options, seed=st.integers(0, 9))
@settings(deadline=None)
def test_the_order_of_neurons_and_of_samples_does_not_matter(records, options, seed):
    torch_generator = torch.Generator().manual_seed(seed)
    batch = len(records[0][2])
    samples = torch.randperm(batch, generator=torch_generator)
    neurons = {
        name: torch.randperm(rows.shape[1], generator=torch_generator) for name, _, rows in records
    }
    shuffled = [(name, step, rows[samples][:, neurons[name]]) for name, step, rows in records]
    one, other = scored(records, *options), scored(shuffled, *options)
    assert one.details == other.details
    assert one.value == near(other.value)


@given(records=spike_records(), options=any_options)
@settings(deadline=None)
def test_distances_are_in_their_range(records, options):
    score, (metric, _, normalise) = scored(records, *options), options
    assume(score.value is not None and (normalise != "none" or metric in ("cosine", "pearson")))
    assert 0 <= score.value <= LARGEST.get((metric, normalise), 2) + 1e-12


@given(records=spike_records(batch=2), options=any_options)
@settings(deadline=None)
def test_a_distance_is_0_exactly_if_two_patterns_are_the_same(records, options):
    name, step, rows = records[0]
    value = scored([(name, step, rows)], *options).value
    same = bool((rows[0] == rows[1]).all())
    if value is not None:
        assert (value < 1e-12) == same


@given(rows=spike_records(batch=1), options=any_options)
@settings(deadline=None)
def test_equal_patterns_are_never_apart(rows, options):
    records = [(name, step, one.expand(3, -1)) for name, step, one in rows]
    assert scored(records, *options).value in (None, near(0))


@given(records=spike_records(batch=2))
@settings(deadline=None)
def test_of_spikes_hamming_is_manhattan_and_squared_euclid(records):
    _, _, rows = records[0]
    for normalise in ("none", "size", "expected"):
        hamming, euclidean = (
            scored(records[:1], metric, "step", normalise).value
            for metric in ("hamming", "euclidean")
        )
        assert (hamming is None) == (euclidean is None)
        if hamming is not None:
            assert hamming == pytest.approx(euclidean**2, rel=1e-12)
    raw = scored(records[:1], "hamming", "step", "none").value
    if raw is not None:
        assert raw == float((rows[0] - rows[1]).abs().sum())
        assert raw == scored(records[:1], "hamming", "rate", "none").value  # T = 1


@given(records=spike_records(), metric=st.sampled_from(METRICS), copies=st.integers(2, 4))
@settings(deadline=None)
def test_copies_of_all_neurons_change_no_distance_but_the_raw_ones(records, metric, copies):
    wide = [(name, step, rows.repeat(1, copies)) for name, step, rows in records]
    for feature in ("step", "rate"):
        one, other = scored(records, metric, feature), scored(wide, metric, feature)
        assert one.value == near(other.value)
    raw, more = (scored(given, metric, normalise="none").value for given in (records, wide))
    if raw is not None:
        growth = {"hamming": copies, "euclidean": math.sqrt(copies)}.get(metric, 1)
        assert more == near(growth * raw)


@pytest.mark.parametrize("metric", ["hamming", "cosine"])
def test_the_expected_distance_is_the_mean_over_all_places_of_the_same_spikes(metric):
    from itertools import combinations

    size, counts = 6, (2, 3)
    first = torch.zeros(size)
    first[: counts[0]] = 1
    values = []
    for places in combinations(range(size), counts[1]):
        second = torch.zeros(size)
        second[list(places)] = 1
        values.append(scored([("p", 0, torch.stack([first, second]))], metric, "step", "expected"))
    assert mean(one.value for one in values) == pytest.approx(1)


@pytest.mark.parametrize(("metric", "feature", "normalise"), COMBINATIONS)
def test_a_silent_sample_is_left_out_and_counted(metric, feature, normalise):
    with_silent = scored([("p", 0, spikes("1100", "1010", "0000"))], metric, feature, normalise)
    without = scored([("p", 0, spikes("1100", "1010"))], metric, feature, normalise)
    assert with_silent.value == pytest.approx(without.value)
    assert with_silent.details["undefined_pairs"] == 2


@pytest.mark.parametrize("feature", ["step", "rate"])
def test_a_saturated_sample_has_no_correlation(feature):
    score = scored([("p", 0, spikes("1100", "1010", "1111"))], "pearson", feature)
    assert score.value == pytest.approx(1)
    assert score.details == {"pairs": 3, "undefined_pairs": 2, "undefined_populations": 0}


def test_rates_that_are_all_alike_have_no_correlation():
    thirds = [spikes("100", "110"), spikes("010", "011"), spikes("001", "001")]
    score = scored([("p", step, given) for step, given in enumerate(thirds)], "pearson", "rate")
    assert (score.value, score.details["undefined_pairs"]) == (None, 1)


@pytest.mark.parametrize("metric", ["hamming", "euclidean", "cosine"])
def test_two_saturated_samples_have_no_expected_distance(metric):
    records = [("p", 0, spikes("111", "111", "110"))]
    score = scored(records, metric, "step", "expected")
    assert score.details["undefined_pairs"] == 1
    assert scored(records, metric).details["undefined_pairs"] == 0


@pytest.mark.parametrize("options", COMBINATIONS, ids="-".join)
@pytest.mark.parametrize("rows", [["000", "000"], ["111", "000"]])
def test_without_any_defined_pair_the_score_is_undefined(options, rows):
    score = scored([("p", step, spikes(*rows)) for step in range(2)], *options)
    assert (score.value, score.status) == (None, "undefined")
    assert score.details["undefined_pairs"] == score.details["pairs"] > 0
    assert score.details["undefined_populations"] == 1


@given(records=spike_records(batch=5), options=any_options)
@settings(deadline=None)
def test_pairs_of_the_same_input_are_left_out_and_counted(records, options):
    inputs = torch.tensor([0.0, 1.0, 0.0, 2.0, 0.0]).expand(2, 5)[..., None]
    skipped = {(0, 2), (0, 4), (2, 4)}
    assert_same(scored(records, *options, inputs=inputs), reference(records, *options, skipped))


def test_inputs_that_differ_at_one_step_only_are_not_the_same():
    inputs = torch.zeros(3, 2, 1, 2, 2)
    assert duplicates_in(inputs).all()
    inputs[2, 1, 0, 1, 1] = 1
    assert duplicates_in(inputs).tolist() == [[True, False], [False, True]]


def test_a_batch_of_one_input_has_no_score():
    same = torch.zeros(2, 2, 3)
    score = scored([("p", 0, spikes("10", "01"))], inputs=same)
    assert (score.status, score.details["pairs"]) == ("undefined", 0)
    assert score.details["duplicate_inputs"] == 1


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("rdm[feature=rate,normalise=expected]", "normalise=expected takes feature=step"),
        ("rdm[metric=pearson,normalise=expected]", "expected distance is 1 at any rate"),
        ("rdm[metric=manhattan]", "rdm.metric is \"manhattan\"; input should be 'hamming'"),
    ],
)
def test_options_that_mean_nothing_are_refused_in_one_line(text, line):
    with pytest.raises(EvoError) as raised:
        Binder(installed(), {}).bind(FitnessFunction, text)
    assert line in str(raised.value)
    assert "\n" not in str(raised.value)
