"""The scoring pass computes what the SpikingJelly module computes, spike for spike."""

from __future__ import annotations

from collections import defaultdict

import pytest
import torch

from evo_core.architecture import Architecture, Edge, Node, Task
from evo_core.errors import EvoError
from evo_core.primitives import BatchNorm, Clip, Conv, GlobalAveragePool, Linear, Neuron

LIF = ("lif", "lif[tau=3.0,threshold=0.3]")
MORE = ("conv1", "conv3", "dil3", "dil5", "sep3", "sep5", "avg3", "max3")
# 13 spaces of 25 genomes each: 325 in all, with T from 1 to 10
SPACES = [
    ((1, 8, 8), 4, {"feedback": "next-step"}),
    ((1, 8, 8), 5, {"feedback": "next-step", "macro": "per-cell"}),
    ((3, 9, 11), 3, {"feedback": "next-step", "neurons": LIF}),
    ((2, 16, 8), 2, {"feedback": "next-step", "motifs": ["FbI", "MI"], "reductions": 2}),
    ((1, 8, 8), 4, {"feedback": "same-step", "macro": "per-cell", "neurons": LIF}),
    ((3, 13, 13), 3, {"feedback": "same-step"}),
    ((1, 8, 8), 5, {"feedback": "same-step", "motifs": ["FbI", "MI"]}),
    ((2, 8, 8), 1, {"feedback": "same-step", "operations": ["conv1", "conv3", "conv7"]}),
    ((1, 8, 8), 3, {"operations": MORE, "reductions": 2}),
    ((2, 11, 9), 10, {"operations": MORE, "macro": "free", "cells": 5}),
    ((1, 8, 8), 4, {"neurons": ["lif", "if", "plif[tau=3.0]"], "feedback": "same-step"}),
    ((2, 9, 12), 3, {"plain_reductions": True, "reductions": 1, "macro": "per-cell"}),
    ((3, 17, 15), 2, {"neurons": ["if[threshold=1.5]", "plif"], "macro": "free", "cells": 4}),
]


def record_spikes(network):
    """Give a list per population that its spikes are put into, call by call."""
    seen = defaultdict(list)

    def listen(name):
        def hook(module, given, spikes):
            seen[name].extend(spikes.detach())

        return hook

    for name, population in network.populations.items():
        population.register_forward_hook(listen(name))
    return seen


def step_by_step(network, frames):
    with torch.no_grad():
        return torch.cat([network(frames[step : step + 1]) for step in range(len(frames))])


def assert_same_spikes(spikes, seen, steps):
    assert {name.replace(".", "_") for name, _ in spikes} == set(seen)
    assert {step for _, step in spikes} == set(range(steps))
    for (name, step), fired in spikes.items():
        assert torch.equal(fired, seen[name.replace(".", "_")][step]), (name, step)
        assert set(fired.unique().tolist()) <= {0.0, 1.0}
    assert all(len(given) == steps for given in seen.values())


@pytest.mark.parametrize(("shape", "steps", "options"), SPACES)
def test_the_scoring_pass_equals_the_module_spike_for_spike(
    draw, frames_of, score, build, shape, steps, options
):
    settings = {"cells": 3, "channels": 2} | options
    fired = 0.0
    for seed, architecture in enumerate(draw(25, steps, Task(shape, 3, steps), **settings)):
        frames = frames_of(architecture, seed=seed)
        logits, spikes = score(architecture, frames, seed)
        network = build(architecture, seed)
        seen = record_spikes(network)
        expected = step_by_step(network, frames)
        assert_same_spikes(spikes, seen, steps)
        assert torch.allclose(logits, expected, rtol=1e-12, atol=1e-14)
        fired += sum(float(one.sum()) for one in spikes.values())
    assert fired > 0


@pytest.mark.parametrize("macro", ["chain", "per-cell"])
def test_with_statistics_of_the_sequence_it_equals_the_module_in_one_multi_step_call(
    draw, frames_of, score, build, macro
):
    options = {"cells": 3, "channels": 2, "feedback": "same-step", "macro": macro}
    differs = 0
    for seed, architecture in enumerate(draw(12, 3, Task((1, 8, 8), 3, 4), **options)):
        frames = frames_of(architecture, seed=seed)
        logits, spikes = score(architecture, frames, seed, statistics="sequence")
        network = build(architecture, seed)
        seen = record_spikes(network)
        with torch.no_grad():
            expected = network(frames)
        assert_same_spikes(spikes, seen, 4)
        assert torch.allclose(logits, expected, rtol=1e-12, atol=1e-14)
        differs += not torch.allclose(logits, score(architecture, frames, seed)[0])
    assert differs > 0


def test_statistics_of_the_sequence_are_refused_with_next_step_feedback(small, frames_of, score):
    architecture = small(0, motifs=["FbI", "MI"])
    with pytest.raises(EvoError, match="does not go with next-step feedback; take 'step'"):
        score(architecture, frames_of(architecture), statistics="sequence")


def handmade():
    """A graph unlike any cell: spikes of the input, an inner neuron, delays, a shared source."""
    lif = Neuron("lif", (("tau", 2.0), ("threshold", 0.2)))
    slow = Neuron("lif", (("tau", 4.0), ("threshold", 0.3)))
    conv = Conv(2, 2, 3)
    edges = (
        Edge("input", "a", (lif, Conv(1, 2, 3), BatchNorm(2))),
        Edge("a", "b", (conv, BatchNorm(2), lif, Conv(2, 2, 1), Clip(1))),
        Edge("a", "b", (slow, conv, BatchNorm(2), Clip(-1))),
        Edge("a", "b", (), "next-step"),
        Edge("c", "a", (lif, conv, BatchNorm(2)), "next-step"),
        Edge("b", "c", (lif, conv, BatchNorm(2))),
        Edge("b", "c", (lif, Conv(2, 2, 1))),
        Edge("a", "d", (slow, conv)),
        Edge("c", "d", (slow,)),
        Edge("d", "logits", (lif, GlobalAveragePool(), Linear(4, 3))),
    )
    nodes = (Node("a"), Node("b"), Node("c"), Node("d", "concat"), Node("logits"))
    return Architecture(Task((1, 6, 5), 3, 5), nodes, edges, "logits")


def test_both_executors_agree_on_a_graph_that_is_no_chain_of_cells(frames_of, score, build):
    architecture = handmade()
    frames = frames_of(architecture, 4)
    logits, spikes = score(architecture, frames)
    network = build(architecture)
    seen = record_spikes(network)
    assert torch.allclose(logits, step_by_step(network, frames), rtol=1e-12, atol=1e-14)
    inner = "a->b/2"
    assert {(inner, step) for step in range(5)} <= set(spikes)
    outside = {key: fired for key, fired in spikes.items() if key[0] != inner}
    assert_same_spikes(outside, seen, 5)


def test_the_edges_that_leave_a_state_through_one_neuron_share_one_population(frames_of, score):
    architecture = handmade()
    _, spikes = score(architecture, frames_of(architecture))
    populations = {name for name, _ in spikes}
    assert sum(name.startswith("b:") for name in populations) == 1
    assert sum(name.startswith("a:") for name in populations) == 1  # its lif stands inside an edge
    assert sum(name.startswith("c:") for name in populations) == 2


def test_two_passes_of_one_network_are_equal_and_another_seed_differs(small, frames_of, score):
    architecture = small(1)
    frames = frames_of(architecture)
    first, again, other = (score(architecture, frames, seed)[0] for seed in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.allclose(first, other)
