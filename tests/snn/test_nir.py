"""Networks as NIR files: SpikingJelly reads back what was written, and the rest is refused."""

from __future__ import annotations

import json
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from spikingjelly.activation_based import functional
from torch import nn

from evo_core import array_dataset, run, train
from evo_core.architecture import INPUT, Architecture, Edge, Node, Task
from evo_core.cli import main
from evo_core.config import from_layers
from evo_core.errors import EvoError
from evo_core.exporting.nir_file import write_nir
from evo_core.genome import random_genome
from evo_core.nir_limits import FEEDBACK, unsupported
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
from evo_core.recipe import read_recipe
from evo_core.seeds import generator
from evo_core.snn.loaded import LoadedNetwork, load_network
from evo_core.snn.network import SpikingNetwork
from evo_core.snn.weights import Weights

nir = pytest.importorskip("nir")
nir_exchange = pytest.importorskip("spikingjelly.activation_based.nir_exchange")

FAST = read_recipe("quick", {"epochs": 1, "samples": 64, "batch": 32})
LIVELY = "conv_neuron=plif[threshold=0.4],fc_neuron=lif[threshold=0.05]"
LIF = Neuron("lif", (("tau", 3.0), ("threshold", 0.3)))
PLAN = make_plan(Job(from_layers({})))


def lively(architecture, seed=0):
    """Load a network whose BatchNorm has statistics and scales such as training leaves."""
    network = SpikingNetwork(architecture, PLAN.neurons, Weights(seed))
    rng = torch.Generator().manual_seed(seed)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            for tensor, low, high in (
                (module.running_mean, -0.5, 0.5), (module.running_var, 0.3, 2.0),
                (module.weight.data, 0.5, 2.0), (module.bias.data, -0.2, 0.5),
            ):  # fmt: skip
                tensor.uniform_(low, high, generator=rng)
    network.eval()
    return LoadedNetwork(
        text="mine", architecture=architecture, network=network, plan=PLAN, origin="", trained=False
    )


def network_of(*edges, nodes, shape=(1, 8, 8)):
    return Architecture(Task(shape, 3, 4), nodes, edges, nodes[-1].name)


def chain(*operations, shape=(1, 8, 8)):
    return network_of(Edge(INPUT, "logits", operations), nodes=(Node("logits"),), shape=shape)


def head(source, channels):
    return Edge(source, "logits", (LIF, GlobalAveragePool(), Linear(channels, 3)))


def same(loaded, folder):
    """Write a network and require that what is read back gives the same, and not silence."""
    check = write_nir(loaded, folder / "network.nir")
    assert check.refused is None
    assert check.difference <= 1e-5
    assert check.largest > 0.01
    return nir.read(folder / "network.nir")


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("nir")
    text = f"reference:2conv2fc[channels=4,hidden=20,pool=average,{LIVELY}]"
    return load_network(str(train(text, recipe=FAST, out=folder / "training").folder))


def test_two_layers_come_back_the_same(tmp_path):
    graph = same(load_network(f"reference:2fc[hidden=40,{LIVELY}]"), tmp_path)
    kinds = [type(node).__name__ for node in graph.nodes.values()]
    assert sorted(kinds) == ["Affine", "Affine", "Flatten", "Input", "LIF", "LIF", "Output"]


def test_a_trained_network_comes_back_the_same(trained, tmp_path):
    norms = [one for one in trained.network.modules() if isinstance(one, nn.BatchNorm2d)]
    assert all(norm.running_mean.abs().sum() > 0 for norm in norms)
    graph = same(trained, tmp_path)
    assert graph.metadata["steps"] == trained.architecture.task.steps
    assert graph.metadata["architecture"] == trained.architecture.hash


def test_a_file_runs_step_by_step_on_data(trained, tmp_path):
    """As a reader would run it: one frame at a time, in single precision."""
    write_nir(trained, tmp_path / "network.nir")
    read = nir_exchange.import_from_nir(tmp_path / "network.nir")
    frames = torch.rand((4, 5, 1, 8, 8), generator=torch.Generator().manual_seed(1))
    state, given_logits = None, []
    with torch.no_grad():
        functional.reset_net(trained.network)
        expected = trained.network(frames)
        for frame in frames:
            logits, state = read(frame, state)
            given_logits.append(logits)
    assert expected.any()
    assert torch.equal(torch.stack(given_logits), expected)


def test_edges_share_a_population_in_the_file_too(draw, tmp_path):
    network = draw(1, 3, Task((1, 8, 8), 3, 4), **SPACE)[0]
    graph = same(lively(network), tmp_path)
    neurons = [node for node in graph.nodes.values() if isinstance(node, nir.LIF | nir.IF)]
    assert len(neurons) == sum(map(len, network.populations.values()))
    assert len(neurons) < sum(edge.neuron is not None for edge in network.edges)


SPACE = {"cells": 2, "channels": 2, "sign_clip": False, "feedback": "same-step"}


@settings(max_examples=4, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 1000),
    macro=st.sampled_from(["chain", "free"]),
    operations=st.sampled_from([["conv3", "conv5"], ["sep3", "dil3", "conv1"]]),
    shape=st.sampled_from([(1, 8, 8), (2, 13, 9)]),
)
def test_random_networks_come_back_the_same(draw, tmp_path_factory, seed, macro, operations, shape):
    options = {"macro": macro, "operations": operations, "neurons": ["lif", "plif", "if"]}
    network = draw(1, seed, Task(shape, 3, 4), **SPACE, **options)[0]
    same(lively(network, seed), tmp_path_factory.mktemp("nir"))


def test_what_arrives_twice_counts_twice(tmp_path):
    """NIR has no two edges between the same nodes."""
    conv = (Conv(1, 2, 3), BatchNorm(2))
    edges = (
        Edge(INPUT, "a", conv), Edge("a", "b"), Edge("a", "b"), Edge("b", "c"), Edge("a", "c"),
        head("c", 2),
    )  # fmt: skip
    nodes = tuple(map(Node, ("a", "b", "c", "logits")))
    same(lively(network_of(*edges, nodes=nodes)), tmp_path)


def test_fewer_steps_than_the_events_have_frames(tmp_path):
    """As ``evo train`` and ``evo evaluate`` take it: the first frames are shown."""
    counts = np.random.default_rng(0).poisson(1.0, (50, 5, 1, 8, 8)).astype(np.uint8)
    events = array_dataset("events", counts, np.arange(50) % 3)
    layer = {"data": "events", "scoring": {"steps": 5, "batch": 8}}
    plan = make_plan(Job(from_layers(layer), (events,)))
    loaded = lively(chain(Flatten(), Linear(64, 3), LIF))
    same(replace(loaded, plan=plan), tmp_path)


def test_parts_are_concatenated_and_normalised_in_their_order(tmp_path):
    edges = (
        Edge(INPUT, "a", (Conv(1, 2, 3), BatchNorm(2))),
        Edge(INPUT, "b", (Conv(1, 3, 3), LIF)),
        Edge("a", "ab"), Edge("b", "ab"), Edge("ab", "c", (BatchNorm(5),)), head("c", 5),
    )  # fmt: skip
    nodes = (Node("a"), Node("b"), Node("ab", "concat"), Node("c"), Node("logits"))
    same(lively(network_of(*edges, nodes=nodes)), tmp_path)


def test_pools_that_fit_the_map_come_back_the_same(tmp_path):
    pools = (Conv(1, 2, 3), BatchNorm(2), LIF, Pool("average", 2, 2), Flatten(), Linear(24, 3))
    same(lively(chain(*pools, shape=(1, 6, 8))), tmp_path)


def test_several_currents_into_the_logits_are_added(tmp_path):
    edges = (Edge(INPUT, "a", (Flatten(), Linear(64, 3))), Edge("a", "logits"))
    more = Edge("a", "logits", (LIF, Linear(3, 3)))
    network = network_of(*edges, more, nodes=(Node("a"), Node("logits")))
    same(lively(network), tmp_path)


@pytest.mark.parametrize(
    ("operation", "reason"),
    [
        (Pool("max", 2, 2), "average pools, no max pools"),
        (Pool("average", 3), "squares of 3x3 reach beyond the 8x8 map"),
        (Pool("average", 3, 3), "squares of 3x3 reach beyond the 8x8 map"),
        (Clip(-1), "keeps the - part of a current"),
        (Crop(1), "leaves out pixels"),
        (Zero(), "brings zero"),
        (Neuron("izhikevich"), "neurons for if, lif, plif, not for izhikevich"),
    ],
)
def test_what_nir_lacks_is_told(operation, reason):
    found = unsupported(chain(LIF, operation, GlobalAveragePool(), Linear(1, 3)))
    assert [(each.path, each.operation) for each in found] == [("input->logits/1", operation.tag)]
    assert reason in found[0].reason


def test_a_refusal_lists_everything(draw, tmp_path):
    """Without what it lists, a network can be written."""
    options = {"cells": 3, "channels": 2, "operations": ["conv3", "avg3", "max3"]}
    network = draw(1, 2, Task((1, 8, 8), 3, 4), **options)[0]
    found = unsupported(network)
    assert {each.operation for each in found} == {"clip", "pool", FEEDBACK}
    with pytest.raises(EvoError) as refusal:
        write_nir(lively(network), tmp_path / "network.nir")
    first, *lines = str(refusal.value).splitlines()
    assert f"which lacks {len(found)} of the things in it" in first
    assert [line.strip() for line in lines] == [str(each) for each in found]
    assert not list(tmp_path.iterdir())
    same(lively(without(network, {each.path for each in found})), tmp_path)


def without(network, listed):
    """Take edges and operations out, by their paths."""
    edges = tuple(
        replace(
            edge,
            operations=tuple(
                operation
                for position, operation in enumerate(edge.operations)
                if f"{path}/{position}" not in listed
            ),
        )
        for path, edge in zip(network.paths, network.edges, strict=True)
        if path not in listed
    )
    return replace(network, edges=edges, cells=())


def test_nothing_is_overwritten(trained, tmp_path):
    (tmp_path / "mine").write_text("kept")
    with pytest.raises(EvoError, match="mine is there already; choose another --out"):
        write_nir(trained, tmp_path / "mine")
    assert [path.read_text() for path in tmp_path.iterdir()] == ["kept"]


def test_a_place_that_can_not_be_written_is_told(trained, tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(EvoError, match="can not be written: "):
        write_nir(trained, tmp_path / "file" / "network.nir")


def test_a_folder_is_no_file(trained, tmp_path):
    (tmp_path / "network.nir").mkdir()
    with pytest.raises(EvoError, match="can not be written: Is a directory"):
        write_nir(trained, tmp_path / "network.nir")
    assert [path.name for path in tmp_path.iterdir()] == ["network.nir"]


def test_without_nir_it_says_what_to_install(trained, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "nir", None)
    with pytest.raises(EvoError, match=r'pip install "evo-snn\[nir\]"'):
        write_nir(trained, tmp_path / "network.nir")


def test_a_file_that_spikingjelly_does_not_import_is_told(tmp_path):
    """A PLIF neuron may learn to forget at once; SpikingJelly's LIF has tau > 1."""
    network = chain(Flatten(), Linear(64, 3), Neuron("plif", (("threshold", 0.05),)))
    loaded = lively(network)
    module = loaded.network.edge("input->logits").get_submodule("2")
    module.w.data.fill_(50.0)
    check = write_nir(loaded, tmp_path / "network.nir")
    assert check.difference is None
    assert "tau" in check.refused
    assert (tmp_path / "network.nir").exists()


def test_a_search_under_the_constraint_ends_with_a_network_that_can_be_written(tmp_path):
    """Feedback of the next step is in the space but not in the result."""
    options = {"cells": 2, "channels": 2, "sign_clip": False}
    layer = {"space": "mse", "mse": options, "seed": 1}
    space = make_plan(Job(from_layers(layer))).space
    rng = generator(0, "test")
    drawn = [space.decode(random_genome(rng, space.genes), PLAN.task) for _ in range(30)]
    assert 0 < sum(not unsupported(one) for one in drawn) < 30
    search = {
        "fitness": ["macs"], "constraints": ["nir-exportable"], "population": 4, "generations": 2,
        "executor": "serial", "rescore": 0,
    }  # fmt: skip
    run(layer | search | {"out": str(tmp_path / "run")})
    loaded = load_network(str(tmp_path / "run"))
    assert not unsupported(loaded.architecture)
    check = write_nir(loaded, tmp_path / "winner.nir")
    assert check.difference <= 1e-5


def test_evo_export_writes_a_file_and_tells_the_difference(trained, tmp_path, capsys):
    out = tmp_path / "small.nir"
    command = ["export", trained.text, "--format", "nir", "--out", str(out)]
    with pytest.raises(SystemExit, match="0"):
        main([*command, "--json"])
    told = json.loads(capsys.readouterr().out)
    assert told["files"] == [str(out)]
    assert told["difference"] <= 1e-5
    assert told["nodes"] == len(nir.read(out).nodes)
    out.unlink()
    with pytest.raises(SystemExit, match="0"):
        main(command)
    assert "the logits differ by" in capsys.readouterr().err


def test_evo_export_refuses_with_one_line_for_each_thing(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit, match="2"):
        main(["export", "reference:2conv2fc", "--format", "nir", "--json"])
    told = capsys.readouterr()
    first, *lines = told.err.splitlines()
    assert first.startswith("error: reference:2conv2fc can not be written as NIR")
    assert [line.strip() for line in lines] == json.loads(told.out)["details"]
    assert [line.split(":")[0].strip() for line in lines] == ["conv1->conv2/1", "conv2->fc1/1"]
    assert not list(tmp_path.iterdir())
