"""``evo bench scoring`` says what scoring costs, and of what the cost is made."""

from __future__ import annotations

import json

import pytest
import torch

from evo_core.api import job_of
from evo_core.cli import main
from evo_core.executors import make_evaluator
from evo_core.genome import random_genome
from evo_core.plan import make_plan
from evo_core.primitives import Linear
from evo_core.seeds import generator
from evo_core.snn.floor import convolutions, floor
from evo_core.snn.stopwatch import Stopwatch

SMALL = ["--set", "mse.cells=2", "--set", "mse.channels=2", "--set", "scoring.batch=4"]


def evo(capsys, *arguments):
    with pytest.raises(SystemExit) as ended:
        main(["bench", "scoring", *arguments])
    return ended.value.code, capsys.readouterr().out


@pytest.fixture
def plan():
    return make_plan(job_of({"mse": {"cells": 2, "channels": 2}, "scoring": {"batch": 4}}))


@pytest.fixture
def architecture(plan):
    return plan.decode(random_genome(generator(0, "test"), plan.space.genes))


def test_it_prints_speed_floor_and_shares(capsys):
    code, out = evo(capsys, *SMALL, "--seconds", "0.01", "--json")
    found = json.loads(out)
    assert code == 0
    assert found["networks"] == 2
    assert found["ratio"] > 0
    assert found["candidates_per_second"] > 0
    assert found["space"] == "mse"
    assert found["batch"] == 4
    assert sum(found["shares"].values()) == pytest.approx(1)
    assert min(found["shares"].values()) >= 0


def test_it_prints_a_table_for_people(capsys):
    code, out = evo(capsys, *SMALL, "--seconds", "0.01")
    assert code == 0
    assert "candidates/s" in out
    assert "convolutions" in out


def test_it_takes_a_precision(capsys):
    code, out = evo(capsys, *SMALL, "--seconds", "0.01", "--precision", "bf16", "--json")
    assert code == 0
    assert json.loads(out)["precision"] == "bf16"


def test_there_is_nothing_to_time_where_only_the_graph_is_read(capsys):
    code, out = evo(capsys, *SMALL, "--fitness", "params", "--json")
    assert code == 2
    assert "no pass" in json.loads(out)["error"]


def test_a_candidate_that_fails_ends_it_in_one_line(capsys, tmp_path):
    plugin = tmp_path / "broken.py"
    plugin.write_text(
        "from evo_core import FitnessFunction, hookimpl\n"
        "def score(view, options):\n    raise ValueError('no luck')\n"
        "@hookimpl\ndef evo_components():\n"
        "    yield FitnessFunction(name='broken', summary='', goal='max', needs=('gram',),"
        " score=score)\n"
    )
    code, out = evo(capsys, *SMALL, "--plugin", str(plugin), "--fitness", "broken", "--json")
    assert code == 2
    assert "no luck" in json.loads(out)["error"]


def test_the_floor_has_every_convolution_of_the_network(architecture):
    calls = convolutions(architecture, 5, static=False)
    macs = sum(n * conv.macs(shape[1:]) * shape[0] for (conv, shape), n in calls.items())
    head = sum(
        operation.macs(())
        for edge in architecture.edges
        for operation in edge.operations
        if isinstance(operation, Linear)
    )
    assert macs == 5 * architecture.task.steps * (architecture.macs - head)


def test_a_static_input_is_convolved_once(architecture):
    still = convolutions(architecture, 5, static=True)
    moving = convolutions(architecture, 5, static=False)
    steps = architecture.task.steps
    assert {shape[0] for (conv, shape) in still if conv.inputs == 1} == {5}
    assert {shape[0] for (conv, shape) in moving if conv.inputs == 1} == {5 * steps}
    assert still.total() == moving.total()


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_the_floor_takes_time(architecture, dtype):
    assert floor(architecture, 2, static=True, dtype=dtype, repeats=1) > 0


def test_the_stopwatch_changes_no_score_and_tells_the_parts_apart(plan, architecture):
    evaluator = make_evaluator(plan.job)
    plain = evaluator.score(0, architecture)
    with Stopwatch(plan) as stopwatch:
        watched = evaluator.score(0, architecture)
    assert watched.scores["rdm"].value == plain.scores["rdm"].value
    assert {"convolutions", "BatchNorm", "neurons", "Gram", "fitness"} <= stopwatch.seconds.keys()
