"""Networks of the space ``mse`` live: they spike everywhere and answer to their input."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from evo_core.components import NeuronModel
from evo_core.data import digits
from evo_core.genome import random_genome
from evo_core.registry import installed
from evo_core.snn.scoring import untrained_pass
from evo_core.snn.weights import Weights

STEPS = 4


def run(architecture, frames, neurons):
    """Give the logits and the populations that fired."""
    alive = set()

    def on_spikes(population, step, spikes):
        if bool(spikes.any()):
            alive.add(population)

    sequence = frames.expand(STEPS, *frames.shape)
    weights = Weights(0)
    logits = untrained_pass(
        architecture, sequence, neurons=neurons, weights=weights, on_spikes=on_spikes
    )
    return logits.mean(0), alive


def lives(architecture, frames, neurons):
    logits, alive = run(architecture, frames, neurons)
    fires = all(
        any(population.startswith(f"{cell.name}/") for population in alive)
        for cell in architecture.cells
    )
    same = (logits[:, None] - logits[None, :]).abs().amax(2) < 1e-5
    return fires, int(same.sum()) == len(logits)  # each sample is like itself only


@pytest.mark.slow
@pytest.mark.parametrize("feedback", ["next-step", "same-step"])
def test_95_percent_of_random_genomes_fire_in_every_cell_and_tell_samples_apart(
    make_space, digits_task, feedback
):
    space, neurons = make_space(feedback=feedback), installed().all(NeuronModel)
    frames = torch.from_numpy(digits(None, None).batch(32, 0, 0).inputs)
    rng, count = np.random.default_rng(7), 150
    found = [
        lives(space.decode(random_genome(rng, space.genes), digits_task), frames, neurons)
        for _ in range(count)
    ]
    assert sum(fires for fires, _ in found) >= 0.95 * count
    assert sum(distinct for _, distinct in found) >= 0.95 * count


@pytest.mark.slow
def test_logits_change_when_the_input_is_zeroed_or_its_pixels_are_shuffled(make_space, digits_task):
    space, neurons = make_space(), installed().all(NeuronModel)
    frames = torch.from_numpy(digits(None, None).batch(32, 0, 0).inputs)
    order = torch.randperm(64, generator=torch.Generator().manual_seed(0))
    shuffled = frames.flatten(1)[:, order].view_as(frames)
    rng, count, changed = np.random.default_rng(8), 20, 0
    for _ in range(count):
        architecture = space.decode(random_genome(rng, space.genes), digits_task)
        given, zeroed, moved = (
            run(architecture, batch, neurons)[0]
            for batch in (frames, torch.zeros_like(frames), shuffled)
        )
        assert torch.allclose(zeroed, zeroed[:1].expand_as(zeroed))
        changed += not torch.allclose(given, zeroed) and not torch.allclose(given, moved)
    assert changed >= 0.95 * count


def test_a_shuffled_batch_gives_the_same_logits_in_the_shuffled_order(make_space, digits_task):
    space, neurons = make_space(), installed().all(NeuronModel)
    frames = torch.from_numpy(digits(None, None).batch(8, 0, 0).inputs)
    architecture = space.decode(random_genome(np.random.default_rng(9), space.genes), digits_task)
    order = torch.tensor([3, 1, 7, 0, 2, 6, 5, 4])
    straight, _ = run(architecture, frames, neurons)
    moved, _ = run(architecture, frames[order], neurons)
    assert torch.allclose(straight[order], moved, atol=1e-5)
