"""Zen-score and MeCo against slow references, with the noise and the weights that they draw."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from spikingjelly.activation_based import functional as sj
from spikingjelly.activation_based import layer, neuron
from torch import nn

from evo_core import score_module
from evo_core.seeds import torch_generator


def scored(name, module, inputs, seed=0):
    return score_module(module, inputs, torch.zeros(4).long(), [name], seed=seed)[name]


class Residual(nn.Module):
    """A residual network that pools its maps with a module."""

    def __init__(self):
        super().__init__()
        self.stem, self.one = nn.Conv2d(2, 4, 3, padding=1), nn.Conv2d(4, 4, 3, padding=1)
        self.norm, self.act = nn.BatchNorm2d(4), nn.ReLU()
        self.pool, self.head = nn.AdaptiveAvgPool2d(1), nn.Linear(4, 3)

    def maps(self, x):
        x = self.act(self.stem(x))
        return x + self.norm(self.one(x))

    def forward(self, x):
        return self.head(self.pool(self.maps(x)).flatten(1))


@pytest.fixture
def net():
    torch.manual_seed(0)
    return Residual()


INPUTS = torch.zeros(4, 2, 6, 6)  # only their shape counts


@pytest.mark.parametrize("seed", [0, 1])
def test_zen_is_the_change_of_the_maps_and_the_scale_of_batch_norm(net, seed):
    rng = torch_generator(seed, "zen", 0)
    with torch.no_grad():
        for one in (net.stem, net.one, net.head):
            one.weight.copy_(torch.randn(one.weight.shape, generator=rng))
            one.bias.zero_()
    x, e = (torch.randn(4, 2, 6, 6, generator=rng).double() for _ in range(2))
    slow = net.double()
    change = (slow.maps(x) - slow.maps(x + 0.01 * e)).abs().sum((1, 2, 3)).mean()
    before = slow.one(torch.relu(slow.stem(x)))
    scale = before.var((0, 2, 3)).mean().sqrt()
    expected = math.log(change.item()) + math.log(scale.item())
    fresh = Residual()
    score = scored("zen[repeats=1]", fresh, INPUTS, seed)
    assert score.value == pytest.approx(expected, rel=1e-5)
    assert (score.forwards, score.backwards) == (3, 0)


def test_zen_averages_its_draws_whatever_the_weights_of_the_module(net):
    four = scored("zen[repeats=4]", net, INPUTS)
    assert four.value == pytest.approx(np.mean(four.details["draws"]))
    assert len(set(four.details["draws"])) == 4
    assert scored("zen[repeats=1]", net, INPUTS).value == four.details["draws"][0]
    assert scored("zen[repeats=4]", Residual().eval(), INPUTS).value == four.value


def test_zen_reads_the_maps_of_every_step_of_a_spiking_network():
    conv, node = layer.Conv2d(2, 3, 3), neuron.IFNode(v_reset=None)
    net = nn.Sequential(conv, node, layer.AdaptiveAvgPool2d(1), layer.Flatten(), layer.Linear(3, 2))
    rng = torch_generator(0, "zen", 0)
    weight = torch.randn(3, 2, 3, 3, generator=rng)
    torch.randn(2, 3, generator=rng)
    x, e = (torch.randn(4, 2, 6, 6, generator=rng) for _ in range(2))
    total, v, w = 0.0, 0.0, 0.0
    for _ in range(5):
        v, w = v + torch.conv2d(x, weight), w + torch.conv2d(x + 0.01 * e, weight)
        total += ((v >= 1).float() - (w >= 1).float()).abs().sum().item()
        v, w = v - (v >= 1).float(), w - (w >= 1).float()
    frames, expected = INPUTS.expand(5, 4, 2, 6, 6), math.log(total / 20)
    for mode in ("s", "m"):
        sj.set_step_mode(net, mode)
        assert scored("zen[repeats=1]", net, frames).value == pytest.approx(expected, rel=1e-5)


def test_without_maps_or_an_answer_to_noise_there_is_no_zen():
    flat = nn.Sequential(nn.Flatten(), nn.Linear(72, 5), nn.ReLU(), nn.Linear(5, 2))
    assert "no map" in scored("zen", flat, INPUTS).details["reason"]
    dead = nn.Sequential(
        nn.Conv2d(2, 3, 3), neuron.IFNode(v_threshold=1e9), nn.Flatten(), nn.Linear(48, 2)
    )
    assert "do not change" in scored("zen", dead, INPUTS).details["reason"]


def smallest(maps):
    """Give the smallest eigenvalue of the correlations of channels by numpy; 0 for NaN."""
    with np.errstate(invalid="ignore", divide="ignore"):
        matrix = np.corrcoef(maps.flatten(1).double().numpy())
    return float(np.linalg.eigvals(np.nan_to_num(matrix)).real.min())


def test_meco_is_the_sum_over_layers_of_the_smallest_eigenvalue(net):
    x = torch.randn(1, 2, 6, 6, generator=torch_generator(0, "meco", 0))
    with torch.no_grad():
        stem = net.stem(x)
        one = net.one(stem.relu())
        normed = net.norm(one)
    maps = [stem, stem.relu(), one, normed]
    expected = sum(smallest(one[0]) for one in maps)
    score = scored("meco", nn.Sequential(nn.Sequential(net)), INPUTS)  # in containers
    assert score.value == pytest.approx(expected, rel=1e-4)
    assert score.details == {"maps": 4}


@pytest.mark.parametrize("mode", ["s", "m"])
def test_meco_of_a_spiking_network_is_the_mean_over_steps(mode):
    torch.manual_seed(0)
    conv = layer.Conv2d(2, 3, 3)
    net = nn.Sequential(conv, neuron.IFNode(v_threshold=0.5), layer.Flatten(), layer.Linear(48, 2))
    sj.set_step_mode(net, mode)
    x = torch.randn(1, 2, 6, 6, generator=torch_generator(0, "meco", 0))
    with torch.no_grad():
        current = torch.conv2d(x, conv.weight, conv.bias)
    total, v = 0.0, 0.0
    for _ in range(4):
        v = v + current
        spikes = (v >= 0.5).float()
        v = v * (1 - spikes)
        total += smallest(current[0]) + smallest(spikes[0])
    score = scored("meco", net, INPUTS.expand(4, 4, 2, 6, 6))
    assert score.value == pytest.approx(total / 4, rel=1e-4)


def test_layers_with_fewer_pixels_than_channels_say_nothing_to_meco():
    narrow = nn.Sequential(nn.Conv2d(2, 40, 3), nn.ReLU(), nn.Flatten(), nn.Linear(640, 2))
    assert "more pixels" in scored("meco", narrow, INPUTS).details["reason"]


def test_meco_without_an_average_over_one_pixel_has_no_score():
    net = nn.Sequential(
        nn.Conv2d(2, 3, 3), nn.AdaptiveAvgPool2d(1), nn.BatchNorm2d(3), nn.Flatten(),
        nn.Linear(3, 2),
    )  # fmt: skip
    score = scored("meco", net, INPUTS + torch.rand(4, 2, 6, 6))
    assert "one sample of one pixel" in score.details["reason"]


def test_the_command_line_says_why_a_score_is_undefined(cli):
    done = cli("score", "reference:2fc[hidden=9]", "--fitness", "zen,params")
    assert done.code == 0
    lines = [line.split() for line in done.out.splitlines()[1:]]
    assert " ".join(lines[0]) == "zen undefined (max) no map enters a layer behind a convolution"
    assert lines[1][0] == "params"


@pytest.mark.parametrize("name", ["zen", "meco"])
def test_the_noise_follows_the_seed(net, name):
    values = [scored(name, net, INPUTS, seed).value for seed in (0, 0, 1)]
    assert values[0] == values[1] != values[2]
