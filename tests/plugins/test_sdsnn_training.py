"""sdsnn within trainings: masks at work, silent neurons, logs, reports, refusals."""

from __future__ import annotations

import csv
import math

import numpy as np
import pytest
import torch
from spikingjelly.activation_based import functional

import evo_core
from evo_core import EvoError
from evo_core.architecture import INPUT, Architecture, Edge, Node, Task
from evo_core.binding import Binder
from evo_core.components import Dataset, Development, NeuronModel, load
from evo_core.config import from_layers
from evo_core.genome import random_genome
from evo_core.plan import Job, make_plan
from evo_core.primitives import BatchNorm, Conv, Flatten, GlobalAveragePool, Linear, Neuron, Pool
from evo_core.recipe import read_recipe
from evo_core.registry import installed
from evo_core.snn.silence import pruned, silent_inputs, weight_layers
from evo_core.snn.training import Trainer

LIF = Neuron("lif", (("surrogate", "atan"),))  # whose gradient is not zero at rest
TASK = Task((1, 8, 8), 10, 2)
CHAIN = Architecture(
    TASK,
    (Node("a"), Node("b"), Node("c"), Node("out")),
    (
        Edge(INPUT, "a", (Conv(1, 8, 3), BatchNorm(8))),
        Edge("a", "b", (LIF, Pool("max", 2, 2), Conv(8, 12, 3), BatchNorm(12))),
        Edge("b", "c", (LIF, Flatten(), Linear(192, 30))),
        Edge("c", "out", (LIF, Linear(30, 10))),
    ),
    "out",
)
SUMS = Architecture(  # two edges enter b, and one of them is feedback
    TASK,
    (Node("a"), Node("b"), Node("out")),
    (
        Edge(INPUT, "a", (Conv(1, 6, 3), BatchNorm(6))),
        Edge("a", "b", (LIF, Conv(6, 6, 3), BatchNorm(6))),
        Edge(INPUT, "b", (Conv(1, 6, 3),)),
        Edge("b", "b", (LIF, Conv(6, 6, 3), BatchNorm(6)), "next-step"),
        Edge("b", "out", (LIF, GlobalAveragePool(), Linear(6, 10))),
    ),
    "out",
)
HARD = "sdsnn[spine=1,neurons=0.6,synapses=0.8,fc_rate=20.0,conv_rate=20.0]"


def trainer_of(network, text, epochs=8):
    binder = Binder(installed(), {})
    data = binder.bind(Dataset, "digits")
    splits = load(data.record.load)(data.options, None)
    recipe = read_recipe("quick", {"epochs": epochs, "samples": 60, "batch": 20})
    bound = binder.bind(Development, text)
    return Trainer(network, splits, installed().all(NeuronModel), recipe, 0, development=bound)


def epochs_of(trainer, number):
    for _ in range(number):
        while trainer.step < trainer.steps:
            trainer.make_step()
        yield trainer.end_epoch()


def structures(trainer):
    return list(trainer.developer.state.each())


@pytest.mark.parametrize("network", [CHAIN, SUMS], ids=["chain", "sums"])
def test_masked_weights_and_their_moments_are_zero_in_every_pass(network):
    trainer = trainer_of(network, HARD)
    seen = []

    def look(module, given):
        for layer, structure in structures(trainer):
            assert (layer.weight[~structure.mask] == 0).all()
            for moment in trainer.optimiser.state.get(layer.weight, {}).values():
                assert moment.ndim == 0 or (moment[~structure.mask] == 0).all()
            seen.append(int((~structure.mask).sum()))

    trainer.network.register_forward_pre_hook(look)
    list(epochs_of(trainer, 8))
    assert max(seen) > 0


def fired(trainer, layer):
    """Show noise to the network at rest, and give what a layer's neurons get and send."""
    seen = {}
    where = {id(one): name for name, one in trainer.network.named_modules()}
    behind = layer.norm or layer.module
    hook = behind.register_forward_hook(lambda module, given, made: seen.update(made=made))
    trainer.network.eval()
    with torch.no_grad():
        trainer.network(torch.rand(2, 5, 1, 8, 8))
    functional.reset_net(trainer.network)
    trainer.network.train()
    hook.remove()
    assert where[id(behind)]
    return seen["made"]


def test_a_pruned_neuron_gets_no_current_at_all_and_sends_nothing_in_the_end():
    trainer = trainer_of(CHAIN, HARD)
    for metrics in epochs_of(trainer, 8):
        gone = 0
        for layer, structure in structures(trainer):
            current = fired(trainer, layer)
            assert (current[:, :, structure.pruned] == 0).all(), metrics.epoch
            gone += int(structure.pruned.sum())
    assert gone > 5
    silent = silent_inputs(trainer.network)
    for layer in weight_layers(trainer.network):
        assert (layer.weight[:, silent[layer.name]] == 0).all()
    assert int(silent["edges.b->c.2.weight"].sum()) % 16 == 0  # 4 x 4 pixels of each channel
    assert silent["edges.c->out.1.weight"].any()


def test_silent_channels_are_found_in_sums_and_feedback_only_if_nothing_wakes_them():
    trainer = trainer_of(SUMS, "sdsnn")
    layers = {one.name: one for one in weight_layers(trainer.network)}
    into_b = ["edges.a->b.1.weight", "edges.input->b.0.weight", "edges.b~>b.1.weight"]
    head = "edges.b->out.2.weight"
    with torch.no_grad():
        for number, name in enumerate(into_b):
            assert not silent_inputs(trainer.network)[head][3], number
            layers[name].weight[3] = 0
    # nothing enters channel 3, so that its own feedback, too, has nothing to start from
    assert silent_inputs(trainer.network)[head].tolist() == [False] * 3 + [True] + [False] * 2
    layers["edges.a->b.1.weight"].norm.bias.data[3] = 0.1
    assert not silent_inputs(trainer.network)[head][3]


def test_pruned_counts_weights_that_read_silence_and_neurons_without_weights():
    trainer = trainer_of(CHAIN, "sdsnn")
    assert (pruned(trainer.network).weights, pruned(trainer.network).neurons) == (0, 0)
    first, *_ = weight_layers(trainer.network)
    first.weight.data[2] = 0
    total = sum(one.weight.numel() for one in weight_layers(trainer.network))
    gone = pruned(trainer.network)
    assert gone.weights == pytest.approx((9 + 12 * 9) / total)
    assert gone.neurons == pytest.approx(1 / 50)


def test_neurons_that_grow_again_are_awake():
    growing = "conv_growth=0.0,fc_growth=0.0,growth_base=1.0"
    trainer = trainer_of(CHAIN, f"sdsnn[spine=1,neurons=0.5,synapses=0.5,{growing}]", 14)
    asleep, woken = {}, 0
    for metrics in epochs_of(trainer, 13):
        for layer, structure in structures(trainer):
            was = asleep.get(layer.name, torch.zeros_like(structure.pruned))
            awake = was & ~structure.pruned
            woken += int(awake.sum())
            if layer.norm is not None:
                assert (layer.norm.weight[awake] == 1).all(), metrics.epoch
                assert layer.norm.weight[structure.pruned].allclose(torch.tensor(math.sqrt(1e-5)))
            asleep[layer.name] = structure.pruned.clone()
    assert woken > 0


def test_as_intended_masked_weights_learn_within_an_epoch():
    text = "sdsnn[mode=intended,spine=1,fc_rate=30.0,conv_rate=30.0]"
    trainer = trainer_of(CHAIN, text)
    list(epochs_of(trainer, 5))
    layer, structure = structures(trainer)[2]
    assert (layer.weight[~structure.mask] == 0).all()
    trainer.make_step()
    trainer.make_step()
    assert (layer.weight[~structure.mask] != 0).any()


@pytest.mark.parametrize("mode", ["improved", "intended", "released"])
def test_networks_of_the_space_mse_develop(mode):
    plan = make_plan(Job(from_layers({"mse": {"cells": 2, "channels": 4}})))
    for number in range(2):
        genome = random_genome(np.random.default_rng(number), plan.space.genes)
        trainer = trainer_of(plan.decode(genome), f"sdsnn[mode={mode},spine=1]", 5)
        *_, last = epochs_of(trainer, 5)
        assert last.numbers["pruned hidden weights"] > (0.3 if mode == "improved" else -1)
        assert all(math.isfinite(value) for value in last.numbers.values())


def test_a_training_reports_its_structure_and_goes_on_with_the_same_bytes(tmp_path):
    recipe = read_recipe("quick", {"epochs": 6, "samples": 60, "batch": 20})
    result = evo_core.train(CHAIN, recipe=recipe, develop=HARD, out=tmp_path / "one")
    rows = list(csv.DictReader((tmp_path / "one" / "log.csv").read_text().splitlines()))
    assert float(rows[0]["density edges.a->b.2.weight"]) == 1
    assert 0.4 < float(rows[-1]["pruned hidden weights"]) < 0.9
    assert result.costs.pruned_weights > 0.4
    assert result.costs.pruned_neurons == pytest.approx(float(rows[-1]["pruned hidden neurons"]))
    assert (tmp_path / "one" / "figures" / "development.svg").is_file()
    dense = evo_core.train(CHAIN, recipe=recipe, out=tmp_path / "dense").costs
    assert (dense.pruned_weights, dense.pruned_neurons) == (0, 0)
    assert dense.macs == 2 * 9 * 8 * 64 > result.costs.macs
    assert dense.energy_pj == pytest.approx(4.6 * dense.macs + 0.9 * dense.synops)
    again = evo_core.train(CHAIN, recipe=recipe, develop=HARD, out=tmp_path / "two")
    assert again.to_json(timings=False) == result.to_json(timings=False)


@pytest.mark.parametrize(
    ("text", "epochs", "words"),
    [
        ("sdsnn[fc_rate=-1.0]", 10, "fc_rate"),
        ("sdsnn[synapses=1.0]", 10, "synapses"),
        ("sdsnn[spine=0]", 10, "spine"),
        ("sdsnn[spine=18]", 20, "first acts after 38 epochs, but the training has 20; .*spine=8"),
        ("sdsnn", 4, "needs 5 epochs or more"),
        ("sdsnn[mode=intended,synapses=0.5]", 10, "belongs to mode=improved"),
        ("sdsnn[mode=faithful]", 10, "mode"),
    ],
)
def test_what_can_not_work_is_refused_in_a_line_before_anything_is_written(
    text, epochs, words, tmp_path
):
    recipe = read_recipe("quick", {"epochs": epochs, "samples": 60, "batch": 20})
    with pytest.raises(EvoError, match=words) as error:
        evo_core.train(CHAIN, recipe=recipe, develop=text, out=tmp_path / "out")
    assert "\n" not in str(error.value)
    assert not (tmp_path / "out").exists()


def test_a_network_that_is_a_classifier_alone_is_refused(tmp_path):
    edge = Edge(INPUT, "out", (Flatten(), Linear(64, 10)))
    single = Architecture(TASK, (Node("out"),), (edge,), "out")
    with pytest.raises(EvoError, match="there is none here"):
        evo_core.train(single, develop="sdsnn", out=tmp_path / "out")
    assert not (tmp_path / "out").exists()
