"""ZiCo against a loop over parts, layers and weights."""

from __future__ import annotations

import math

import pytest
import torch
from spikingjelly.activation_based import functional as sj
from spikingjelly.activation_based import layer, neuron
from torch import nn
from torch.nn import functional

from evo_core import EvoError, score_module


def zico(module, inputs, labels, parts=4):
    (score,) = score_module(module, inputs, labels, [f"zico[parts={parts}]"]).values()
    return score


def reference(net, parts, logits_of):
    """Give the score from the gradients of each part, weight by weight."""
    layers = [one for one in net.modules() if isinstance(one, nn.Conv2d | nn.Linear)]
    found = []
    for inputs, labels in parts:
        loss = functional.cross_entropy(logits_of(net, inputs), labels)
        grads = torch.autograd.grad(loss, [one.weight for one in layers], allow_unused=True)
        found.append([None if one is None else one.flatten().tolist() for one in grads])
    total = 0.0
    for place in range(len(layers)):
        ratios = 0.0
        for values in zip(*[one[place] or [] for one in found], strict=True):
            mean = sum(values) / len(values)
            spread = math.sqrt(sum((value - mean) ** 2 for value in values) / len(values))
            if spread > 0:
                ratios += sum(map(abs, values)) / len(values) / spread
        total += math.log(ratios) if ratios > 0 else 0.0
    return total


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.unused, self.head = nn.Conv2d(1, 3, 3), nn.Linear(2, 2), nn.Linear(12, 3)

    def forward(self, x):
        return self.head(torch.relu(self.conv(x)).flatten(1))


@pytest.mark.parametrize("parts", [2, 3, 4])
def test_the_score_is_that_of_the_loop(parts):
    torch.manual_seed(0)
    net, inputs = Net().double(), torch.rand(12, 1, 4, 4, dtype=torch.float64)
    labels = torch.arange(12) % 3
    given = list(zip(inputs.chunk(parts), labels.chunk(parts), strict=True))
    expected = reference(net, given, lambda net, x: net(x))
    score = zico(net, inputs, labels, parts)
    assert score.value == pytest.approx(expected, rel=1e-9)
    assert score.details == {"layers": 3, "used_layers": 2}
    assert (score.forwards, score.backwards) == (1 + parts, parts)


def test_a_spiking_network_starts_each_part_at_rest():
    torch.manual_seed(0)
    net = nn.Sequential(layer.Linear(6, 20), neuron.LIFNode(v_threshold=0.3), layer.Linear(20, 3))
    sj.set_step_mode(net, "m")
    net = net.double()
    frames, labels = torch.rand(3, 8, 6, dtype=torch.float64), torch.arange(8) % 3

    def logits_of(net, x):
        sj.reset_net(net)
        return net(x).mean(0)

    given = list(zip(frames.chunk(4, 1), labels.chunk(4), strict=True))
    expected = reference(net, given, logits_of)
    sj.reset_net(net)
    assert zico(net, frames, labels).value == pytest.approx(expected, rel=1e-9)


def test_parts_that_are_all_alike_and_too_few_samples_leave_no_score():
    torch.manual_seed(0)
    net, half = Net(), torch.rand(2, 1, 4, 4)
    alike = zico(net, torch.cat([half] * 4), torch.tensor([0, 1] * 4))
    assert (alike.value, "varies" in alike.details["reason"]) == (None, True)
    few = zico(net, half, torch.tensor([0, 1]))
    assert "2 samples can not be split into 4" in few.details["reason"]


def test_one_part_is_refused():
    with pytest.raises(EvoError, match=r"zico\.parts"):
        zico(Net(), torch.rand(4, 1, 4, 4), torch.zeros(4).long(), parts=1)
