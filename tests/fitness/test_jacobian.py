"""Scores of the Jacobian: exact where it is known, and flagged where it says nothing."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from spikingjelly.activation_based import functional as sj
from spikingjelly.activation_based import layer, neuron
from torch import nn

from evo_core import score_module

NAMES = ["jacob-cov", "epe-nas"]
E = 1e-5


class Rows(nn.Module):
    """A network whose Jacobian is given: the logits are ``(M_i x_i, 0)`` for sample i."""

    def __init__(self, rows, classes=2):
        super().__init__()
        self.classes = classes
        self.register_buffer("rows", torch.as_tensor(rows, dtype=torch.float64))

    def forward(self, x):
        first = (self.rows * x).sum(1, keepdim=True)
        return nn.functional.pad(first, (0, self.classes - 1))


def scored(rows, labels, classes=2):
    torch.manual_seed(0)
    inputs = torch.rand(len(rows), len(rows[0]), dtype=torch.float64)
    return score_module(Rows(rows, classes), inputs, labels, NAMES)


def by_hand(rows, labels, classes):
    """Give both scores by numpy, in loops; EPE-NAS up to 100 classes and beyond."""
    matrix = np.corrcoef(rows)
    v = np.linalg.eigvals(matrix).real
    jacob = -sum(math.log(one + E) + 1 / (one + E) for one in v)
    s = []
    for label in sorted(set(labels)):
        members = [i for i, one in enumerate(labels) if one == label]
        total = sum(math.log(abs(matrix[i, j]) + E) for i in members for j in members)
        s.append(total / len(members) if classes > 100 else total)
    epe = sum(map(abs, s))
    if classes > 100:
        epe = sum(abs(a - b) for a in s for b in s) / len(s)
    return jacob, epe


@pytest.mark.parametrize("classes", [3, 101])
@pytest.mark.parametrize("seed", range(4))
def test_known_jacobians_score_by_the_published_formulas(classes, seed):
    rng = np.random.default_rng(seed)
    rows, labels = rng.normal(size=(7, 12)), [0, 0, 1, 1, 1, 2, 0]
    found = scored(rows, labels, classes)
    jacob, epe = by_hand(rows, labels, classes)
    assert found["jacob-cov"].value == pytest.approx(jacob, rel=1e-8)
    assert found["epe-nas"].value == pytest.approx(epe, rel=1e-8)


def test_uncorrelated_rows_have_the_best_value_and_no_others_do():
    best = scored([[1, 1, -1, -1], [1, -1, 1, -1], [1, -1, -1, 1]], [0, 0, 1])["jacob-cov"].value
    assert best == pytest.approx(-3, abs=1e-4)
    rng = np.random.default_rng(0)
    for _ in range(20):
        assert scored(rng.normal(size=(3, 6)), [0, 0, 1])["jacob-cov"].value < best


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        (np.zeros((3, 4)), "vanishes"),
        ([[1, 2, 3], [0, 0, 0], [3, 1, 2]], "without variance"),
        ([[1, 2, 3], [5, 5, 5], [3, 1, 2]], "without variance"),
        ([[1, 2, 3]], "one sample"),
    ],
)
def test_rows_that_can_not_be_compared_leave_no_score(rows, reason):
    for score in scored(rows, [0] * len(rows)).values():
        assert score.value is None
        assert reason in score.details["reason"]


def test_a_class_of_one_sample_counts_little_and_if_all_are_there_is_no_score():
    rows = np.random.default_rng(0).normal(size=(3, 6))
    assert "two samples" in scored(rows, [0, 1, 2], 3)["epe-nas"].details["reason"]
    pair, lone = scored(rows[:2], [0, 0])["epe-nas"].value, scored(rows, [0, 0, 1])["epe-nas"].value
    assert lone == pytest.approx(pair + math.log(1 + E), rel=1e-9)


def test_batch_norm_before_an_average_makes_the_jacobian_vanish():
    torch.manual_seed(0)
    end = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2)]
    start = [nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Conv2d(4, 4, 3), nn.BatchNorm2d(4)]
    inputs, labels = torch.rand(8, 1, 9, 9), torch.arange(8) % 2
    for score in score_module(nn.Sequential(*start, *end), inputs, labels, NAMES).values():
        assert "vanishes" in score.details["reason"]
    alive = score_module(nn.Sequential(*start, nn.ReLU(), *end), inputs, labels, NAMES)
    assert {score.status for score in alive.values()} == {"ok"}


def test_equal_inputs_leave_no_score():
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(5, 20), nn.ReLU(), nn.Linear(20, 2))
    inputs = torch.rand(4, 5)
    inputs[3] = inputs[1]
    for score in score_module(net, inputs, torch.arange(4) % 2, NAMES).values():
        assert "same input" in score.details["reason"]


def spiking(mode):
    torch.manual_seed(0)
    net = nn.Sequential(layer.Linear(6, 30), neuron.LIFNode(v_threshold=0.2), layer.Linear(30, 3))
    sj.set_step_mode(net, mode)
    return net.double()


@pytest.mark.parametrize("mode", ["s", "m"])
def test_a_frame_that_is_shown_at_every_step_has_one_gradient(mode):
    torch.manual_seed(1)
    image, labels = torch.rand(5, 6, dtype=torch.float64), [0, 0, 1, 1, 0]
    net, leaf = spiking("s"), image.clone().requires_grad_()
    sum(net(leaf) for _ in range(3)).sum().backward()
    expected = by_hand(leaf.grad.numpy(), labels, 3)
    found = score_module(spiking(mode), image.expand(3, 5, 6), labels, NAMES)
    assert [found[name].value for name in NAMES] == pytest.approx(expected, rel=1e-7)


@pytest.mark.parametrize("mode", ["s", "m"])
def test_of_a_sequence_the_gradients_of_all_frames_stand_side_by_side(mode):
    torch.manual_seed(1)
    frames, labels = torch.rand(3, 5, 6, dtype=torch.float64), [0, 0, 1, 1, 0]
    net, leaf = spiking("s"), frames.clone().requires_grad_()
    sum(net(frame) for frame in leaf).sum().backward()
    expected = by_hand(leaf.grad.transpose(0, 1).flatten(1).numpy(), labels, 3)
    found = score_module(spiking(mode), frames, labels, NAMES)
    assert [found[name].value for name in NAMES] == pytest.approx(expected, rel=1e-7)


def test_a_network_whose_logits_ignore_the_inputs_has_no_score():
    class Deaf(nn.Module):
        def __init__(self):
            super().__init__()
            self.bias = nn.Parameter(torch.zeros(2))

        def forward(self, x):
            return self.bias.expand(len(x), 2)

    for score in score_module(Deaf(), torch.rand(4, 3), [0, 0, 1, 1], NAMES).values():
        assert "vanishes" in score.details["reason"]
