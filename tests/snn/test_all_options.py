"""Whatever the options, the data and the genome: it decodes, both executors agree, it scores."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from spikingjelly.activation_based import functional

from evo_core import array_dataset
from evo_core.config import from_layers
from evo_core.evaluation import Candidate
from evo_core.executors import make_evaluator
from evo_core.genome import random_genome
from evo_core.plan import Job, make_plan
from evo_core.snn.network import SpikingNetwork
from evo_core.snn.scoring import untrained_pass
from evo_core.snn.weights import Weights
from evo_mse.operations import OPERATIONS

HONEST = ("ok", "silent", "saturated")


def some(choices, most=3, least=1):
    return st.lists(st.sampled_from(choices), min_size=least, max_size=most, unique=True)


@st.composite
def space_options(draw):
    cells = draw(st.integers(1, 4))
    plain = cells > 1 and draw(st.booleans())
    reductions = draw(st.integers(1, cells - 1)) if plain else None
    return {
        "cells": cells,
        "channels": draw(st.integers(1, 3)),
        "inputs": draw(some([2, 3, 4])),
        "macro": draw(st.sampled_from(["chain", "per-cell", "free"])),
        "motifs": draw(some(["FE", "FI", "FbI", "LI", "MI"], most=5, least=2)),
        "operations": draw(some(sorted(OPERATIONS))),
        "neurons": draw(some(["lif", "if", "plif", "lif[tau=3.5,threshold=0.2]"])),
        "feedback": draw(st.sampled_from(["next-step", "same-step"])),
        "plain_reductions": plain,
    } | ({"reductions": reductions} if plain else {})


@st.composite
def data_sets(draw):
    steps, channels = draw(st.integers(1, 10)), draw(st.integers(1, 3))
    size = draw(st.tuples(st.integers(8, 48), st.integers(8, 48)))
    rng = np.random.default_rng(draw(st.integers(0, 999)))
    events = draw(st.booleans())
    shape = (12, steps, channels, *size) if events else (12, channels, *size)
    inputs = (rng.random(shape) < 0.3 if events else rng.random(shape)).astype(np.float32)
    return array_dataset("any", inputs, np.arange(12) % 3), steps


@pytest.mark.slow
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(options=space_options(), data=data_sets(), seed=st.integers(0, 10**6))
def test_every_genome_of_every_space_agrees_in_both_executors_and_scores(options, data, seed):
    dataset, steps = data
    layer = {
        "data": "any",
        "fitness": ["rdm", "rdm[metric=pearson,feature=rate]", "params"],
        "mse": options,
        "scoring": {"steps": steps, "batch": 3},
    }
    job = Job(from_layers(layer), (dataset,))
    plan = make_plan(job)
    genome = random_genome(np.random.default_rng(seed), plan.space.genes)
    evaluation = make_evaluator(job).evaluate(Candidate(0, genome, ""))
    assert evaluation.status in HONEST, evaluation.error
    assert all(score.status in ("ok", "undefined") for score in evaluation.scores.values())
    assert_executors_agree(plan, plan.decode(genome))


def assert_executors_agree(plan, architecture):
    samples = plan.splits.batch(3, 0, 0)
    frames = torch.tensor(samples.frames(plan.task.steps), dtype=torch.float64)
    weights = Weights(0, dtype=torch.float64)
    spikes = {}

    def on_spikes(name, step, fired):
        spikes.update({(name, number): one for number, one in enumerate(fired, step)})

    logits = untrained_pass(
        architecture,
        frames,
        neurons=plan.neurons,
        weights=weights,
        on_spikes=on_spikes,
    )
    network = SpikingNetwork(architecture, plan.neurons, weights)
    seen = {}
    for name, population in network.populations.items():
        population.register_forward_hook(
            lambda module, given, fired, name=name: seen.setdefault(name, []).extend(fired)
        )
    with torch.no_grad():
        expected = torch.cat([network(frames[t : t + 1]) for t in range(len(frames))])
    functional.reset_net(network)
    assert torch.allclose(logits, expected, rtol=1e-12, atol=1e-14)
    for (name, step), fired in spikes.items():
        assert torch.equal(fired, seen[name.replace(".", "_")][step]), (name, step)
