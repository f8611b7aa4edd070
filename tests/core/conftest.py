"""Small runs and plugin files."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import settings

import evo_core
from evo_core import architecture_json
from evo_core.architecture import INPUT, Architecture, Edge, Node, Task
from evo_core.config import from_layers
from evo_core.genome import random_genome
from evo_core.plan import Job, make_plan
from evo_core.primitives import BatchNorm, Clip, Conv, GlobalAveragePool, Linear, Neuron

settings.register_profile("evo", deadline=None)  # no test asserts a wall-clock time
settings.load_profile("evo")
HOSTILE_PLUGIN = Path(__file__).parents[1] / "data" / "hostile_fitness.py"
SMALL: dict[str, Any] = {
    "executor": "serial",
    "workers": 1,
    "population": 4,
    "generations": 2,
    "observers": [],
    "mse": {"cells": 2},
    "scoring": {"batch": 8},
}


@pytest.fixture
def small():
    """Give the settings of a run that takes a fraction of a second."""
    return json.loads(json.dumps(SMALL))


@pytest.fixture
def quick_run(tmp_path, small):
    """Run a small search with other settings on top; the folder is tmp_path/run unless named."""

    def start(components=(), **settings):
        merged = {"out": str(tmp_path / "run")} | small
        for key, value in settings.items():
            both = isinstance(value, dict) and isinstance(merged.get(key), dict)
            merged[key] = {**merged[key], **value} if both else value
        return evo_core.run(merged, components=components)

    return start


@pytest.fixture
def cached_run(quick_run, tmp_path):
    """Run a small search with the cache ``scores.sqlite``, each in a folder of its own."""
    numbers = iter(range(100))

    def start(components=(), **given):
        given = {"cache": str(tmp_path / "scores.sqlite")} | given
        return quick_run(components, out=str(tmp_path / f"run-{next(numbers)}"), **given)

    return start


@pytest.fixture
def plugin_file(tmp_path):
    """Write a one-file plugin."""

    def write(text, name="my_plugin.py"):
        path = tmp_path / name
        path.write_text(textwrap.dedent(text), encoding="utf-8")
        return path

    return write


@pytest.fixture(scope="session")
def finished_run(tmp_path_factory):
    """Give the folder of a finished run, to be read only."""
    folder = tmp_path_factory.mktemp("runs") / "finished"
    evo_core.run(SMALL | {"fitness": ["rdm", "params"], "out": str(folder)})
    return folder


@pytest.fixture(scope="session")
def networks():
    """Give genomes of different small networks, by the hashes of these."""
    plan = make_plan(Job(from_layers({"mse": {"cells": 2, "channels": 4}})))
    rng = np.random.default_rng(0)
    found = {}
    while len(found) < 16:
        genome = random_genome(rng, plan.space.genes)
        found.setdefault(plan.decode(genome).hash, genome)
    return found


@pytest.fixture
def hostile(tmp_path, networks):
    """Write a plugin whose first networks misbehave as told, and ``genomes.txt``, all networks."""
    genomes = "\n".join(",".join(map(str, one)) for one in networks.values())
    (tmp_path / "genomes.txt").write_text(genomes)

    def write(deeds, name="hostile"):
        path = tmp_path / f"{name}.py"
        path.write_text(HOSTILE_PLUGIN.read_text())
        path.with_suffix(".json").write_text(json.dumps(dict(zip(networks, deeds, strict=False))))
        return path

    return write


@pytest.fixture(scope="session")
def chain():
    """Give ``chain(shape, classes)``: two convolutions in a row, with parallel ways between."""

    def build(shape=(1, 8, 8), classes=10, channels=8):
        lif = Neuron("lif")
        wide = 2 * channels
        edges = (
            Edge(INPUT, "a", (Conv(shape[0], channels, 3, 2), BatchNorm(channels))),
            Edge("a", "b", (lif, Conv(channels, wide, 3, 2), BatchNorm(wide), Clip(1))),
            Edge("a", "b", (lif, Conv(channels, wide, 1, 2), BatchNorm(wide), Clip(-1))),
            Edge("b", "out", (lif, GlobalAveragePool(), Linear(wide, classes))),
        )
        nodes = (Node("a"), Node("b"), Node("out"))
        return Architecture(Task(shape, classes, 4), nodes, edges, "out")

    return build


@pytest.fixture
def chain_file(chain, tmp_path):
    """Write the network for digits as an architecture file."""
    path = tmp_path / "chain.json"
    path.write_text(json.dumps(architecture_json.to_json(chain())))
    return path
