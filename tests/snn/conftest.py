"""Networks and passes for the tests of both executors."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from evo_core.architecture import Task
from evo_core.binding import Binder
from evo_core.components import NeuronModel, SearchSpace, load
from evo_core.genome import random_genome
from evo_core.registry import installed
from evo_core.snn.network import SpikingNetwork
from evo_core.snn.scoring import untrained_pass
from evo_core.snn.weights import Weights


@pytest.fixture(scope="session")
def neurons():
    return installed().all(NeuronModel)


@pytest.fixture(scope="session")
def draw():
    """Give ``draw(count, seed, task, **options)``: random networks of the space ``mse``."""

    def networks(count, seed, task, **options):
        binder = Binder(installed(), {"mse": options})
        bound = binder.bind(SearchSpace, "mse")
        space = load(bound.record.build)(bound.options, binder.bind)
        rng = np.random.default_rng(seed)
        return [space.decode(random_genome(rng, space.genes), task) for _ in range(count)]

    return networks


@pytest.fixture(scope="session")
def small(draw):
    """Give ``small(seed, **options)``: one small network for 8x8 frames."""

    def one(seed, **options):
        task = Task((1, 8, 8), 3, 4)
        return draw(1, seed, task, **({"cells": 3, "channels": 2} | options))[0]

    return one


@pytest.fixture(scope="session")
def frames_of():
    """Give ``frames(architecture, batch)``: another random input at each step, in float64."""

    def frames(architecture, batch=3, seed=0):
        generator = torch.Generator().manual_seed(seed)
        shape = (architecture.task.steps, batch, *architecture.task.shape)
        return torch.rand(shape, generator=generator, dtype=torch.float64)

    return frames


@pytest.fixture(scope="session")
def score(neurons):
    """Give ``score(architecture, frames, seed=0)``: logits, and spikes by (population, step)."""

    def run(architecture, frames, seed=0, **more):
        spikes = {}

        def on_spikes(population, step, fired):
            for number, one in enumerate(fired, step):
                assert (population, number) not in spikes
                spikes[population, number] = one

        weights = Weights(seed, dtype=frames.dtype)
        logits = untrained_pass(
            architecture, frames, neurons=neurons, weights=weights, on_spikes=on_spikes, **more
        )
        return logits, spikes

    return run


@pytest.fixture(scope="session")
def build(neurons):
    """Give ``build(architecture, seed=0)``: the SpikingJelly module with the same weights."""

    def module(architecture, seed=0, dtype=torch.float64):
        return SpikingNetwork(architecture, neurons, Weights(seed, dtype=dtype))

    return module
