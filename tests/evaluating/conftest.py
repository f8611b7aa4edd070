"""Two networks after a few steps of training, and one on events, to be read only."""

from __future__ import annotations

import numpy as np
import pytest

from evo_core import array_dataset, train
from evo_core.recipe import read_recipe

FRAMES = 4
COUNTS = np.random.default_rng(0).poisson(0.4, (100, FRAMES, 2, 6, 6)).astype(np.uint8)
EVENTS = array_dataset("events", COUNTS + np.arange(100)[:, None, None, None, None] % 2 * 2,
                       np.arange(100) % 2)  # fmt: skip


@pytest.fixture(scope="session")
def trainings(tmp_path_factory):
    """Give the results of trainings on digits by name: ``wide``, ``narrow`` and ``spikes``."""
    folder = tmp_path_factory.mktemp("evaluating")
    recipe = read_recipe("quick", {"epochs": 3, "batch": 64})

    def trained(name, hidden, **config):
        target = f"reference:2fc[hidden={hidden},spiking_output=false]"
        return train(target, recipe=recipe, out=folder / name, config=config)

    poisson = {"scoring": {"encoding": "poisson"}}
    return {
        "wide": trained("wide", 60),
        "narrow": trained("narrow", 12),
        "spikes": trained("spikes", 30, **poisson),
    }


@pytest.fixture(scope="session")
def of_events(tmp_path_factory):
    """Give the folder of a training on events."""
    folder = tmp_path_factory.mktemp("evaluating") / "events"
    recipe = read_recipe("quick", {"epochs": 4, "batch": 20, "lr": 0.01})
    train("reference:2fc[hidden=30,spiking_output=false]", data=EVENTS, recipe=recipe, out=folder)
    return folder
