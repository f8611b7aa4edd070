"""Removing what is dead: the same outputs from fewer channels, whatever the graph."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from spikingjelly.activation_based import functional

from evo_core import train
from evo_core.architecture import INPUT, Architecture, Edge, Node, Task
from evo_core.binding import Binder
from evo_core.components import NeuronModel, SearchSpace, load
from evo_core.errors import EvoError, InvalidGenomeError
from evo_core.genome import random_genome
from evo_core.primitives import (
    BatchNorm,
    Clip,
    Conv,
    Flatten,
    GlobalAveragePool,
    Linear,
    Neuron,
    Pool,
)
from evo_core.recipe import read_recipe
from evo_core.registry import installed
from evo_core.snn.loaded import load_network
from evo_core.snn.network import SpikingNetwork
from evo_core.snn.removal import difference, remove_dead, without_dead
from evo_core.snn.silence import pruned, weight_layers
from evo_core.snn.weights import Weights

NEURONS = installed().all(NeuronModel)
LIF = Neuron("lif", (("surrogate", "atan"), ("threshold", 0.2)))
TASK = Task((1, 8, 8), 3, 3)
MORE = ("conv1", "conv3", "dil3", "sep3", "sep5", "avg3", "max3")
EAGER = ["lif[threshold=0.1]"]
SPACES = [
    ("mse", {"cells": 2, "channels": 4, "operations": MORE, "neurons": EAGER}),
    (
        "mse",
        {
            "cells": 2,
            "channels": 4,
            "motifs": ["FbI", "MI"],
            "feedback": "next-step",
            "neurons": EAGER,
        },
    ),
    ("mse", {"cells": 2, "channels": 3, "feedback": "same-step", "macro": "per-cell"}),
    (
        "mse",
        {"cells": 2, "channels": 3, "macro": "free", "neurons": ["lif", "if", "plif[tau=3.0]"]},
    ),
    ("mse-released", {"channels": 2}),
]


def drawn(number, seed):
    """Draw a network of a space in float64; its BatchNorm has statistics, scales and shifts."""
    name, options = SPACES[number]
    binder = Binder(installed(), {name: options})
    bound = binder.bind(SearchSpace, name)
    space = load(bound.record.build)(bound.options, binder.bind)
    rng = np.random.default_rng(seed)
    while True:
        try:
            architecture = space.decode(random_genome(rng, space.genes), TASK)
        except InvalidGenomeError:
            continue
        return built(architecture, seed)


def built(architecture, seed=0):
    network = SpikingNetwork(architecture, NEURONS, Weights(seed, dtype=torch.float64)).eval()
    generator = torch.Generator().manual_seed(seed)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            for one in (module.bias.data, module.running_mean):
                one.uniform_(-0.3, 0.3, generator=generator)
            module.running_var.uniform_(0.01, 0.2, generator=generator)
    return network


def damage(network, seed):
    """Zero weights one by one, whole rows with all that they add, and whole columns."""
    rng = np.random.default_rng(seed)
    share = rng.uniform(0.1, 0.7)
    dead = {}  # of one width all alike, so that sums and identities die as well
    with torch.no_grad():
        for layer in weight_layers(network):
            weight = layer.weight
            weight[torch.from_numpy(rng.random(weight.shape) < 0.2)] = 0
            rows = dead.setdefault(len(weight), torch.from_numpy(rng.random(len(weight)) < share))
            if not layer.last and rng.random() < 0.9:
                silence(layer, rows)
            if rng.random() < 0.1:
                weight[:, torch.from_numpy(rng.random(weight.shape[1]) < share)] = 0


def silence(layer, rows):
    adds = [layer.bias] if layer.norm is None else [layer.norm.bias, layer.norm.running_mean]
    for one in (layer.weight, *adds):
        if one is not None:
            one.data[rows] = 0


def logits(network, seed=0):
    generator = torch.Generator().manual_seed(seed)
    task = network.architecture.task
    frames = torch.rand((task.steps, 2, *task.shape), generator=generator, dtype=torch.float64)
    with torch.no_grad():
        made = network(frames)
    functional.reset_net(network)
    return made


def check(network):
    """Remove what is dead, and check all that holds for every network."""
    removed = without_dead(network)
    before, after = network.architecture, removed.architecture
    assert (logits(network) - logits(removed)).abs().max() <= 1e-6
    assert (after.parameters, after.macs) <= (before.parameters, before.macs)
    assert after.paths == before.paths
    assert set(removed.state_dict()) == set(network.state_dict())
    assert without_dead(removed).architecture.hash == after.hash
    return removed


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, len(SPACES) - 1), st.integers(0, 2**20))
def test_random_networks_compute_the_same_with_less(number, seed):
    network = drawn(number, seed)
    damage(network, seed)
    check(network)


@pytest.mark.parametrize("number", range(len(SPACES)))
def test_of_every_space_networks_shrink_whose_spikes_decide(number):
    shrunk, decided = 0, 0
    for seed in range(4):
        network = drawn(number, seed)
        damage(network, seed)
        removed = check(network)
        shrunk += removed.architecture.parameters < network.architecture.parameters
        decided += bool(logits(removed).std(1).max() > 0)  # not by the bias alone
    assert shrunk
    assert decided


def test_a_network_in_which_nothing_is_dead_comes_back_equal():
    network = drawn(1, 3)
    copy = without_dead(network)
    assert copy is not network
    assert copy.architecture.hash == network.architecture.hash
    assert torch.equal(logits(copy), logits(network))


def chain(*edges, output=3):
    """Make a graph of edges given as (source, target, operations[, stage])."""
    names = dict.fromkeys(target for _, target, *_ in edges)
    made = tuple(Edge(*one) for one in edges)
    return Architecture(Task((1, 4, 4), output, 4), tuple(map(Node, names)), made, "out")


def only(network, path, at):
    return dict(network.edge(path).named_children())[str(at)]


def sizes(network, path):
    return [
        (one.inputs, one.outputs)
        for edge, name in zip(network.architecture.edges, network.architecture.paths, strict=True)
        if name == path
        for one in edge.operations
        if isinstance(one, Conv | Linear)
    ]


def test_the_columns_of_a_silent_channel_go_behind_flatten():
    network = built(
        chain(
            (INPUT, "a", (Conv(1, 4, 3), BatchNorm(4))),
            ("a", "b", (LIF, Pool("max", 2, 2), Flatten(), Linear(16, 6))),
            ("b", "out", (LIF, Linear(6, 3))),
        )
    )
    first = weight_layers(network)[0]
    silence(first, [1, 3])
    removed = check(network)
    assert sizes(removed, INPUT + "->a") == [(1, 2)]
    assert sizes(removed, "a->b") == [(8, 6)]
    kept = only(network, "a->b", 3).weight[:, [*range(4), *range(8, 12)]]
    assert torch.equal(only(removed, "a->b", 3).weight, kept)


def test_channels_that_nothing_reads_go_although_they_fire_and_so_do_loops_that_feed_themselves():
    network = built(
        chain(
            (INPUT, "a", (Conv(1, 5, 3), BatchNorm(5))),
            (INPUT, "b", (Conv(1, 2, 3), BatchNorm(2))),
            ("b", "b", (LIF, Conv(2, 2, 3), BatchNorm(2)), "next-step"),
            ("a", "out", (LIF, GlobalAveragePool(), Linear(5, 3))),
            ("b", "out", (LIF, GlobalAveragePool(), Linear(2, 3))),
        )
    )
    only(network, "a->out", 2).weight.data[:, [0, 4]] = 0
    only(network, "b->out", 2).weight.data[:, 1] = 0
    assert sizes(check(network), "a->out") == [(3, 3)]
    assert sizes(check(network), "b->out") == [(2, 3)]  # the loop carries it to the other channel
    only(network, "b~>b", 1).weight.data[0, 1] = 0
    assert sizes(check(network), "b~>b") == [(1, 1)]


def test_a_channel_that_fires_from_a_shift_stays_while_it_is_read():
    network = built(
        chain(
            (INPUT, "a", (Conv(1, 3, 3), BatchNorm(3))),
            ("a", "out", (LIF, GlobalAveragePool(), Linear(3, 3))),
        )
    )
    first = weight_layers(network)[0]
    silence(first, [0])
    first.norm.bias.data[0] = 2.0
    assert sizes(check(network), "a->out") == [(3, 3)]


@pytest.mark.parametrize("join", ["add", "concat"])
def test_identities_and_concatenations_tie_channels_of_two_states(join):
    wide = 4 if join == "add" else 8
    graph = Architecture(
        Task((1, 4, 4), 3, 4),
        (Node("a"), Node("b"), Node("c", join), Node("out")),
        (
            Edge(INPUT, "a", (Conv(1, 4, 3), BatchNorm(4))),
            Edge(INPUT, "b", (Conv(1, 4, 3), Clip(-1))),
            Edge("a", "c"),
            Edge("b", "c"),
            Edge("c", "out", (LIF, GlobalAveragePool(), Linear(wide, 3))),
        ),
        "out",
    )
    network = built(graph)
    one, other, *_ = weight_layers(network)
    silence(one, [0, 1])
    silence(other, [1, 2])
    # of a sum goes what is silent in both, of a concatenation each part by itself
    assert sizes(check(network), "c->out") == [(3, 3)] if join == "add" else [(4, 3)]


@pytest.mark.parametrize(("groups", "left"), [(6, 4), (3, 2)])
def test_grouped_convolutions_lose_whole_groups(groups, left):
    network = built(
        chain(
            (INPUT, "a", (Conv(1, 6, 3), BatchNorm(6))),
            ("a", "b", (LIF, Conv(6, 12, 3, groups=groups), BatchNorm(12))),
            ("b", "out", (LIF, GlobalAveragePool(), Linear(12, 3))),
        )
    )
    first, grouped, _ = weight_layers(network)
    silence(first, [0, 1])
    silence(grouped, [0, 1, 2, 3])
    removed = check(network)
    operation = next(one for one in removed.architecture.edges[1].operations if one.tag == "conv")
    assert (operation.groups, operation.inputs, operation.outputs) == (left, 4, 8)
    silence(first, [0, 1, 2])
    width = 3 if groups == 6 else 4  # channel 2 shares its group with one that is alive
    silence(grouped, [4, 5])
    assert sizes(check(network), "a->b") == [(width, 2 * width)]


def test_of_each_state_one_channel_stays():
    network = built(
        chain(
            (INPUT, "a", (Conv(1, 3, 3), BatchNorm(3))),
            ("a", "b", (LIF, Conv(3, 4, 3), BatchNorm(4))),
            ("b", "out", (LIF, GlobalAveragePool(), Linear(4, 3))),
        )
    )
    last = weight_layers(network)[-1]
    last.weight.data[:] = 0
    removed = check(network)
    assert sizes(removed, "a->b") == [(1, 1)]
    assert torch.equal(logits(removed)[0, 0], last.bias)


def test_types_modes_and_the_given_network_stay_as_they_are():
    network = drawn(0, 1).float().train()
    damage(network, 1)
    before = {name: one.clone() for name, one in network.state_dict().items()}
    removed = without_dead(network)
    assert removed.training
    assert next(removed.parameters()).dtype == torch.float32
    assert all(torch.equal(one, before[name]) for name, one in network.state_dict().items())


@pytest.fixture(scope="module")
def developed(tmp_path_factory):
    """Give ``developed(network)``: the folder of a short training with sdsnn on digits."""

    def trained(network):
        hard = "sdsnn[spine=1,neurons=0.6,synapses=0.8,fc_rate=20.0,conv_rate=20.0]"
        recipe = read_recipe("quick", {"epochs": 6, "samples": 60, "batch": 20})
        folder = tmp_path_factory.mktemp("removal") / "training"
        return train(network, recipe=recipe, develop=hard, out=folder).folder

    return trained


@pytest.mark.parametrize("name", ["2fc[hidden=30]", "2conv2fc[channels=6,hidden=20]"])
def test_after_a_training_with_sdsnn_fewer_parameters_and_macs_are_left(developed, name):
    loaded = load_network(str(developed(f"reference:{name}")))
    assert pruned(loaded.network).neurons > 0.1
    removed = remove_dead(loaded)
    before, after = loaded.architecture, removed.architecture
    assert after.parameters < 0.9 * before.parameters
    assert after.macs < 0.9 * before.macs
    assert difference(loaded.network, removed.network) <= 1e-6
    assert removed.network.architecture is after


def test_with_neurons_that_fire_without_current_it_is_refused():
    loaded = load_network("reference:2fc[hidden=8,spiking_output=false]")
    eager = Neuron("if", (("surrogate", "atan"), ("threshold", -1.0)))
    network = built(
        chain((INPUT, "a", (Flatten(), Linear(16, 4))), ("a", "out", (eager, Linear(4, 3))))
    )
    silence(weight_layers(network)[0], [2])
    wrong = replace(loaded, network=network, architecture=network.architecture)
    with pytest.raises(EvoError, match="does not compute the same without what is dead"):
        remove_dead(wrong)
