"""The SpikingJelly module: its state, its copies and its gradients."""

from __future__ import annotations

import copy

import pytest
import torch
from spikingjelly.activation_based import functional
from torch import nn

BOTH = pytest.mark.parametrize("feedback", ["next-step", "same-step"])
LOOPS = ["FbI", "MI"]


@pytest.fixture
def network(small, build, feedback):
    return build(small(3, motifs=LOOPS, feedback=feedback, channels=4)).eval()


@pytest.fixture
def frames(network, frames_of):
    """Give frames, after BatchNorm has seen some, so that the network fires in eval mode."""
    frames = frames_of(network.architecture)
    with torch.no_grad():
        network.train()
        for _ in range(20):
            network(frames)
            functional.reset_net(network)
    network.eval()
    return frames


@BOTH
def test_reset_net_brings_the_module_back_to_its_start(network, frames):
    with torch.no_grad():
        first = network(frames)
        carried_on = network(frames)
        functional.reset_net(network)
        again = network(frames)
    assert not torch.allclose(first, carried_on)
    assert torch.equal(first, again)


@BOTH
@pytest.mark.parametrize("pieces", [[1, 1, 1, 1], [2, 2], [1, 3]])
def test_a_sequence_in_pieces_gives_what_the_whole_gives_in_eval_mode(network, frames, pieces):
    with torch.no_grad():
        whole = network(frames)
        functional.reset_net(network)
        parts = torch.cat([network(piece) for piece in frames.split(pieces)])
    assert torch.allclose(whole, parts, rtol=1e-12, atol=1e-14)
    assert not torch.allclose(whole[0], whole[-1])


@pytest.mark.parametrize("feedback", ["next-step"])
def test_feedback_arrives_one_step_later_and_is_zero_at_first(network, frames):
    architecture = network.architecture
    loops = [path for path in architecture.paths if "~>" in path]
    assert loops
    cut = copy.deepcopy(network)
    with torch.no_grad():
        for path in loops:
            norm = next(m for m in cut.edges[path].modules() if isinstance(m, nn.BatchNorm2d))
            norm.weight.zero_()
            norm.bias.zero_()
        with_loops, without = network(frames), cut(frames)
    assert torch.equal(with_loops[0], without[0])
    assert not torch.allclose(with_loops[1:], without[1:])


@BOTH
def test_a_copy_gives_equal_outputs_and_is_independent(network, frames):
    twin = copy.deepcopy(network)
    with torch.no_grad():
        expected = network(frames)
        assert torch.equal(twin(frames), expected)
        for parameter in twin.parameters():
            parameter.add_(1)
        twin(frames)  # moves the state of the copy only
        functional.reset_net(network)
        assert torch.equal(network(frames), expected)
        functional.reset_net(twin)
        assert not torch.allclose(twin(frames), expected)


@BOTH
def test_a_copy_made_within_a_sequence_goes_on_from_there(network, frames):
    with torch.no_grad():
        network(frames[:2])
        twin = copy.deepcopy(network)
        assert torch.equal(twin(frames[2:]), network(frames[2:]))


@BOTH
def test_a_state_dict_carries_all_that_was_learnt(network, frames, build):
    fresh = build(network.architecture, seed=99).eval()
    with torch.no_grad():
        before = fresh(frames)
        functional.reset_net(fresh)
        fresh.load_state_dict(network.state_dict())
        expected = network(frames)
        assert not torch.allclose(before, expected)
        assert torch.equal(fresh(frames), expected)


@BOTH
@pytest.mark.parametrize("motif", ["FE", "FI", "FbI", "LI", "MI"])
def test_gradients_reach_every_convolution(small, build, frames_of, feedback, motif):
    network = build(small(5, motifs=[motif], feedback=feedback, channels=4))
    frames = frames_of(network.architecture, 8)
    network(frames).mean(0).square().sum().backward()
    convolutions = {n: m for n, m in network.named_modules() if isinstance(m, nn.Conv2d)}
    signed = sum(edge.sign != 0 for edge in network.architecture.edges)
    assert len(convolutions) > signed > 0
    for name, module in convolutions.items():
        assert module.weight.grad is not None, name
        assert module.weight.grad.isfinite().all(), name
        assert module.weight.grad.abs().sum() > 0, name


@BOTH
def test_what_a_signed_edge_brings_has_its_sign(small, build, frames_of, feedback):
    network = build(small(6, feedback=feedback))
    signs = {}

    def listen(sign):
        def hook(module, given, current):
            signs.setdefault(sign, []).append(current)

        return hook

    paths = network.architecture.paths
    for path, edge in zip(paths, network.architecture.edges, strict=True):
        if edge.sign:
            network.edges[path.replace(".", "_")].register_forward_hook(listen(edge.sign))
    with torch.no_grad():
        network(frames_of(network.architecture))
    assert set(signs) == {1, -1}
    assert all((current >= 0).all() for current in signs[1])
    assert all((current <= 0).all() for current in signs[-1])
    assert any((current < 0).any() for current in signs[-1])


def test_the_module_is_in_float32_unless_asked_otherwise(small, build):
    architecture = small(7)
    assert {p.dtype for p in build(architecture, dtype=torch.float32).parameters()} == {
        torch.float32
    }
    assert {p.dtype for p in build(architecture).parameters()} == {torch.float64}
