"""``synops`` and ``energy``: counts by hand, from the spikes themselves, and their limits."""

from __future__ import annotations

import copy
import dataclasses
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from spikingjelly.activation_based import base
from spikingjelly.activation_based.op_counter import (
    DispatchCounterMode,
    MACCounter,
    SynOpCounter,
    estimate_simple_energy,
)
from spikingjelly.activation_based.op_counter.simple_energy import SimpleEnergyCostConfig
from torch.nn import functional

from evo_core import EvoError, RunFailedError
from evo_core.architecture import Architecture, Edge, Node, Task
from evo_core.basis import basis_of
from evo_core.components import FitnessFunction, NeuronModel
from evo_core.config import from_layers
from evo_core.evaluation import Candidate
from evo_core.genome import random_genome
from evo_core.plan import Job, make_plan
from evo_core.primitives import Conv, Flatten, GlobalAveragePool, Linear, Neuron
from evo_core.recipe import ShortTraining
from evo_core.registry import installed
from evo_core.snn.costs import AC_PJ, MAC_PJ
from evo_core.snn.network import SpikingNetwork
from evo_core.snn.training import Trainer
from evo_core.snn.view import View
from evo_core.snn.weights import Weights
from evo_core.snn.worker import Evaluator
from evo_energy.plugin import CostOptions
from evo_energy.scores import energy, operations, synops

IF = Neuron("if", (("threshold", 1.0),))


def chain(task, *layers):
    """Make a network of edges in a row; the last gives the logits."""
    names = ["input", *(f"n{i}" for i in range(1, len(layers))), "logits"]
    edges = tuple(Edge(names[i], names[i + 1], layer) for i, layer in enumerate(layers))
    return Architecture(task, tuple(map(Node, names[1:])), edges, "logits")


def module_of(architecture, weight=None):
    module = SpikingNetwork(architecture, installed().all(NeuronModel), Weights(0))
    for parameter in module.parameters():
        if weight is not None:
            parameter.data.fill_(weight)
    return module


def view(architecture, inputs, weight=None):
    return View(architecture, inputs=inputs, network=lambda: module_of(architecture, weight))


def spots(*places, steps=2, batch=2):
    """Give frames of 1x3x3 that are 1 at the given (step, sample, row, column), 0 elsewhere."""
    frames = torch.zeros(steps, batch, 1, 3, 3)
    for step, sample, row, column in places:
        frames[step, sample, 0, row, column] = 1
    return frames


@pytest.mark.parametrize(
    ("place", "weights"), [((1, 1), 9), ((0, 1), 6), ((0, 0), 4), ((2, 1), 6), ((2, 2), 4)]
)
def test_a_spike_meets_the_weights_that_lie_within_the_map(place, weights):
    net = chain(Task((1, 3, 3), 45, 2), (IF, Conv(1, 5, 3), Flatten()))
    counted = operations(view(net, spots((0, 0, *place))))
    assert (counted.synops, counted.macs) == (weights * 5 / 2, 0)  # 5 channels, 2 samples


def test_the_operations_of_a_network_with_known_spikes_are_those_counted_by_hand():
    # the spike at step 0 drives 2 channels x 9 pixels over the threshold, which meet 4 classes
    layers = (IF, Conv(1, 2, 3)), (IF, Flatten(), Linear(18, 4))
    net = chain(Task((1, 3, 3), 4, 2), *layers)
    seen = view(net, spots((0, 0, 1, 1)), weight=1.5)
    by_hand = 9 * 2 + 18 * 4
    assert operations(seen).synops == by_hand / 2
    assert synops(seen, CostOptions()).value == by_hand / 2
    assert energy(seen, CostOptions()).value == pytest.approx(0.9 * by_hand / 2)
    assert synops(seen, CostOptions()).details == {"synops": by_hand / 2, "macs": 0}


def test_weights_that_read_images_multiply_at_every_step_and_on_frames_of_spikes_they_add():
    net = chain(Task((1, 3, 3), 2, 2), (Conv(1, 3, 3),), (IF, Flatten(), Linear(27, 2)))
    images = torch.full((2, 2, 1, 3, 3), 0.5)
    counted = operations(view(net, images, weight=1.5))
    assert counted.macs == 2 * 9 * 3 * 9  # T, weights of a channel, channels, pixels
    assert counted.synops == 2 * 27 * 2  # every current is 2 or more: all fire at every step
    value = energy(view(net, images, weight=1.5), CostOptions()).value
    assert value == pytest.approx(4.6 * counted.macs + 0.9 * counted.synops)
    events = operations(view(net, spots((0, 0, 1, 1)), weight=1.5))
    assert (events.macs, events.synops) == (0, (27 + 27 * 2) / 2)


def test_a_linear_layer_behind_an_average_multiplies():
    net = chain(Task((1, 3, 3), 2, 2), (IF, GlobalAveragePool(), Linear(1, 2)))
    counted = operations(view(net, spots((0, 0, 1, 1), (1, 0, 0, 0))))
    assert (counted.synops, counted.macs) == (0, 2 * 2 * 2 / 2)


def test_at_full_rate_and_without_padding_the_operations_are_those_of_the_graph():
    net = chain(Task((3, 1, 1), 4, 5), (IF, Flatten(), Linear(3, 6)), (IF, Linear(6, 4)))
    counted = operations(view(net, torch.ones(5, 2, 3, 1, 1), weight=1.5))
    assert counted.synops == 5 * net.macs
    assert counted.macs == 0


@pytest.mark.parametrize("function", [synops, energy])
def test_a_network_whose_spikes_meet_no_weight_is_undefined_not_the_best(function):
    layers = (Conv(1, 3, 3),), (Neuron("if", (("threshold", 1e6),)), Flatten(), Linear(27, 2))
    score = function(
        view(chain(Task((1, 3, 3), 2, 2), *layers), torch.rand(2, 2, 1, 3, 3)), CostOptions()
    )
    assert (score.value, score.details["synops"]) == (None, 0)
    assert score.details["macs"] > 0


def test_the_constants_are_those_of_spikingjelly_and_so_is_the_energy_of_the_macs():
    costs = SimpleEnergyCostConfig.fp32()
    assert (costs.e_mac_pj, costs.e_ac_pj) == (MAC_PJ, AC_PJ)
    net = chain(Task((1, 3, 3), 2, 2), (Conv(1, 3, 3),), (IF, Flatten(), Linear(27, 2)))
    images = torch.rand(2, 2, 1, 3, 3)
    report = estimate_simple_energy(module_of(net), (images,))
    assert report.energy_mac_pj == pytest.approx(4.6 * 2 * operations(view(net, images)).macs)


@pytest.mark.parametrize("repeats", [2, 3])
def test_counts_are_per_sample(repeats):
    net = chain(Task((1, 3, 3), 2, 2), (Conv(1, 3, 3),), (IF, Flatten(), Linear(27, 2)))
    images = torch.rand(2, 2, 1, 3, 3) * 3
    once = operations(view(net, images, weight=0.3))
    assert operations(view(net, images.repeat(1, repeats, 1, 1, 1), weight=0.3)) == once
    assert once.synops > 0


def of_spikes(architecture, spikes):
    """Count from the spikes of each population, ``[B, C, H, W]`` per step, with float64 sums."""
    total = 0.0
    for edge in architecture.edges:
        if edge.neuron is None or not isinstance(conv := edge.operations[1], Conv):
            continue
        ones = torch.ones(conv.outputs, conv.inputs // conv.groups, conv.kernel, conv.kernel)
        where = (conv.stride, conv.padding, conv.dilation, conv.groups)
        for fired in spikes[edge.source]:
            total += float(functional.conv2d(fired.double(), ones.double(), None, *where).sum())
    return total


@pytest.mark.parametrize(
    ("statistics", "mse"),
    [
        ("step", {"feedback": "next-step", "macro": "per-cell"}),
        ("step", {"feedback": "same-step", "operations": ["conv3", "dil3", "sep3", "avg3"]}),
        ("sequence", {"feedback": "same-step"}),
    ],
)
def test_the_counts_follow_the_very_spikes_that_the_pass_sees(statistics, mse):
    seen = {}

    def collect(record, options):
        seen.setdefault(record.population.partition(":")[0], []).append(record.spikes.clone())

    spying = FitnessFunction(
        name="spying", summary="", goal="max", needs=("spikes",), collect=collect,
        score=lambda view, options: 0.0,
    )  # fmt: skip
    layer = {
        "fitness": ["spying", "synops", "energy"],
        "mse": {"cells": 3, "channels": 2} | mse,
        "scoring": {"batch": 5, "steps": 3, "statistics": statistics},
    }
    plan = make_plan(Job(from_layers(layer), (spying,)))
    evaluator, rng = Evaluator(plan), np.random.default_rng(0)
    for number in range(4):
        seen.clear()
        genome = random_genome(rng, plan.space.genes)
        scores = evaluator.evaluate(Candidate(number, genome, "")).scores
        net = plan.decode(genome)
        spikes = {
            name: [one.reshape(5, *net.shapes[name]) for one in fired]
            for name, fired in seen.items()
        }
        counted = scores["synops"]
        assert counted.value == of_spikes(net, spikes) / 5 > 0
        assert counted.value + counted.details["macs"] <= 3 * net.macs
        assert scores["energy"].value == pytest.approx(
            0.9 * counted.value + 4.6 * counted.details["macs"]
        )
        assert (counted.goal, counted.forwards) == ("min", 2)


SMALL = {"mse": {"cells": 2, "channels": 2}, "scoring": {"batch": 5, "steps": 2, "batches": 2}}
SHORT = "epochs=1,samples=64"


def evaluated(*fitness, inits=(), components=()):
    plan = make_plan(Job(from_layers(SMALL | {"fitness": list(fitness)}), tuple(components)))
    genome = random_genome(np.random.default_rng(1), plan.space.genes)
    return Evaluator(plan).evaluate(Candidate(0, genome, "", inits=inits)).scores


def test_a_trained_network_is_counted_with_its_running_statistics_and_left_as_it_is(monkeypatch):
    counted, trained, states = [], [], []

    def score(view, options):
        found = view.trained(options.recipe)
        trained.append(found.network)
        states.append({name: one.clone() for name, one in found.network.state_dict().items()})
        network = copy.deepcopy(found.network).eval()
        counters = SynOpCounter(), MACCounter(extra_ignore_modules=[torch.nn.BatchNorm2d])
        with torch.no_grad(), DispatchCounterMode(list(counters)):
            for frame in view.inputs:
                network(frame[None])
        counted.append(counters[0].get_total() / view.inputs.shape[1])
        return 1.0

    mine = FitnessFunction(
        name="mine", summary="", goal="max", needs=("trained",), score=score, options=ShortTraining
    )
    text = f"synops[at=trained,{SHORT}]"
    scores = evaluated(f"mine[{SHORT}]", text, components=[mine])
    assert scores["synops[at=trained,epochs=1,samples=64]"].value == pytest.approx(np.mean(counted))
    (network,) = set(trained)
    assert all(module.training for module in network.modules())
    for name, value in network.state_dict().items():
        assert torch.equal(value, states[0][name]), name
    assert all(isinstance(one, float) for one in base.extract_memories(network) if one != {})


def test_training_changes_the_counts():
    at_init, trained = evaluated("synops", f"synops[at=trained,{SHORT}]").values()
    assert at_init.value != trained.value
    assert (at_init.backwards, trained.backwards > 0) == (0, True)


def test_accuracy_and_costs_share_one_training(monkeypatch):
    steps = []
    make_step = Trainer.make_step
    monkeypatch.setattr(Trainer, "make_step", lambda self: (steps.append(1), make_step(self)))
    texts = f"accuracy[{SHORT}]", f"synops[at=trained,{SHORT}]", f"energy[at=trained,{SHORT}]"
    assert all(score.status == "ok" for score in evaluated(*texts).values())
    assert len(steps) == 2  # 64 samples in batches of 32


def test_costs_after_a_training_that_diverges_are_undefined(monkeypatch):
    def diverge(self):
        raise RunFailedError("the loss is nan")

    monkeypatch.setattr(Trainer, "make_step", diverge)
    (score,) = evaluated("energy[at=trained]").values()
    assert (score.value, score.status) == (None, "undefined")
    assert score.details["repeats"][0]["reason"] == "the loss is nan"


def test_a_training_that_is_not_asked_for_is_refused():
    with pytest.raises(EvoError, match="describe a training; add at=trained"):
        evaluated("synops[epochs=2]")


def test_caches_tell_the_two_apart_and_know_what_was_trained_on():
    plan = make_plan(Job(from_layers(SMALL | {"fitness": ["synops", "synops[at=trained]"]})))
    found = basis_of(plan).addresses()
    assert found["synops"] != found["synops[at=trained]"]
    fewer = dataclasses.replace(plan.splits, validation=plan.splits.validation.take(slice(50)))
    other = basis_of(dataclasses.replace(plan, splits=fewer)).addresses()
    assert other["synops"] == found["synops"]
    assert other["synops[at=trained]"] != found["synops[at=trained]"]


@pytest.mark.slow
def test_scoring_prints_the_scores_and_nothing_else():
    evo = Path(sys.executable).with_name("evo")
    target = ["score", "reference:2fc[hidden=9,spiking_output=false]", "--fitness", "synops,energy"]
    done = subprocess.run([evo, *target], capture_output=True, text=True, check=True, timeout=120)
    assert done.stderr == ""
    assert [line.split()[0] for line in done.stdout.splitlines()[1:]] == ["synops", "energy"]
