"""Rates, entropy, silent neurons and distinct patterns, counted neuron by neuron."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from evo_core.components import FitnessFunction, NoOptions, load
from evo_core.config import from_layers
from evo_core.evaluation import Candidate
from evo_core.genome import random_genome
from evo_core.plan import Job, make_plan
from evo_core.registry import installed
from evo_core.snn.view import RateRecord, SpikeRecord, View, gram_record
from evo_core.snn.worker import Evaluator

NAMES = ("firing-rate", "silent-share", "neuron-entropy", "swap")
FITNESS = installed().all(FitnessFunction)


def scored(name, populations):
    """Score populations of spikes, each ``[T, B, N]``."""
    record = FITNESS[name]
    grams, collected = [], []
    for number, spikes in enumerate(populations):
        steps = [SpikeRecord(f"p{number}", step, one) for step, one in enumerate(spikes)]
        grams += [gram_record(one) for one in steps]
        rates = RateRecord(f"p{number}", spikes.sum(0), len(spikes))
        seen = {"spikes": steps, "rates": [rates]}
        for need in set(record.needs) & set(seen):
            collected += [load(record.collect)(one, NoOptions()) for one in seen[need]]
    return load(record.score)(View(None, tuple(grams), tuple(collected)), NoOptions())


def entropy(p):
    return -sum(q * math.log2(q) for q in (p, 1 - p) if q > 0)


def reference(name, populations):
    """Count with Python's own numbers."""
    columns, values = set(), []
    for spikes in populations:
        rows = spikes.tolist()  # [T][B][N]
        neurons = range(len(rows[0][0]))
        fired = [[row[n] for step in rows for row in step] for n in neurons]
        rates = [sum(one) / len(one) for one in fired]
        columns |= {tuple(row[n] for row in step) for step in rows for n in neurons}
        numbers = {
            "firing-rate": rates,
            "silent-share": [float(rate == 0) for rate in rates],
            "neuron-entropy": [entropy(rate) for rate in rates],
        }.get(name, [0])
        values.append(sum(numbers) / len(numbers))
    return len(columns) if name == "swap" else sum(values) / len(values)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("batch", [1, 3, 8, 21])
def test_any_spikes_score_as_counted_by_hand(name, batch):
    rng = torch.Generator().manual_seed(batch)
    for share in (0.0, 0.1, 0.5, 1.0):
        drawn = [torch.rand(3, batch, size, generator=rng) for size in (1, 7, 30)]
        populations = [(one < share).float() for one in drawn]
        value = scored(name, populations).value
        assert value == pytest.approx(reference(name, populations), abs=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_a_network_without_neurons_has_no_score(name):
    score = scored(name, [])
    assert (score.status, "no population" in score.details["reason"]) == ("undefined", True)


@pytest.mark.parametrize(
    ("name", "none", "all_"),
    [("firing-rate", 0, 1), ("silent-share", 1, 0), ("neuron-entropy", 0, 0), ("swap", 1, 1)],
)
def test_silence_and_saturation_are_numbers(name, none, all_):
    assert scored(name, [torch.zeros(2, 4, 9)]).value == none
    assert scored(name, [torch.ones(2, 4, 9)]).value == all_


def test_the_largest_entropy_is_a_bit():
    assert scored("neuron-entropy", [torch.eye(2).repeat(3, 1, 1)]).value == pytest.approx(1)


def test_swap_counts_a_pattern_once_wherever_it_shows():
    spikes = torch.tensor([[[1.0, 0, 1], [0, 0, 0]]])
    score = scored("swap", [spikes, spikes, 1 - spikes])
    assert (score.value, score.details) == (4, {"columns": 9})  # 10, 00, 01, 11


def test_the_rate_is_the_one_that_every_evaluation_tells():
    layer = {"fitness": ["firing-rate"], "scoring": {"batch": 6}, "mse": {"cells": 2}}
    plan = make_plan(Job(from_layers(layer)))
    genome = random_genome(np.random.default_rng(0), plan.space.genes)
    evaluation = Evaluator(plan).evaluate(Candidate(0, genome, ""))
    told = evaluation.details["firing_rate"]
    assert evaluation.scores["firing-rate"].value == pytest.approx(told, rel=1e-6)
