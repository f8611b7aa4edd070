"""An exported Python file computes, bit by bit, what the network computes."""

from __future__ import annotations

import runpy
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from spikingjelly.activation_based import functional

from evo_core import NeuronModel
from evo_core.architecture import INPUT, Architecture, Edge, Node, Task
from evo_core.config import from_layers
from evo_core.errors import EvoError, InvalidGenomeError
from evo_core.exporting.torch_file import write_torch
from evo_core.genome import random_genome
from evo_core.plan import Job, make_plan
from evo_core.primitives import (
    BatchNorm,
    Clip,
    Conv,
    Crop,
    Flatten,
    GlobalAveragePool,
    Linear,
    Neuron,
    Pool,
    Zero,
)
from evo_core.snn.loaded import LoadedNetwork
from evo_core.snn.network import SpikingNetwork
from evo_core.snn.weights import Weights

RUFF = Path(sys.executable).with_name("ruff")
WIDE = {
    "cells": 2,
    "channels": 4,
    "macro": "free",
    "operations": ["conv3", "dil3", "sep3", "avg3", "max3", "conv1"],
    "neurons": ["lif", "plif[tau=3]", "if"],
}
SPACES = {
    "next-step": {"space": "mse", "mse": WIDE},
    "same-step": {"space": "mse", "mse": WIDE | {"feedback": "same-step", "inputs": [2, 3, 8]}},
    "plain reductions": {
        "space": "mse",
        "mse": {"cells": 2, "channels": 4, "plain_reductions": True, "reductions": 1},
    },
    "released": {"space": "mse-released", "mse-released": {"channels": 4}},
    "reference": {"space": "reference", "reference": {"channels": 4, "hidden": 20}},
}
PLANS = {}


def plan_of(name):
    if name not in PLANS:
        PLANS[name] = make_plan(Job(from_layers(SPACES[name])))
    return PLANS[name]


def loaded(architecture, plan, text="made up", seed=0):
    """Give a network whose BatchNorm has seen something and whose populations fire."""
    network = SpikingNetwork(architecture, plan.neurons, Weights(seed))
    generator = torch.Generator().manual_seed(seed)
    for name, tensor in network.state_dict().items():
        if name.endswith("running_mean"):
            tensor.normal_(0, 0.3, generator=generator)
        if name.endswith("running_var"):
            tensor.uniform_(0.05, 0.5, generator=generator)
        if name.endswith("weight") and tensor.dim() == 2:
            tensor.mul_(3)
    network.eval()
    return LoadedNetwork(
        text=text, architecture=architecture, network=network, plan=plan, origin="x", trained=False
    )


def outputs(one, folder, batch=3):
    """Give what the network and the file make of the same frames, twice in a row."""
    write_torch(one, folder)
    task = one.architecture.task
    net = runpy.run_path(str(folder / "network.py"))["load"]()
    frames = torch.rand(task.steps, batch, *task.shape) * 2
    with torch.no_grad():
        for _ in range(2):
            functional.reset_net(one.network)
            yield one.network(frames), net(frames)


def everything():
    """Give a network with every operation, odd names, and loops between plain states."""
    lif, plif = Neuron("lif", (("tau", 3.0),)), Neuron("plif")
    edges = (
        Edge(INPUT, "class", (Conv(2, 4, 3), BatchNorm(4))),
        Edge("class", "forward", (lif, Conv(4, 4, 3, groups=4), Conv(4, 4, 1), Clip(1))),
        Edge("class", "forward", (plif, Pool("average", 3), Clip(-1))),
        Edge("forward", "both/it", (lif, Conv(4, 3, 3, dilation=2), BatchNorm(3))),
        Edge("class", "both/it", (plif, Pool("max", 3))),
        Edge("both/it", "2nd", (lif, Conv(7, 4, 1), BatchNorm(4), lif, Pool("average", 2, 2))),
        Edge("both/it", "2nd", (lif, Conv(7, 4, 1), Zero(), Pool("average", 2, 2))),
        Edge("2nd", "2nd", (), "next-step"),
        Edge("2nd", "x-y", (plif, Crop(1))),
        Edge("x-y", "x_y", (lif, Conv(4, 4, 3))),
        Edge("x_y", "x-y", (lif, Conv(4, 4, 3), Clip(-1)), "next-step"),
        Edge("x-y", "flat", (lif, Pool("max", 2, 2), Flatten(), Linear(16, 6))),
        Edge("x_y", "mean", (lif, GlobalAveragePool(), Linear(4, 6))),
        Edge("mean", "lost", (lif, Linear(6, 3))),
        Edge("flat", "logits", (lif, Linear(6, 3))),
        Edge("mean", "logits", (plif, Linear(6, 3))),
        Edge("mean", "logits", (plif, Linear(6, 3), Zero())),
    )
    joins = {"both/it": "concat"}
    names = ("class", "forward", "both/it", "2nd", "x-y", "x_y", "flat", "mean", "lost", "logits")
    nodes = tuple(Node(name, joins.get(name, "add")) for name in names)
    return Architecture(Task((2, 7, 7), 3, 5), nodes, edges, "logits")


@given(name=st.sampled_from(sorted(SPACES)), number=st.integers(0, 10_000))
@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
def test_random_networks_are_equal_bit_by_bit(tmp_path_factory, name, number):
    plan = plan_of(name)
    try:
        architecture = plan.decode(random_genome(np.random.default_rng(number), plan.space.genes))
    except InvalidGenomeError:
        return
    folder = tmp_path_factory.mktemp("file") / "net"
    for wanted, found in outputs(loaded(architecture, plan, seed=number), folder):
        assert torch.equal(wanted, found)


def test_every_operation_is_equal_bit_by_bit(tmp_path):
    pairs = list(outputs(loaded(everything(), plan_of("next-step")), tmp_path / "net"))
    for wanted, found in pairs:
        assert torch.equal(wanted, found)
    assert pairs[0][0].std() > 0
    text = (tmp_path / "net" / "network.py").read_text()
    assert "Left out, as no logit depends on it: lost." in text


def test_neurons_may_open_edges_from_the_input(tmp_path):
    brings = (Neuron("lif", (("threshold", 0.3),)), Flatten(), Linear(64, 10))
    edges = (Edge(INPUT, "logits", brings),)
    graph = Architecture(Task((1, 8, 8), 10, 4), (Node("logits"),), edges, "logits")
    one = loaded(graph, plan_of("reference"))
    write_torch(one, tmp_path / "out")  # which compares the two
    assert "input_lif" in (tmp_path / "out" / "network.py").read_text()


def test_a_network_without_weights_is_written_too(tmp_path):
    edges = (Edge(INPUT, "logits", (Flatten(), Neuron("if", (("threshold", 0.7),)))),)
    graph = Architecture(Task((1, 2, 2), 4, 3), (Node("logits"),), edges, "logits")
    for wanted, found in outputs(loaded(graph, plan_of("reference")), tmp_path / "net"):
        assert wanted.any()
        assert torch.equal(wanted, found)


def test_a_population_fires_in_what_is_compared(tmp_path):
    """A silent network would be equal to anything."""
    plan = plan_of("reference")
    one = loaded(plan.decode((1,)), plan)
    ((wanted, found), _) = outputs(one, tmp_path / "net")
    assert torch.equal(wanted, found)
    assert 0 < wanted.mean() < 1


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Write networks of all kinds."""
    folder = tmp_path_factory.mktemp("files")
    for name in SPACES:
        plan = plan_of(name)
        rng = np.random.default_rng(4)
        for number in range(2):
            try:
                found = plan.decode(random_genome(rng, plan.space.genes))
            except InvalidGenomeError:
                continue
            write_torch(
                loaded(found, plan, 'odd "name" \\ of\na target'), folder / f"{name}{number}"
            )
    write_torch(loaded(everything(), plan_of("next-step")), folder / "everything")
    return folder


def test_the_files_are_laid_out_as_a_formatter_would(files):
    for arguments in (["format", "--check"], ["check", "--select", "E4,E7,E9,F,B,I,N,UP"]):
        command = [RUFF, *arguments, "--isolated", "--no-cache", files]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout


def test_a_file_holds_nothing_of_evo_and_nothing_else_lies_beside_it(files):
    for folder in files.iterdir():
        assert sorted(path.name for path in folder.iterdir()) == [
            "network.py",
            "weights.safetensors",
        ]
        text = (folder / "network.py").read_text()
        assert "import evo" not in text
        assert "pickle" not in text


def test_feedback_is_written_as_a_loop_over_steps_and_nothing_else_is(files):
    assert "for t in range(" in (files / "everything" / "network.py").read_text()
    for number in range(2):
        assert "for t in" not in (files / f"same-step{number}" / "network.py").read_text()


def test_weights_train_on(files):
    """The file is a module as any other: its weights have gradients."""
    net = runpy.run_path(str(files / "everything" / "network.py"))["load"]().train()
    net(torch.rand(5, 2, 2, 7, 7) * 3).sum().backward()
    assert all(torch.isfinite(one.grad).all() for one in net.parameters() if one.grad is not None)
    assert any(one.grad is not None and one.grad.any() for one in net.parameters())


class Mine(torch.nn.Module):
    """A neuron that SpikingJelly does not have."""

    def forward(self, current):
        return (current > 0).float()


def strange(module, **more):
    record = NeuronModel(
        name="mine", summary="", module=lambda options: module(), step=Mine, **more
    )
    plan = make_plan(Job(from_layers({}), (record,)))
    edges = (
        Edge(INPUT, "a", (Flatten(), Linear(64, 5))),
        Edge("a", "logits", (Neuron("mine"), Linear(5, 10))),
    )
    return loaded(
        Architecture(Task((1, 8, 8), 10, 4), (Node("a"), Node("logits")), edges, "logits"), plan
    )


def test_a_neuron_of_a_plugin_is_refused_by_name(tmp_path):
    with pytest.raises(EvoError, match=r"'mine' is a .*Mine, which is no neuron of SpikingJelly"):
        write_torch(strange(Mine), tmp_path / "net")
    assert list(tmp_path.iterdir()) == []


def test_any_neuron_of_spikingjelly_is_written_with_its_arguments(tmp_path):
    from spikingjelly.activation_based import neuron, surrogate

    def build():
        function = surrogate.Sigmoid(alpha=3.0)
        return neuron.QIFNode(tau=3.0, v_c=0.3, surrogate_function=function, step_mode="m")

    write_torch(strange(build), tmp_path / "net")
    text = (tmp_path / "net" / "network.py").read_text()
    assert "v_c=0.3" in text
    assert "surrogate_function=surrogate.Sigmoid(alpha=3.0)" in text


def test_a_hidden_setting_of_a_neuron_is_found_out(tmp_path):
    """It lies in no argument, so the file would compute something else."""
    from spikingjelly.activation_based import neuron

    def build():
        node = neuron.IFNode(step_mode="m")
        node.set_reset_value("v", 0.9)
        return node

    with pytest.raises(EvoError, match="hold settings that their constructors do not take"):
        write_torch(strange(build), tmp_path / "net")
    assert list(tmp_path.iterdir()) == []
