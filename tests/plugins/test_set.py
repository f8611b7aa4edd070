"""Sparse evolutionary training: the density stays, masked weights are zero, others grow."""

from __future__ import annotations

import csv

import numpy as np
import pytest
import torch

import evo_core
from evo_core.architecture import INPUT, Architecture, Edge, Node, Task
from evo_core.binding import Binder
from evo_core.components import Dataset, Development, NeuronModel, load
from evo_core.primitives import BatchNorm, Conv, GlobalAveragePool, Linear, Neuron
from evo_core.recipe import read_recipe
from evo_core.registry import installed
from evo_core.snn.training import Trainer

LIF = Neuron("lif")
NETWORK = Architecture(
    Task((1, 8, 8), 10, 4),
    (Node("a"), Node("b"), Node("out")),
    (
        Edge(INPUT, "a", (Conv(1, 8, 3, 2), BatchNorm(8))),
        Edge("a", "b", (LIF, Conv(8, 16, 3, 2), BatchNorm(16))),
        Edge("b", "out", (LIF, GlobalAveragePool(), Linear(16, 10))),
    ),
    "out",
)
RECIPE = read_recipe("quick", {"epochs": 3, "samples": 120, "batch": 30})


@pytest.fixture
def trainer():
    binder = Binder(installed(), {})
    data = binder.bind(Dataset, "digits")
    splits = load(data.record.load)(data.options, None)
    bound = binder.bind(Development, "set[density=0.25,replaced=0.5]")
    neurons = installed().all(NeuronModel)
    return Trainer(NETWORK, splits, neurons, RECIPE, 0, development=bound)


def masks(trainer):
    return {name: mask.bool() for name, mask in trainer.developer.tensors().items()}


def test_the_density_stays_and_masked_weights_are_zero_in_every_forward_pass(trainer):
    weights = dict(trainer.network.named_parameters())
    seen = []

    def look(module, given):
        for name, mask in masks(trainer).items():
            assert (weights[name][~mask] == 0).all()
            assert abs(float(mask.float().mean()) - 0.25) <= 0.5 / mask.numel()
        seen.append(1)

    trainer.network.register_forward_pre_hook(look)
    while trainer.epoch < 3:
        while trainer.step < trainer.steps:
            trainer.make_step()
        trainer.end_epoch()
    assert len(seen) > 12


def test_the_weakest_go_and_as_many_grow_elsewhere(trainer):
    while trainer.step < trainer.steps:
        trainer.make_step()
    name = "edges.a->b.1.weight"
    before = masks(trainer)[name]
    strength = dict(trainer.network.named_parameters())[name].detach().abs().clone()
    trainer.end_epoch()
    after = masks(trainer)[name]
    gone, grown = before & ~after, after & ~before
    assert int(gone.sum()) == int(grown.sum()) == int(before.sum()) // 2
    assert strength[gone].max() <= strength[before & after].min()


def test_moments_are_masked_as_well(trainer):
    for _ in range(2):
        while trainer.step < trainer.steps:
            trainer.make_step()
        trainer.end_epoch()
    for name, parameter in trainer.network.named_parameters():
        if name in masks(trainer):
            moment = trainer.optimiser.state[parameter]["exp_avg"]
            assert (moment[~masks(trainer)[name]] == 0).all()
            assert moment.abs().sum() > 0


def test_the_log_has_the_density_of_each_layer_and_the_checkpoint_the_masks(tmp_path):
    recipe = RECIPE
    results = [
        evo_core.train(NETWORK, recipe=recipe, develop="set", out=tmp_path / name)
        for name in ("one", "two")
    ]
    rows = list(csv.DictReader((tmp_path / "one" / "log.csv").read_text().splitlines()))
    assert np.allclose([float(row["density edges.a->b.1.weight"]) for row in rows], 0.2, atol=1e-3)
    assert results[0].to_json(timings=False)["develop"] == "set"
    names = {path.name for path in (tmp_path / "one" / "epoch-3").iterdir()}
    assert "development.safetensors" in names
    for path in (tmp_path / "one").glob("epoch-*/*"):
        twin = tmp_path / "two" / path.relative_to(tmp_path / "one")
        assert twin.read_bytes() == path.read_bytes()
    assert torch.get_num_threads() == 1
