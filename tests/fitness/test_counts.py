"""``params`` and ``macs`` against counting on the module that is built."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from evo_core.config import from_layers
from evo_core.data import array_dataset
from evo_core.evaluation import Candidate
from evo_core.genome import random_genome
from evo_core.plan import Job, make_plan
from evo_core.snn.network import SpikingNetwork
from evo_core.snn.weights import Weights
from evo_core.snn.worker import Evaluator

STEPS, BATCH = 2, 3


def counted(network, frames):
    """Count multiply-accumulates per sample and step as the layers run."""
    total = 0

    def hook(module, given, output):
        nonlocal total
        inputs = module.weight[0].numel()  # what one output sums over
        total += output.numel() * inputs

    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            module.register_forward_hook(hook)
    with torch.no_grad():
        network(frames)
    return total / (STEPS * BATCH)


@pytest.mark.parametrize("feedback", ["next-step", "same-step"])
@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 15, 11), (2, 33, 16)])
def test_params_and_macs_are_those_of_the_module(feedback, shape):
    images = np.zeros((20, *shape))
    data = array_dataset("zeros", images, np.arange(20) % 4)
    layer = {
        "fitness": ["params", "macs"],
        "data": "zeros",
        "mse": {"cells": 4, "channels": 2, "feedback": feedback, "macro": "per-cell"},
        "scoring": {"steps": STEPS},
    }
    plan = make_plan(Job(from_layers(layer), (data,)))
    evaluator, rng = Evaluator(plan), np.random.default_rng(0)
    for number in range(6):
        genome = random_genome(rng, plan.space.genes)
        scores = evaluator.evaluate(Candidate(number, genome, "")).scores
        network = SpikingNetwork(plan.decode(genome), plan.neurons, Weights(0))
        assert scores["params"].value == sum(p.numel() for p in network.parameters())
        assert scores["macs"].value == counted(network, torch.rand(STEPS, BATCH, *shape))
        assert scores["params"].goal == scores["macs"].goal == "min"
        assert scores["params"].forwards == scores["macs"].forwards == 0
