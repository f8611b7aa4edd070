"""The benchmark of scoring compares like with like, and prints what it says."""

from __future__ import annotations

import importlib
import json
from pathlib import Path

import pytest
import torch

from evo_core.seeds import generator
from evo_core.snn.view import SpikeRecord, gram_record
from evo_core.snn.weights import Weights
from evo_rdm.distances import dissimilarities, spike_patterns

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
TINY = ["--channels", "2", "--height", "8", "--batch", "6", "--steps", "3", "--repeats", "1"]


@pytest.fixture
def load(monkeypatch):
    """Give a script of the benchmarks as a module."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module


@pytest.mark.parametrize("name", ["loop", "cdist"])
def test_a_baseline_measures_the_distances_that_rdm_does(load, name):
    rng = torch.Generator().manual_seed(0)
    spikes = (torch.rand(7, 40, generator=rng) < 0.3).float()
    spikes[2] = 0
    ours = dissimilarities(
        spike_patterns([gram_record(SpikeRecord("p", 0, spikes))]), "hamming", "none"
    )[0]
    defined = ours.isfinite()
    theirs = getattr(load("baselines"), name)(spikes).double()
    assert defined.sum() == 36
    assert torch.equal(theirs[defined], ours[defined])


@pytest.mark.parametrize("name", ["loop", "cdist"])
@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_baseline_gives_the_score_that_evo_gives(load, name, shared, number):
    scoring, baselines = load("scoring"), load("baselines")
    job = scoring.job(scoring.arguments(TINY))
    plan = scoring.make_plan(job)
    drawn = scoring.random_proposals(plan.problem(), 3, generator(0, "test"))
    architecture = plan.decode(drawn[number].genome)
    network = baselines.Network(architecture, Weights(0), shared=shared)
    layers = architecture.fanout.values()
    assert len(network.neurons) == (len(layers) if shared else sum(layers))
    theirs = baselines.score(network, scoring.batch(plan), getattr(baselines, name))
    ours = scoring.make_evaluator(job).score(0, architecture).scores["rdm"].value
    assert theirs == pytest.approx(ours, rel=2e-3)  # sums in another order may flip a spike


def test_a_step_in_which_nobody_fires_is_left_out(load):
    baselines = load("baselines")
    silent = torch.zeros(1, 4, 5)
    means = []
    baselines._look(means, baselines.loop, None, None, silent)
    assert means[0].isnan()


def test_the_benchmark_prints_one_object_with_what_it_promises(load, capsys):
    load("scoring").main([*TINY, "--genomes", "2", "--json"])
    found = json.loads(capsys.readouterr().out)
    assert {
        "lean_s", "loop_s", "cdist_s", "shared_loop_s", "ratio_loop", "ratio_cdist",
        "ratio_shared_loop", "floor_s", "floor_ratio",
        "decode_s", "draw_s", "build_s", "cold_s", "with_weights", "spread",
        "shares", "load",
    } <= found.keys()  # fmt: skip
    assert found["arguments"]["channels"] == 2
    assert sum(found["shares"].values()) == pytest.approx(1, abs=0.01)
    assert all(low <= found[name] <= high for name, (low, high) in found["spread"].items())
