"""Scores of one backward pass, on a spiking network that is written out step by step here."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from spikingjelly.activation_based import functional as sj
from spikingjelly.activation_based import layer, neuron, surrogate
from torch import nn
from torch.nn import functional

from evo_core import FitnessFunction, NoOptions, score_module
from evo_core.components import load
from evo_core.config import from_layers
from evo_core.evaluation import Candidate
from evo_core.genome import random_genome
from evo_core.plan import Job, make_plan
from evo_core.registry import installed
from evo_core.snn.any_module import SequenceModule
from evo_core.snn.gradients import Gradients, gradients_of
from evo_core.snn.view import View
from evo_core.snn.worker import Evaluator

STEPS, BATCH, CLASSES = 3, 5, 4
SCORES = ("snip", "grad-norm", "fisher", "grasp")


def node():
    lif = {"tau": 2.0, "decay_input": True, "detach_reset": True, "v_threshold": 0.5}
    return neuron.LIFNode(**lif, surrogate_function=surrogate.ATan(alpha=2.0), v_reset=0.0)


def spiking_net(mode="m", seed=0):
    torch.manual_seed(seed)
    net = nn.Sequential(
        layer.Conv2d(1, 3, 3, padding=1), node(), layer.Conv2d(3, 2, 3), node(),
        layer.Flatten(), layer.Linear(8, CLASSES),
    )  # fmt: skip
    sj.set_step_mode(net, mode)
    return net.double()


def batch_of(shape=(1, 4, 4), seed=1):
    torch.manual_seed(seed)
    inputs = torch.rand(STEPS, BATCH, *shape, dtype=torch.float64) * 3
    return inputs, torch.randint(0, CLASSES, (BATCH,))


def spike(v):
    """Fire at 0.5; the gradient is that of the arctangent (Fang et al. 2021)."""
    smooth = torch.atan(math.pi / 2 * 2.0 * (v - 0.5)) / math.pi
    return (v >= 0.5).double() + smooth - smooth.detach()


def slow_pass(net, frames, labels, *, masks=None, kept=None):
    """Give the loss of one sample after another, in plain loops over time; all of it float64."""
    parameters = [one for one in net if hasattr(one, "weight")]
    weights = [one.weight for one in parameters]
    if masks is not None:
        weights = [weight * mask for weight, mask in zip(weights, masks, strict=True)]
    losses = []
    for sample, label in enumerate(labels):
        v = [0.0, 0.0]
        logits = []
        for step in range(STEPS):
            x = frames[step, sample]
            for i, padding in enumerate((1, 0)):
                a = functional.conv2d(x, weights[i], parameters[i].bias, padding=padding)
                if kept is not None:
                    kept.append((i, sample, a))
                v[i] = v[i] + (a - v[i]) / 2
                x = spike(v[i])
                v[i] = v[i] * (1 - x.detach())
            a = weights[2] @ x.flatten() + parameters[2].bias
            if kept is not None:
                kept.append((2, sample, a))
            logits.append(a)
        mean = sum(logits) / STEPS
        losses.append(mean.logsumexp(0) - mean[label])
    return sum(losses) / len(losses), weights


def reference(name, net, frames, labels):
    if name == "snip":  # the gradient by a mask of ones, as in the paper
        shapes = [one.weight for one in net if hasattr(one, "weight")]
        masks = [torch.ones_like(one, requires_grad=True) for one in shapes]
        loss, _ = slow_pass(net, frames, labels, masks=masks)
        return float(sum(one.abs().sum() for one in torch.autograd.grad(loss, masks)))
    kept = []
    loss, weights = slow_pass(net, frames, labels, kept=kept)
    if name == "grad-norm":
        return sum(float((g * g).sum()) ** 0.5 for g in torch.autograd.grad(loss, weights))
    if name == "grasp":
        g = torch.autograd.grad(loss, weights, create_graph=True)
        z = sum((one.detach() * one).sum() for one in g)
        products = torch.autograd.grad(z, weights)
        return -float(sum((w.detach() * h).sum() for w, h in zip(weights, products, strict=True)))
    total, grads = {}, torch.autograd.grad(loss, [a for _, _, a in kept])
    for (i, sample, a), gradient in zip(kept, grads, strict=True):
        for channel in range(len(a)):
            key = i, channel, sample
            total[key] = total.get(key, 0) + float((a[channel].detach() * gradient[channel]).sum())
    return sum(
        value**2 / 2 / len(labels) * weights[i][channel].numel()
        for (i, channel, _), value in total.items()
    )


@pytest.mark.parametrize("mode", ["s", "m"])
@pytest.mark.parametrize("name", SCORES)
def test_a_spiking_network_scores_as_written_out_in_loops(name, mode):
    net, (frames, labels) = spiking_net(mode), batch_of()
    found = score_module(net, frames, labels, [name])[name]
    assert found.value == pytest.approx(reference(name, net, frames, labels), rel=1e-9)
    assert (found.forwards, found.backwards) == (2, 2 if name == "grasp" else 1)


class Plain(nn.Module):
    """A network whose layers and ReLU are called several times, some of them in place."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(2, 2, 3, padding=1)
        self.act = nn.LeakyReLU(0.1, inplace=True)
        self.unused = nn.Linear(3, 3)
        self.head = nn.Linear(2, CLASSES)

    def forward(self, x):
        x = self.act(self.conv(x))
        x = self.act(self.conv(x))
        return self.head(x.mean((2, 3)))


@pytest.fixture
def plain():
    torch.manual_seed(0)
    return Plain().double()


@pytest.fixture
def images():
    torch.manual_seed(1)
    return torch.randn(BATCH, 2, 5, 5, dtype=torch.float64), torch.randint(0, CLASSES, (BATCH,))


def test_fisher_adds_up_the_calls_of_a_layer(plain, images):
    inputs, labels = images
    first = plain.conv(inputs)
    second = plain.conv(functional.leaky_relu(first, 0.1))
    logits = plain.head(functional.leaky_relu(second, 0.1).mean((2, 3)))
    grads = torch.autograd.grad(functional.cross_entropy(logits, labels), [first, second, logits])
    conv = sum((a * g).sum((2, 3)) for a, g in zip((first, second), grads, strict=False))
    expected = (conv**2).mean(0).sum() / 2 * 18 + ((logits * grads[2]) ** 2).mean(0).sum() / 2 * 2
    score = score_module(plain, inputs, labels, ["fisher"])["fisher"]
    assert score.value == pytest.approx(expected.item(), rel=1e-9)
    assert score.details == {"unused_layers": 1}


@pytest.mark.parametrize("kind", [nn.Conv2d, nn.ConvTranspose2d])
def test_fisher_sums_over_the_pixels_of_a_channel(kind, images):
    inputs, labels = images
    torch.manual_seed(0)
    net = nn.Sequential(kind(2, CLASSES, 3), nn.Tanh(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    net = net.double()
    maps = net[0](inputs)
    loss = functional.cross_entropy(maps.tanh().mean((2, 3)), labels)
    (gradient,) = torch.autograd.grad(loss, maps)
    expected = sum(
        float((maps[n, c] * gradient[n, c]).sum().detach()) ** 2 / 2 / BATCH * 18
        for n in range(BATCH)
        for c in range(CLASSES)
    )
    score = score_module(net, inputs, labels, ["fisher"])["fisher"]
    assert score.value == pytest.approx(expected, rel=1e-9)


def test_layers_without_a_gradient_count_nothing(plain, images):
    inputs, labels = images
    grads = torch.autograd.grad(
        functional.cross_entropy(plain(inputs), labels), [plain.conv.weight, plain.head.weight]
    )
    norm = sum(float(one.norm()) for one in grads)
    snip = sum(
        (one * layer.weight).abs().sum().item()
        for one, layer in zip(grads, (plain.conv, plain.head), strict=True)
    )
    found = score_module(plain, inputs, labels, ["snip", "grad-norm", "grasp"])
    assert found["grad-norm"].value == pytest.approx(norm)
    assert found["snip"].value == pytest.approx(snip)
    assert found["grasp"].status == "ok"


class Odd(nn.Module):
    """A network that does not pass all samples through all layers."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(50, CLASSES)

    def forward(self, x):
        return functional.pad(self.layer(torch.relu(x.flatten(1)[1:])), (0, 0, 1, 0))


def test_layers_that_do_not_see_the_samples_leave_fisher_undefined(images):
    torch.manual_seed(0)
    found = score_module(Odd().double(), *images, ["fisher", "snip"])
    assert found["snip"].status == "ok"
    assert found["fisher"].details["reason"].startswith("the outputs of layer 'module.layer'")


def test_frozen_weights_count_as_well(plain, images):
    free = score_module(plain, *images, ["snip", "grasp", "zico"])
    plain.requires_grad_(False)
    frozen = score_module(plain, *images, ["snip", "grasp", "zico"])
    assert [one.value for one in frozen.values()] == [one.value for one in free.values()]


def test_a_weight_that_two_layers_share_counts_once(images):
    torch.manual_seed(0)
    one, other = nn.Linear(6, 6, bias=False), nn.Linear(6, 6, bias=False)
    other.weight = one.weight
    net = nn.Sequential(nn.Flatten(), nn.Linear(50, 6), one, nn.ReLU(), other).double()
    inputs, labels = images
    grads = torch.autograd.grad(
        functional.cross_entropy(net(inputs), labels), [net[1].weight, one.weight]
    )
    expected = sum(float(grad.norm()) for grad in grads)
    assert score_module(net, inputs, labels, ["grad-norm"])["grad-norm"].value == pytest.approx(
        expected
    )


def test_a_network_that_never_fires_has_a_gradient_in_its_first_layers_alone():
    net, (frames, labels) = spiking_net(), batch_of()
    for one in net:
        if isinstance(one, neuron.LIFNode):
            one.v_threshold = 1e3
    found = score_module(net, frames, labels, ["snip", "fisher", "silent-share"])
    assert found["silent-share"].value == 1
    assert found["snip"].status == "ok"
    assert math.isfinite(found["snip"].value)


@pytest.mark.parametrize("name", SCORES)
def test_without_layers_or_a_batch_of_one(name, images):
    inputs, labels = images
    flat = nn.Sequential(nn.Flatten(), nn.ReLU())
    assert score_module(flat, inputs, labels, [name])[name].status == "undefined"
    torch.manual_seed(0)
    net = nn.Sequential(nn.Flatten(), nn.Linear(50, 9), nn.Tanh(), nn.Linear(9, CLASSES)).double()
    one = score_module(net, inputs[:1], labels[:1], [name])[name]
    assert (one.status, one.value != 0) == ("ok", True)


@pytest.mark.parametrize("statistics", ["step", "sequence"])
def test_the_networks_of_evo_share_one_backward_pass(statistics):
    names = ["snip", "grad-norm", "fisher"]
    layers = {
        "fitness": names,
        "scoring": {"batch": 6, "steps": 2, "statistics": statistics},
        "mse": {"cells": 2, "channels": 2, "feedback": "same-step"},
    }
    plan = make_plan(Job(from_layers(layers)))
    genome = random_genome(np.random.default_rng(3), plan.space.genes)
    evaluator = Evaluator(plan)
    scores = evaluator.evaluate(Candidate(0, genome, "")).scores
    batch = evaluator._batches[0]
    from evo_core.snn.network import SpikingNetwork
    from evo_core.snn.weights import Weights

    net = SpikingNetwork(plan.decode(genome), plan.neurons, Weights(plan.config.seed))
    pieces = batch.frames.split(1 if statistics == "step" else 2)
    logits = torch.cat([net(piece) for piece in pieces]).mean(0)
    functional.cross_entropy(logits, batch.labels).backward()
    layers = [one for one in net.modules() if isinstance(one, nn.Conv2d | nn.Linear)]
    used = [one.weight for one in layers if one.weight.grad is not None]
    snip = sum((one * one.grad).abs().sum().item() for one in used)
    norm = sum(float(one.grad.norm()) for one in used)
    assert scores["snip"].value == pytest.approx(snip, rel=1e-4)
    assert scores["grad-norm"].value == pytest.approx(norm, rel=1e-4)
    assert [(scores[name].forwards, scores[name].backwards) for name in names] == [(2, 1)] * 3


@pytest.mark.parametrize(("name", "power"), [("snip", 1), ("grad-norm", 1), ("fisher", 2)])
def test_scores_scale_with_the_loss(name, power, plain, images):
    network = SequenceModule(plain, "static", 0)
    found = gradients_of(network, images[0][None], images[1], "sequence")
    scaled = [
        replace(one, gradient=3 * one.gradient, saliency=3 * one.saliency)
        for one in found.layers
        if one.gradient is not None
    ]
    score = load(installed().get(FitnessFunction, name).score)
    once = score(View(None, gradients=lambda: found), NoOptions()).value
    thrice = score(View(None, gradients=lambda: Gradients(1.0, tuple(scaled))), NoOptions()).value
    assert thrice == pytest.approx(3**power * once, rel=1e-9)
