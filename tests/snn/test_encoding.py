"""Encodings: what a network sees of images, and of events."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from evo_core import EvoError, array_dataset
from evo_core.config import from_layers
from evo_core.data import Samples
from evo_core.evaluation import Candidate
from evo_core.executors import make_evaluator
from evo_core.genome import random_genome
from evo_core.plan import Job, make_plan
from evo_core.seeds import generator
from evo_core.snn.encoding import encoded

IMAGES = np.random.default_rng(0).random((20, 2, 5, 6)).astype(np.float32)
LABELS = np.arange(20) % 4
SMALL = {"data": "mine", "scoring": {"batch": 8}, "mse": {"cells": 2, "channels": 4}}


def shown(encoding, steps=5, inputs=IMAGES, seed=3):
    labels = np.zeros(len(inputs), int)
    return encoded(Samples(inputs, labels), steps, encoding, generator(seed, "encoding", 0))


def test_direct_shows_an_image_as_it_is_at_every_step():
    frames = shown("direct")
    samples = Samples(IMAGES, LABELS)
    assert torch.equal(frames, torch.tensor(samples.frames(5), dtype=torch.float32))
    assert all(np.array_equal(frame.numpy(), IMAGES) for frame in frames)


@pytest.mark.parametrize("encoding", ["poisson", "latency"])
def test_encodings_make_spikes_of_the_shape_of_a_sequence(encoding):
    spikes = shown(encoding)
    assert spikes.shape == (5, *IMAGES.shape)
    assert spikes.dtype == torch.float32
    assert set(spikes.unique().tolist()) == {0.0, 1.0}
    assert torch.equal(shown(encoding), spikes)


def test_poisson_spikes_are_as_frequent_as_the_pixels_are_bright():
    spikes = shown("poisson", steps=2000)
    assert abs(spikes.mean(0).numpy() - IMAGES).max() < 0.06
    assert not torch.equal(spikes[0], spikes[1])


def test_poisson_spikes_come_from_the_generator_alone():
    before = torch.random.get_rng_state()
    first, other = shown("poisson"), shown("poisson", seed=4)
    assert torch.equal(torch.random.get_rng_state(), before)
    torch.manual_seed(1)
    assert torch.equal(shown("poisson"), first)
    assert not torch.equal(first, other)


def test_latency_is_one_spike_the_earlier_the_brighter():
    spikes = shown("latency")
    assert torch.equal(spikes.sum(0), torch.ones(IMAGES.shape))
    assert torch.equal(spikes.argmax(0), torch.tensor((4 * (1 - IMAGES)).round()).long())


def test_extreme_pixels_are_spikes_always_and_never():
    images = np.zeros((1, 1, 2, 2), np.float32)
    images[0, 0, 0] = (1.0, 1.7)
    spikes = shown("poisson", steps=50, inputs=images)[:, 0, 0]
    assert spikes.mean(0).tolist() == [[1, 1], [0, 0]]
    assert shown("latency", inputs=images)[0, 0, 0].tolist() == [[1, 1], [0, 0]]


def test_one_step_is_enough_for_every_encoding():
    for encoding in ("direct", "poisson", "latency"):
        assert shown(encoding, steps=1).shape == (1, *IMAGES.shape)


def plan(inputs=IMAGES, **scoring):
    settings = from_layers(SMALL, {"scoring": scoring})
    return make_plan(Job(settings, (array_dataset("mine", inputs, LABELS),)))


def test_events_are_spikes_already():
    events = (np.random.default_rng(0).random((20, 3, 2, 8, 8)) < 0.1).astype(np.uint8)
    assert plan(events, encoding="direct").task.steps == 3
    with pytest.raises(EvoError, match=r"scoring.encoding is 'latency', but the data are events"):
        plan(events, encoding="latency")


def test_images_that_do_not_go_from_0_to_1_are_refused():
    with pytest.raises(EvoError, match=r"values from 0 to 1, but the data go from 0.* to 2"):
        plan(IMAGES * 300, encoding="poisson")


def test_an_encoding_that_does_not_exist_is_refused():
    with pytest.raises(EvoError, match=r"scoring.encoding"):
        plan(encoding="rate")


def test_candidates_are_scored_under_the_encoding():
    scans = {"data": "digits", "scoring": {"batch": 8}, "mse": {"cells": 2, "channels": 4}}
    scores = {}
    for encoding in ("direct", "poisson", "latency"):
        settings = from_layers(scans, {"scoring": {"encoding": encoding}})
        job = Job(settings)
        genome = random_genome(np.random.default_rng(1), make_plan(job).space.genes)
        values = [make_evaluator(job).evaluate(Candidate(0, genome, "")) for _ in range(2)]
        first, again = (one.scores["rdm"].value for one in values)
        assert first == again
        scores[encoding] = first
    assert len(set(scores.values())) == 3
