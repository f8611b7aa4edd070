"""The table of fitness functions says what the records and the scores themselves say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from evo_core.components import FitnessFunction
from evo_core.config import from_layers
from evo_core.evaluation import Candidate
from evo_core.genome import random_genome
from evo_core.plan import Job, make_plan
from evo_core.registry import installed
from evo_core.seeds import generator
from evo_core.snn.worker import Evaluator

RECORDS = installed().all(FitnessFunction)
PAGE = (Path(__file__).parents[2] / "docs" / "fitness.md").read_text()
CELLS = [[cell.strip() for cell in line.split("|")[1:-1]] for line in PAGE.splitlines()]
TABLE = {row[0].strip("`"): row for row in CELLS if len(row) == 7 and row[0].startswith("`")}


def test_every_fitness_function_has_a_row_and_no_other():
    assert set(TABLE) == set(RECORDS)


@pytest.mark.parametrize("name", RECORDS)
def test_a_row_tells_goal_and_needs(name):
    record = RECORDS[name]
    _, _, goal, needs, *_ = TABLE[name]
    assert goal == record.goal
    listed = set(re.split(r", or |, ", needs))
    assert record.needs_with(record.options()) <= listed
    assert listed - record.needs_with(record.options()) <= ({"rates"} if name == "rdm" else set())


def test_a_row_tells_what_the_score_costs():
    cost = {name: TABLE[name][4] for name in RECORDS if name != "accuracy"}
    layer = {"fitness": list(cost), "mse": {"cells": 1, "channels": 2}}
    plan = make_plan(Job(from_layers(layer)))
    genome = random_genome(generator(0, "test"), plan.space.genes)
    scores = Evaluator(plan).evaluate(Candidate(0, genome, "")).scores
    for name, told in cost.items():
        counted = [scores[name].forwards, scores[name].backwards]
        written = [int(number) for number in re.findall(r"(\d+) [FB]", told)]
        assert counted == [*written, 0, 0][:2], name
