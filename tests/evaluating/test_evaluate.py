"""``evo_core.evaluate``: what is measured is what it is said to be."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from spikingjelly.activation_based import functional

from evo_core import evaluate
from evo_core.architecture import Architecture, Edge, Node, Task
from evo_core.components import NeuronModel
from evo_core.evaluating.answering import _confusion
from evo_core.evaluating.measuring import Show
from evo_core.evaluating.question import Condition
from evo_core.evaluating.rates import watching
from evo_core.primitives import Flatten, Linear, Neuron
from evo_core.registry import installed
from evo_core.snn.costs import counting
from evo_core.snn.encoding import encoded
from evo_core.snn.loaded import load_network
from evo_core.snn.network import SpikingNetwork
from evo_core.snn.training import Trainer
from evo_core.snn.weights import Weights

from .conftest import COUNTS, EVENTS, FRAMES


@pytest.fixture(scope="module")
def found(trainings):
    """Evaluate two networks side by side under everything that images allow."""
    return evaluate(
        [trainings["wide"].folder, trainings["narrow"].folder],
        noise=["salt-pepper:0.4", "gaussian:0.5,0.1,0", "gaussian:0.2"],
        timesteps=[1, 4, 6],
        samples=120,
        repeats=2,
    )


def test_clean_is_what_the_training_measured(trainings):
    for name in ("wide", "narrow"):
        one = evaluate(trainings[name].folder, energy=()).checkpoints[0]
        test = trainings[name].test
        assert one.clean.accuracy.value == test.accuracy
        assert one.clean.loss.value == pytest.approx(test.loss, rel=1e-5)
        assert one.trained


def test_the_first_draw_of_spikes_is_that_of_a_training(trainings):
    training = trainings["spikes"]
    found = evaluate(training.folder, energy=(), repeats=1).checkpoints[0]
    assert found.clean.accuracy.value == training.test.accuracy
    thrice = evaluate(training.folder, energy=(), repeats=3).checkpoints[0]
    assert thrice.clean.draws == 3
    assert thrice.clean.loss.value != found.clean.loss.value
    assert np.sum(thrice.confusion) == 3 * 359


def test_every_curve_of_noise_begins_clean_and_rises_in_level(found):
    for one in found.checkpoints:
        curve = one.curve("gaussian")
        assert [point.condition.level for point in curve] == [0, 0.1, 0.2, 0.5]
        assert curve[0] == one.clean
        assert [point.draws for point in curve] == [1, 2, 2, 2]


def test_noise_is_drawn_alike_for_every_network(trainings, found):
    """Alone or behind another one, a network sees the same."""
    alone = evaluate(
        trainings["narrow"].folder, noise=["gaussian:0.2"], samples=120, repeats=2, energy=()
    )
    beside, first = found.checkpoints[1].curve("gaussian")[2], alone.checkpoints[0]
    assert first.curve("gaussian")[1].accuracy == beside.accuracy
    assert first.curve("gaussian")[1].loss == beside.loss


def test_a_network_differs_from_itself_in_nothing(trainings):
    folder = trainings["wide"].folder
    two = [folder, folder / "epoch-3"]
    pair = evaluate(two, noise=["shot:0.5"], samples=60, repeats=2, energy=()).checkpoints[1]
    for point in (pair.clean, *pair.points):
        assert point.difference.value == 0
        assert point.difference.low < 0 < point.difference.high


def test_other_draws_come_of_another_seed(trainings):
    one, two = (
        evaluate(trainings["narrow"].folder, noise=["gaussian:0.5"], seed=seed, energy=())
        for seed in (0, 1)
    )
    first, second = one.checkpoints[0], two.checkpoints[0]
    assert first.clean == second.clean
    assert first.points[0].loss != second.points[0].loss


def test_the_time_steps_it_was_trained_with_change_nothing(found):
    for one in found.checkpoints:
        curve = {point.steps: point for point in one.curve("timesteps")}
        assert list(curve) == [1, 4, 6]
        assert curve[4].accuracy == one.clean.accuracy
        assert curve[4].loss == one.clean.loss
        assert curve[1].loss != one.clean.loss


def test_more_steps_go_on_where_fewer_end(trainings):
    """Logits of six steps begin with those of four."""
    one = load_network(str(trainings["wide"].folder))
    show = Show(one.plan.splits.test.take(slice(0, 20)), (0, 1), 1, 0, "cpu", lambda: None)
    with torch.no_grad():
        four, six = (
            one.network(show.frames(one, show.samples, Condition("timesteps", steps), 0, 0))
            for steps in (4, 6)
            if functional.reset_net(one.network) is None
        )
    functional.reset_net(one.network)
    assert torch.allclose(six[:4], four, atol=1e-5)


def test_the_confusion_matrix_adds_up(found, trainings):
    labels = load_network(str(trainings["wide"].folder)).plan.splits.test.labels
    for one in found.checkpoints:
        counts = np.array(one.confusion)
        assert counts.sum() == 120
        assert np.trace(counts) / 120 == pytest.approx(one.clean.accuracy.value)
        assert abs(counts.sum(1) - np.bincount(labels) * 120 / 359).max() < 1.5
        assert one.recall[3] == counts[3, 3] / counts[3].sum()


def test_labels_of_one_byte_are_counted_where_they_are():
    counts = np.array(_confusion(np.array([[19, 0]]), np.array([18, 19], np.uint8), 20))
    assert counts.sum() == 2
    assert counts[18, 19] == counts[19, 0] == 1


def test_synops_and_rates_are_those_of_one_pass(found, trainings):
    from evo_core.snn.training import subset

    one = load_network(str(trainings["wide"].folder))
    rows = subset(one.plan.splits.test.labels, 120, 0)
    frames = encoded(one.plan.splits.test.take(rows), 4, "direct", np.random.default_rng(0))
    fired = []
    hooks = [
        node.register_forward_hook(lambda node, given, made: fired.append(float(made.mean())))
        for node in one.network.populations.values()
    ]
    with torch.no_grad(), counting(one.network) as counter:
        one.network(frames)
    for hook in hooks:
        hook.remove()
    made, told = counter.per_sample(120), found.checkpoints[0]
    assert (told.synops, told.macs) == (made.synops, made.macs)
    assert told.energy_pj == pytest.approx(made.picojoules)
    assert list(told.rates.values()) == pytest.approx(fired, rel=1e-5)
    assert [name.partition(":")[0] for name in told.rates] == ["fc1"]


def test_energy_models_stand_side_by_side(found):
    models = found.checkpoints[0].models
    assert list(models) == ["evo", "simple", "spikesim"]
    assert models["evo"]["samples"] == models["simple"]["samples"] == 64
    assert models["evo"]["counts"]["synops"] == models["simple"]["counts"]["synop"]
    assert models["simple"]["compute_pj"] >= models["evo"]["pj"]
    assert models["spikesim"]["pj"] is None
    assert "No supported Conv2d" in models["spikesim"]["reason"]
    assert all(one["assumes"] for one in models.values())


def test_a_convolution_has_an_energy_on_crossbars():
    one = evaluate(
        "mse:0,0,0,0,0,0,0,0,0,0", config={"mse": {"cells": 1, "channels": 4}}, samples=5
    )
    found = one.checkpoints[0]
    assert found.models["spikesim"]["pj"] > 0
    assert not found.trained


def test_the_same_question_gives_the_same_bytes(trainings, tmp_path):
    for name in ("a", "b"):
        evaluate(
            [trainings["wide"].folder, trainings["spikes"].folder],
            noise=["shot:0.3"], timesteps=[1, 3], samples=40, repeats=2, out=tmp_path / name,
        )  # fmt: skip
    one, two = (
        {str(path.relative_to(tmp_path / name)): path.read_bytes()
         for path in sorted((tmp_path / name).rglob("*.*"))}
        for name in ("a", "b")
    )  # fmt: skip
    assert one == two
    named = {"confusion", "rates", "robustness", "timesteps"}
    figures = {f"figures/{name}.{suffix}" for name in named for suffix in ("svg", "png")}
    assert set(one) == {"evaluation.json", "evaluation.csv"} | figures
    text = one["evaluation.json"].decode()
    data = json.loads(text, parse_constant=pytest.fail)
    assert [each["origin"].split(" of ")[0] for each in data["checkpoints"]] == ["epoch 3"] * 2
    lines = one["evaluation.csv"].decode().splitlines()
    assert len(lines) == 1 + 2 * (1 + 2 + 2)  # clean, two levels of shot, two numbers of steps


def test_without_any_event_a_network_sees_nothing(of_events):
    found = evaluate(of_events, data=EVENTS, drop_events=[1.0], timesteps=[2, FRAMES], energy=())
    one = found.checkpoints[0]
    network = load_network(str(of_events), components=[EVENTS])
    test = network.plan.splits.test
    empty = torch.zeros(FRAMES, len(test), *COUNTS.shape[2:])
    with torch.no_grad():
        taken = network.network(empty).mean(0).argmax(1).numpy()
    dark = one.curve("drop-events")[1]
    assert dark.accuracy.value == (taken == test.labels).mean()
    assert one.clean.accuracy.value > 0.7 > dark.accuracy.value
    assert one.curve("timesteps")[1].accuracy == one.clean.accuracy


def test_without_any_spike_an_encoded_image_is_dark(trainings):
    found = evaluate(trainings["spikes"].folder, drop_events=[0.2, 1.0], repeats=2, energy=())
    one = found.checkpoints[0]
    network = load_network(str(trainings["spikes"].folder))
    with torch.no_grad():
        taken = network.network(torch.zeros(4, 1, 1, 8, 8)).mean(0).argmax(1)
    share = (network.plan.splits.test.labels == int(taken)).mean()
    assert one.curve("drop-events")[2].accuracy.value == pytest.approx(share)


def test_data_are_loaded_once(trainings, monkeypatch):
    from evo_core import plan

    loaded = []
    load = plan.load_data
    monkeypatch.setattr(plan, "load_data", lambda *given: loaded.append(1) or load(*given))
    evaluate([one.folder for one in trainings.values()], samples=5, energy=(), repeats=1)
    assert len(loaded) == 1


def test_an_accuracy_agrees_with_a_trainer_under_other_batches(trainings):
    training = trainings["narrow"]
    loaded = load_network(str(training.folder))
    trainer = Trainer(loaded.architecture, loaded.plan.splits, loaded.plan.neurons,
                      training.job.recipe, 0)  # fmt: skip
    trainer.network.load_state_dict(loaded.network.state_dict())
    found = evaluate(training.folder, split="validation", energy=()).checkpoints[0]
    measured = trainer.measure(loaded.plan.splits.validation)
    assert found.clean.accuracy.value == measured.accuracy
    assert found.clean.loss.value == pytest.approx(measured.loss, rel=1e-5)


def test_neurons_inside_an_edge_are_counted_under_its_path():
    lif = Neuron("lif", (("tau", 2.0), ("threshold", 0.1)))
    inside = (Flatten(), Linear(4, 5), lif, Linear(5, 3))
    architecture = Architecture(
        Task((1, 2, 2), 3, 4), (Node("out"),), (Edge("input", "out", inside),), "out"
    )
    network = SpikingNetwork(architecture, installed().all(NeuronModel), Weights(0))
    with torch.no_grad(), watching(network) as activity:
        network(torch.rand(4, 6, 1, 2, 2))
    (name,) = activity.rates()
    assert name == "input->out/2"
    assert activity.places[name] == 4 * 6 * 5
    assert 0 < activity.rates()[name] < 1
