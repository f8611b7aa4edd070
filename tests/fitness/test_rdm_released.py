"""``rdm-released`` against the released procedure, module by module."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from evo_core.architecture import population
from evo_core.components import FitnessFunction, NoOptions
from evo_core.config import from_layers
from evo_core.evaluation import Candidate
from evo_core.genome import random_genome
from evo_core.plan import Job, make_plan
from evo_core.primitives import Neuron
from evo_core.seeds import generator
from evo_core.snn.view import SpikeRecord, View, gram_record
from evo_core.snn.worker import Evaluator
from evo_rdm.released import rdm_released


def manhattan(spikes):
    """Sum over all B * B pairs as the released code does, in float64."""
    distance = torch.nn.PairwiseDistance(p=1)  # adds its eps of 1e-6 to each difference
    rows = spikes.double()
    return float(sum(distance(rows, row.expand_as(rows)).sum() for row in rows))


def scored(*records):
    """Score ``(spikes, fanout)``."""
    grams = tuple(
        gram_record(SpikeRecord(f"p{number}", 0, spikes), fanout)
        for number, (spikes, fanout) in enumerate(records)
    )
    return rdm_released(View(None, grams), NoOptions())


@settings(deadline=None)
@given(batch=st.integers(1, 6), size=st.integers(1, 40), seed=st.integers(0, 99))
def test_one_matrix_is_summed_over_all_entries_diagonal_included(batch, size, seed):
    spikes = torch.rand(batch, size, generator=torch.Generator().manual_seed(seed)).round()
    assert scored((spikes, 1)).value == pytest.approx(manhattan(spikes), rel=1e-9)


def test_the_diagonal_is_a_millionth_per_neuron():
    assert scored((torch.tensor([[1.0, 0.0, 1.0]]), 1)).value == pytest.approx(3e-6)


def test_a_population_counts_once_for_each_edge_that_reads_it():
    apart, equal = torch.eye(2), torch.ones(2, 2)
    weighted = (3 * manhattan(apart) + manhattan(equal)) / 4
    score = scored((apart, 3), (equal, 1))
    assert score.value == pytest.approx(weighted, rel=1e-12)
    assert score.details == {"lif_modules": 4}


def test_it_is_not_divided_by_the_width():
    spikes = torch.eye(3)
    assert scored((spikes.repeat(1, 5), 1)).value == pytest.approx(5 * scored((spikes, 1)).value)


def test_a_network_without_populations_has_no_score():
    assert (scored().value, scored().status) == (None, "undefined")


@pytest.mark.parametrize("feedback", ["next-step", "same-step"])
def test_of_a_real_pass_it_is_the_mean_over_all_edges_with_neurons_and_all_steps(feedback):
    kept = []
    spy = FitnessFunction(
        name="spy",
        summary="keeps all spikes",
        goal="max",
        needs=("spikes",),
        collect=lambda record, options: (record.population, record.spikes.clone()),
        score=lambda view, options: kept.append((view.architecture, view.collected)) or 0.0,
    )
    layer = {
        "fitness": ["rdm-released", "spy"],
        "scoring": {"batch": 6, "steps": 3},
        "mse": {"cells": 3, "channels": 2, "feedback": feedback},
    }
    plan = make_plan(Job(from_layers(layer), (spy,)))
    evaluator = Evaluator(plan)
    for number in range(3):
        genome = random_genome(generator(0, "test", number), plan.space.genes)
        score = evaluator.evaluate(Candidate(number, genome, "")).scores["rdm-released"]
        architecture, records = kept.pop()
        modules = [
            population(edge.source, edge.neuron)
            for edge in architecture.edges
            for operation in edge.operations
            if isinstance(operation, Neuron)
        ]
        sums = [
            manhattan(spikes) for module in modules for name, spikes in records if name == module
        ]
        assert len(sums) == 3 * len(modules) > 3 * len({name for name, _ in records})
        assert score.details == {"lif_modules": len(modules)}
        assert score.value == pytest.approx(sum(sums) / len(sums), rel=1e-9)
