"""The memory optimiser: less is kept for the backward pass, and nothing else changes."""

from __future__ import annotations

import copy

import pytest
import torch
from spikingjelly.activation_based import base, functional

import evo_core
from evo_core.architecture import Task
from evo_core.recipe import read_recipe
from evo_core.snn.drop_path import droppable
from evo_core.snn.network import SpikingNetwork
from evo_core.snn.weights import Weights

OPTIONS = [
    {"feedback": "next-step", "motifs": ["FbI", "MI"]},
    {"feedback": "same-step", "neurons": ["lif", "plif[tau=3.0]"]},
    {"operations": ["conv3", "dil3", "sep3", "avg3"], "reductions": 1},
]


def passed(network, frames):
    """Make a training step without the optimiser; give what the backward pass was left with."""
    kept = {}

    def keep(tensor):
        storage = tensor.untyped_storage()
        kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        logits = network(frames)
    state = [one.clone() for one in base.extract_memories(network) if isinstance(one, torch.Tensor)]
    functional.reset_net(network)
    logits.square().mean().backward()
    return logits, state, sum(kept.values())


@pytest.mark.parametrize("options", OPTIONS)
def test_gradients_states_and_statistics_are_the_same_and_less_is_kept(
    options, small, neurons, frames_of
):
    architecture = small(5, **options)
    plain, lean = (SpikingNetwork(architecture, neurons, Weights(1)) for _ in range(2))
    lean.recompute = True
    assert list(dict(lean.named_parameters())) == list(dict(plain.named_parameters()))
    frames = frames_of(architecture, batch=8).float() * 3
    for _ in range(2):
        logits, state, kept = passed(plain, frames)
        lean_logits, lean_state, lean_kept = passed(lean, frames)
        assert torch.equal(lean_logits, logits)
        assert len(state) == len(lean_state) > 0
        assert all(torch.equal(*pair) for pair in zip(lean_state, state, strict=True))
        assert lean_kept < 0.8 * kept
    gradients = {name: one.grad for name, one in plain.named_parameters()}
    assert sum(float(one.abs().sum()) for one in gradients.values()) > 0
    for name, parameter in lean.named_parameters():
        assert torch.equal(parameter.grad, gradients[name]), name
    statistics = plain.state_dict()
    assert list(lean.state_dict()) == list(statistics)
    for name, value in lean.state_dict().items():
        assert torch.equal(value, statistics[name]), name


def test_what_listens_to_an_edge_is_called_all_the_same(small, neurons, frames_of):
    architecture = small(5)
    network = SpikingNetwork(architecture, neurons, Weights(1))
    network.recompute = True
    for path, edge in zip(architecture.paths, architecture.edges, strict=True):
        if edge.target == architecture.output:
            network.edge(path).register_forward_hook(lambda module, given, brought: brought * 0)
    logits = network(frames_of(architecture).float())
    assert logits.requires_grad
    assert (logits == 0).all()


def test_a_copy_learns_by_itself(small, neurons, frames_of):
    network = SpikingNetwork(small(5), neurons, Weights(1))
    network.recompute = True
    other = copy.deepcopy(network)
    passed(other, frames_of(network.architecture).float())
    assert all(one.grad is None for one in network.parameters())
    assert any(one.grad is not None for one in other.parameters())


@pytest.mark.parametrize("amp", [False, True])
def test_a_training_leaves_the_same_bytes_behind(tmp_path, draw, amp):
    (architecture,) = draw(1, 3, Task((1, 8, 8), 10, 4), cells=2, channels=4)
    assert droppable(architecture)
    settings = {"epochs": 2, "samples": 60, "batch": 20, "drop_path": 0.3, "amp": amp}
    for name, optimised in [("plain", False), ("lean", True)]:
        recipe = read_recipe("quick", settings | {"memory_optimiser": optimised})
        evo_core.train(architecture, recipe=recipe, out=tmp_path / name)
    for name in ("weights.safetensors", "optimiser.safetensors"):
        one, two = (tmp_path / folder / "epoch-2" / name for folder in ("plain", "lean"))
        assert one.read_bytes() == two.read_bytes()
