"""Released networks run as the released code runs them, and alike in both executors."""

from __future__ import annotations

import re
from itertools import product

import numpy as np
import pytest
import torch
from torch.nn import functional

from evo_core.architecture import Task
from evo_core.components import NeuronModel
from evo_core.errors import InvalidGenomeError
from evo_core.genome import random_genome
from evo_core.registry import installed
from evo_core.snn.network import SpikingNetwork
from evo_core.snn.scoring import untrained_pass
from evo_core.snn.weights import Weights

NEURONS = installed().all(NeuronModel)
SETTINGS = list(product(("released", "wide"), ("cifar", "dvs"), (1, 2, 3)))
CASES = [(k, m) for k, m in product((2, 3, 4), range(6)) if (k, m) != (4, 0)]


def frames_for(task, seed, batch=4):
    generator = torch.Generator().manual_seed(seed)
    shape = (task.steps, batch, *task.shape)
    return 2 * torch.rand(shape, generator=generator, dtype=torch.float64)


def scored(architecture, frames, seed):
    spikes = {}

    def on_spikes(population, step, fired):
        spikes.update({(population, number): one for number, one in enumerate(fired, step)})

    weights = Weights(seed, dtype=torch.float64)
    logits = untrained_pass(
        architecture, frames, neurons=NEURONS, weights=weights, on_spikes=on_spikes
    )
    return logits, spikes


def trained(architecture, frames, seed):
    network = SpikingNetwork(architecture, NEURONS, Weights(seed, dtype=torch.float64))
    seen = {}
    for name, population in network.populations.items():
        population.register_forward_hook(
            lambda module, given, fired, name=name: seen.setdefault(name, []).extend(fired)
        )
    with torch.no_grad():
        steps = [network(frames[step : step + 1]) for step in range(len(frames))]
    return torch.cat(steps), seen


@pytest.mark.parametrize(("bounds", "reductions", "channels"), SETTINGS)
def test_both_executors_agree_spike_for_spike(make_released, bounds, reductions, channels):
    space = make_released(bounds=bounds, reductions=reductions, channels=2)
    rng = np.random.default_rng(channels)
    task, compared, fired = Task((channels, 16, 8), 3, 3), 0, 0.0
    while compared < 5:
        try:
            architecture = space.decode(random_genome(rng, space.genes), task)
        except InvalidGenomeError:
            continue
        frames = frames_for(task, compared)
        logits, spikes = scored(architecture, frames, compared)
        expected, seen = trained(architecture, frames, compared)
        assert len(spikes) == 3 * len(seen)
        for (name, step), one in spikes.items():
            assert torch.equal(one, seen[name.replace(".", "_")][step])
            fired += float(one.sum())
        assert torch.allclose(logits, expected, rtol=1e-12, atol=1e-14)
        compared += 1
    assert fired > 0


class Reference:
    """One cell as the released code runs it: a list of states that feedback changes in place.

    Every edge has a neuron of its own, and every step starts with a new list.
    """

    def __init__(self, space, genome, architecture):
        (self.cell,) = space.describe(genome)
        self.k = genome[-1]
        self.architecture = architecture
        self.weights = Weights(0, dtype=torch.float64)
        self.potentials = {}

    def step(self, frame):
        stem = self.apply("stem", 0, frame)
        states = [self.apply(f"cell1/x{i}", 0, stem) for i in range(self.k)]
        edges = [e for e in self.cell["edges"] if not e[0].endswith("_back")]
        back = [e for e in self.cell["edges"] if e[0].endswith("_back")]
        for i in range(len(edges) // self.k):
            node = f"cell1/n{self.k + i}"
            total, taken = torch.zeros_like(states[0]), 0
            for name, source in edges[self.k * i : self.k * (i + 1)]:
                if name != "skip":
                    total = total + self.apply(node, taken, states[source])
                    taken += 1
            if back and i > 0:
                name, target = back[i - 1]
                if name != "skip_back":
                    changed = self.apply(f"cell1/n{target}_after", 1, total)
                    states[target] = states[target] + changed
            states.append(total)
        output = torch.cat([states[i] for i in self.cell["concat"]], dim=1)
        return self.apply("logits", 0, output)

    def apply(self, target, number, value):
        path, edge = self.architecture.incoming[target][number]
        for position, operation in enumerate(edge.operations):
            where = f"{path}/{position}"
            value = getattr(self, re.sub("-", "_", operation.tag))(where, operation, value)
        return value

    def neuron(self, where, operation, current):
        v = self.potentials.get(where, 0.0)
        v = v + (current - v) / 2
        spikes = (v > 0.5).double()
        self.potentials[where] = v * (1 - spikes)
        return spikes

    def conv(self, where, operation, value):
        shape = (operation.outputs, operation.inputs, operation.kernel, operation.kernel)
        fan_in = operation.inputs * operation.kernel**2
        weight = self.weights.draw(f"{where}.weight", shape, fan_in)
        return functional.conv2d(value, weight, padding=(operation.kernel - 1) // 2)

    def batch_norm(self, where, operation, value):
        return functional.batch_norm(value, None, None, training=True)

    def clip(self, where, operation, value):
        keep = value > 0 if operation.sign > 0 else value < 0
        return torch.where(keep, value, torch.zeros_like(value))

    def global_average_pool(self, where, operation, value):
        return value.mean((2, 3))

    def linear(self, where, operation, value):
        shape = (operation.outputs, operation.inputs)
        weight = self.weights.draw(f"{where}.weight", shape, operation.inputs)
        bias = self.weights.draw(f"{where}.bias", shape[:1], operation.inputs)
        return value @ weight.T + bias


@pytest.mark.parametrize(("k", "motif"), CASES)
def test_a_cell_computes_what_a_list_of_states_changed_in_place_computes(
    make_released, released_genome, k, motif
):
    """Shared populations and states with two versions are only another way to write it."""
    space = make_released(cells=1, channels=4, reductions="dvs")
    task = Task((2, 6, 7), 3, 4)
    fired = 0.0
    for value in (0, 1):
        genome = released_genome(motif, k, [value] * 19, cells=1)
        architecture = space.decode(genome, task)
        frames = frames_for(task, seed=value)
        reference = Reference(space, genome, architecture)
        expected = torch.stack([reference.step(frame) for frame in frames])
        logits, spikes = scored(architecture, frames, 0)
        assert torch.allclose(logits, expected, rtol=1e-10, atol=1e-12)
        fired += sum(float(s.sum()) for (name, _), s in spikes.items() if "cell1/n" in name)
    assert fired > 0 or motif == 0


def test_a_reduction_shifts_its_second_half_by_one_pixel(make_released, released_genome):
    space = make_released(cells=2, channels=1, reductions="dvs")
    task = Task((1, 8, 6), 3, 1)
    architecture = space.decode(released_genome(1, 2, cells=2), task)
    frames = frames_for(task, 0)
    _, spikes = scored(architecture, frames, 0)
    given = next(s for (n, _), s in spikes.items() if n.startswith("cell1/out"))
    weights = Weights(0, dtype=torch.float64)
    halves = []
    for path, (_, edge) in zip(
        ("cell1/out->cell2/pair/1", "cell1/out->cell2/pair#2/2"),
        architecture.incoming["cell2/pair"],
        strict=True,
    ):
        conv = edge.operations[-1]
        weight = weights.draw(f"{path}.weight", (3, 2, 3, 3), 18)
        seen = given[:, :, 1:, 1:] if halves else given
        halves.append(functional.conv2d(seen, weight, stride=2, padding=1))
        assert (conv.inputs, conv.outputs) == (2, 3)
    expected = functional.batch_norm(torch.cat(halves, 1), None, None, training=True)
    potential = expected / 2
    fired = next(s for (n, _), s in spikes.items() if n.startswith("cell2/out"))
    assert torch.equal(fired, (potential >= 0.5).double())
    assert 0 < float(fired.mean()) < 1
