"""Event input: one frame per time step, two polarities."""

from __future__ import annotations

import numpy as np
import pytest

from evo_core import EvoError, array_dataset, run
from evo_core.config import from_layers
from evo_core.data import Samples
from evo_core.evaluation import Candidate
from evo_core.executors import make_evaluator
from evo_core.genome import random_genome
from evo_core.plan import Job, make_plan

STEPS = 6
EVENTS = (np.random.default_rng(0).random((60, STEPS, 2, 12, 9)) < 0.1).astype(np.float32)
DATA = array_dataset("events", EVENTS, np.arange(60) % 3)


def plan(**settings):
    small = {"data": "events", "scoring": {"batch": 8}, "mse": {"cells": 2, "channels": 4}}
    return make_plan(Job(from_layers(small, settings), (DATA,)))


def test_the_steps_of_a_task_are_those_of_the_events():
    assert plan().task.steps == STEPS
    assert plan().task.shape == (2, 12, 9)
    assert plan(scoring={"steps": STEPS}).task.steps == STEPS


def test_another_number_of_steps_is_refused():
    with pytest.raises(EvoError, match=r"scoring.steps is 4, but the events come in 6 steps") as no:
        plan(scoring={"steps": 4})
    assert str(no.value).endswith(
        "scoring.steps=6, or so many frames, e.g. --data 'nmnist[frames=4]'"
    )


def test_a_network_sees_the_frames_in_order():
    samples = Samples(EVENTS, np.arange(60) % 3)
    frames = samples.frames(STEPS)
    assert frames.shape == (STEPS, 60, 2, 12, 9)
    assert np.array_equal(frames[4, 7], EVENTS[7, 4])


def test_images_are_shown_alike_at_every_step():
    frames = Samples(EVENTS[:, 0], np.arange(60) % 3).frames(3)
    assert frames.shape == (3, 60, 2, 12, 9)
    assert np.array_equal(frames[0], frames[2])


def test_the_order_of_the_frames_matters_to_a_network():
    ordered, reversed_ = (
        make_evaluator(Job(from_layers(SETTINGS), (array_dataset("e", events, np.arange(60) % 3),)))
        for events in (EVENTS, EVENTS[:, ::-1])
    )
    genome = random_genome(np.random.default_rng(1), plan().space.genes)
    scores = [
        one.evaluate(Candidate(0, genome, "")).scores["rdm"].value for one in (ordered, reversed_)
    ]
    assert scores[0] != scores[1]


SETTINGS = {"data": "e", "scoring": {"batch": 8}, "mse": {"cells": 2, "channels": 4}}


def test_a_search_on_events_ends_with_a_network(tmp_path):
    settings = {
        "data": "events",
        "scoring": {"batch": 8},
        "mse": {"cells": 2, "channels": 4, "macro": "free", "neurons": ["lif", "plif"]},
        "population": 4,
        "generations": 2,
        "executor": "serial",
        "observers": [],
        "out": str(tmp_path / "run"),
    }
    result = run(settings, components=[DATA])
    assert result.best is not None
    assert "steps = 6" in (tmp_path / "run" / "config.toml").read_text()
