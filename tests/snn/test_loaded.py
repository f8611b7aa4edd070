"""Networks with weights: whatever names one gives the weights that it says."""

from __future__ import annotations

import json

import pytest
import torch

from evo_core import run, train
from evo_core.errors import EvoError
from evo_core.recipe import read_recipe
from evo_core.snn.loaded import load_network
from evo_core.snn.training import Trainer

FAST = read_recipe("quick", {"epochs": 2, "samples": 64, "batch": 32})


@pytest.fixture(scope="module")
def training(tmp_path_factory):
    folder = tmp_path_factory.mktemp("loaded") / "training"
    return train("reference:2fc[hidden=20]", recipe=FAST, out=folder)


def test_a_training_is_its_last_epoch(training):
    """It measures what the training measured."""
    loaded = load_network(str(training.folder))
    plan = loaded.plan
    trainer = Trainer(loaded.architecture, plan.splits, plan.neurons, FAST, 0)
    trainer.network.load_state_dict(loaded.network.state_dict())
    assert trainer.measure(plan.splits.test) == training.test
    assert loaded.trained
    assert loaded.origin == f"epoch 2 of {training.folder}"
    assert not loaded.network.training


def test_a_checkpoint_is_named_by_its_folder(training):
    last = load_network(str(training.folder / "epoch-2"))
    whole = load_network(str(training.folder))
    assert _equal(last, whole)


def test_a_genome_has_the_initial_weights_of_its_seed():
    one, same, other = (load_network("reference:2fc", [{"seed": seed}]) for seed in (3, 3, 4))
    assert _equal(one, same)
    assert not _equal(one, other)
    assert not one.trained
    assert one.origin == "initial weights, seed 3"


def test_a_candidate_of_a_run_has_the_body_it_left(tmp_path):
    found = run(
        {
            "space": "mse",
            "mse": {"cells": 1, "channels": 4},
            "fitness": ["accuracy[epochs=1,samples=64]"],
            "population": 2,
            "generations": 1,
            "develop": "set",
            "executor": "serial",
            "inherit": "lamarck",
            "out": str(tmp_path / "run"),
        }
    )
    loaded = load_network(f"{tmp_path / 'run'}:{found.best.candidate}")
    assert loaded.trained
    assert loaded.origin.startswith("body of ")
    drawn = load_network(f"{tmp_path / 'run'}:{found.best.candidate}", [{"seed": 9}])
    assert _equal(loaded, drawn)


@pytest.mark.parametrize("damage", ["truncated", "format", "other network"])
def test_a_damaged_checkpoint_is_one_line(training, tmp_path, damage):
    place = tmp_path / "epoch-2"
    place.mkdir()
    for path in (training.folder / "epoch-2").iterdir():
        (place / path.name).write_bytes(path.read_bytes())
    note = place / "checkpoint.json"
    data = json.loads(note.read_text())
    if damage == "truncated":
        weights = place / "weights.safetensors"
        weights.write_bytes(weights.read_bytes()[:100])
        wanted = "missing or damaged"
    elif damage == "format":
        note.write_text(json.dumps(data | {"format": 99}))
        wanted = "checkpoint format 99"
    else:
        wider = json.dumps(data["job"]["architecture"]).replace("20", "21")
        note.write_text(
            json.dumps(data | {"job": data["job"] | {"architecture": json.loads(wider)}})
        )
        wanted = "does not fit"
    with pytest.raises(EvoError, match=wanted) as error:
        load_network(str(place))
    assert "\n" not in str(error.value)


def _equal(one, other):
    mine, theirs = one.network.state_dict(), other.network.state_dict()
    return mine.keys() == theirs.keys() and all(
        torch.equal(mine[name], theirs[name]) for name in mine
    )
