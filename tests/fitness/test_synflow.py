"""SynFlow: products over paths, and what it must not depend on."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch
from spikingjelly.activation_based import functional as sj
from spikingjelly.activation_based import layer, neuron
from torch import nn

from evo_core import score_module
from evo_core.config import from_layers
from evo_core.evaluation import Candidate
from evo_core.genome import random_genome
from evo_core.plan import Job, make_plan
from evo_core.snn.network import SignClip, SpikingNetwork
from evo_core.snn.worker import Evaluator


def synflow(module, inputs, labels=None):
    return score_module(module, inputs, labels, ["synflow"])["synflow"]


def chain(*widths):
    torch.manual_seed(0)
    layers = [nn.Linear(*pair, bias=False) for pair in itertools.pairwise(widths)]
    return nn.Sequential(*[one for each in layers for one in (each, nn.ReLU())][:-1])


def test_on_a_chain_every_layer_holds_the_whole_flow():
    net = chain(5, 7, 6, 3)
    weights = [one.weight.detach().double().abs() for one in net if isinstance(one, nn.Linear)]
    flow = sum(
        math.prod(
            float(weights[place][path[place + 1], path[place]]) for place in range(len(weights))
        )
        for path in itertools.product(range(5), range(7), range(6), range(3))
    )
    assert synflow(net, torch.rand(4, 5)).value == pytest.approx(math.log(3 * flow), rel=1e-9)


def test_neither_signs_nor_data_nor_labels_nor_batch_norm_matter():
    net = chain(5, 7, 6, 3)
    value = synflow(net, torch.rand(4, 5)).value
    with torch.no_grad():
        for one in net.parameters():
            one.mul_(torch.randn(one.shape).sign())
    assert synflow(net, torch.randn(9, 5), torch.zeros(9).long()).value == value
    normed = nn.Sequential(net[0], nn.BatchNorm1d(7), *net[1:], nn.Dropout(0.9))
    assert synflow(normed, torch.rand(4, 5)).value == pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize("mode", ["s", "m"])
def test_a_spiking_network_has_the_flow_of_the_one_without_its_neurons(mode):
    torch.manual_seed(0)
    conv, head = layer.Conv2d(1, 3, 3), layer.Linear(12, 2)
    net = nn.Sequential(conv, layer.BatchNorm2d(3), neuron.LIFNode(), layer.Flatten(), head)
    sj.set_step_mode(net, mode)
    with torch.no_grad():
        x = torch.ones(1, 1, 4, 4, dtype=torch.float64)
        kernel, matrix = (one.weight.double().abs() for one in (conv, head))
    bias, shift = (one.bias.detach().double().abs() for one in (conv, head))
    kernel.requires_grad_(), matrix.requires_grad_()
    flow = (torch.conv2d(x, kernel, bias).flatten(1) @ matrix.T + shift).sum()
    grads = torch.autograd.grad(flow, [kernel, matrix])
    total = sum((w * g).sum().item() for w, g in zip((kernel, matrix), grads, strict=True))
    for steps in (1, 3):
        found = synflow(net, torch.rand(steps, 6, 1, 4, 4), torch.zeros(6).long())
        assert found.value == pytest.approx(math.log(total), rel=1e-9)


def test_a_deep_wide_network_has_a_finite_logarithm():
    torch.manual_seed(0)
    net = nn.Sequential(*[nn.Linear(200, 200, bias=False) for _ in range(60)])
    for one in net:
        nn.init.normal_(one.weight, std=0.06)
    flows = {}
    for kind in (torch.float32, torch.float64):
        x = torch.ones(1, 200, dtype=kind)
        for one in net:
            x = x @ one.weight.detach().to(kind).abs().T
        flows[kind] = x.sum().item()
    assert flows[torch.float32] == math.inf
    expected = math.log(60 * flows[torch.float64])
    assert synflow(net, torch.rand(4, 200)).value == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("breaking", [nn.ReLU6(), nn.Threshold(1e9, 0.0)])
def test_a_flow_that_nothing_passes_is_undefined(breaking):
    net = nn.Sequential(nn.Linear(9, 9), breaking, nn.Linear(9, 2, bias=False))
    nn.init.constant_(net[0].weight, 100)
    score = synflow(net, torch.rand(4, 9))
    if isinstance(breaking, nn.ReLU6):  # the last layer still has its own
        assert score.status == "ok"
    else:
        assert (score.value, score.details["reason"]) == (None, "the synaptic flow is 0")


def test_of_an_inhibitory_edge_as_of_an_excitatory_one():
    torch.manual_seed(0)
    first, last = nn.Linear(5, 6), nn.Linear(6, 2)
    flows = [
        synflow(nn.Sequential(first, SignClip(sign), last), torch.rand(4, 5)).value
        for sign in (-1, 1)
    ]
    assert flows[0] == flows[1]


@pytest.mark.parametrize("feedback", ["next-step", "same-step"])
def test_of_evos_networks_it_is_that_of_the_absolute_weights_without_their_neurons(feedback):
    layers = {
        "fitness": ["synflow"],
        "scoring": {"batch": 4, "steps": 2},
        "mse": {"cells": 2, "channels": 2, "feedback": feedback},
    }
    plan = make_plan(Job(from_layers(layers)))
    genome = random_genome(np.random.default_rng(1), plan.space.genes)
    found = Evaluator(plan).evaluate(Candidate(0, genome, "")).scores["synflow"]

    from evo_core.primitives import BatchNorm, Clip, Neuron
    from evo_core.snn.walk import Walker
    from evo_core.snn.weights import Weights

    architecture = plan.decode(genome)
    net = SpikingNetwork(architecture, plan.neurons, Weights(plan.config.seed)).double()
    for one in net.parameters():
        one.data.abs_()

    def carry(path, edge, value):
        start = 1 if edge.neuron is not None else 0
        for operation, module in zip(edge.operations[start:], net.edge(path), strict=True):
            if not isinstance(operation, BatchNorm | Clip | Neuron):
                value = module(value)
        return value

    walker = Walker(architecture, lambda name, neuron, value: value, carry)
    ones = torch.ones(1, 1, *architecture.task.shape, dtype=torch.float64)
    walker.run(ones, {}).sum().backward()
    modules = [one for one in net.modules() if isinstance(one, nn.Conv2d | nn.Linear)]
    used = [one.weight for one in modules if one.weight.grad is not None]
    assert found.value == pytest.approx(
        math.log(sum((one * one.grad).sum().item() for one in used)), rel=1e-9
    )
