"""Accuracy after a short training: what is measured, that it repeats, and what it costs."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

import evo_core
from evo_core import FitnessFunction
from evo_core.config import from_layers
from evo_core.evaluation import Candidate
from evo_core.executors import make_evaluator
from evo_core.genome import random_genome
from evo_core.plan import Job, make_plan
from evo_core.recipe import Recipe, read_recipe
from evo_core.snn.training import Trainer

SMALL = {
    "executor": "serial",
    "observers": [],
    "population": 2,
    "generations": 1,
    "rescore": 0,
    "mse": {"cells": 2, "channels": 4},
    "scoring": {"batch": 8, "steps": 2},
}
TEXT = "accuracy[epochs=1,samples=64]"


@pytest.fixture
def plan():
    def build(*components, **settings):
        return make_plan(Job(from_layers(SMALL | {"fitness": [TEXT]} | settings), components))

    return build


def first(plan):
    genome = random_genome(np.random.default_rng(3), plan.space.genes)
    return make_evaluator(plan.job).evaluate(Candidate(0, genome, "")), plan.decode(genome)


def test_it_is_the_validation_accuracy_of_that_training(plan):
    made = plan()
    evaluation, network = first(made)
    recipe = read_recipe("quick", {"epochs": 1, "samples": 64, "batch": 32})
    trainer = Trainer(network, made.splits, made.neurons, recipe, 0)
    while trainer.step < trainer.steps:
        trainer.make_step()
    score = evaluation.scores["accuracy[epochs=1,samples=64]"]
    assert score.value == trainer.end_epoch().validation.accuracy
    assert score.backwards == 2
    assert score.forwards == 1 + 2 + 12  # the scoring batch, two steps, 359 validation samples


def test_a_training_is_shared_by_batches_and_by_fitness_functions(plan, monkeypatch):
    recipe = read_recipe("quick", {"epochs": 1, "samples": 64, "batch": 32})

    def score(view, options):
        return view.trained(recipe).history[-1].train.accuracy

    mine = FitnessFunction(name="mine", summary="x", goal="max", needs=("trained",), score=score)
    steps = []
    make_step = Trainer.make_step
    monkeypatch.setattr(Trainer, "make_step", lambda self: (steps.append(1), make_step(self)))
    scoring = {"batch": 8, "steps": 2, "batches": 2}
    evaluation, _ = first(plan(mine, fitness=[TEXT, "mine"], scoring=scoring))
    assert evaluation.scores["mine"].status == "ok"
    assert len(steps) == 2


def test_other_initial_weights_are_another_training(plan):
    made = plan()
    genome = random_genome(np.random.default_rng(3), made.space.genes)
    evaluator = make_evaluator(made.job)
    losses = [
        evaluator.evaluate(Candidate(0, genome, "", inits=(init,))).details[TEXT]["validation_loss"]
        for init in (0, 1)
    ]
    assert losses[0] != losses[1]


def test_a_training_that_diverges_is_undefined(plan, monkeypatch):
    def diverge(self):
        raise evo_core.RunFailedError("the loss is nan")

    monkeypatch.setattr(Trainer, "make_step", diverge)
    evaluation, _ = first(plan())
    assert evaluation.scores[TEXT].status == "undefined"


def test_a_recipe_of_a_fitness_may_augment_what_it_trains_on(plan):
    def score(view, options):
        texts = ("crop[padding=1]",), ("roll",)
        recipes = [dataclasses.replace(Recipe(epochs=1, samples=64), augment=one) for one in texts]
        return view.trained(recipes[0]).history[-1].train.accuracy + bool(view.trained(recipes[1]))

    mine = FitnessFunction(name="mine", summary="x", goal="max", needs=("trained",), score=score)
    evaluation, _ = first(plan(mine, fitness=["mine"]))
    assert "recipe.augment has 'roll', which is for events" in evaluation.error


def test_a_timeout_stops_a_training(plan):
    evaluation, _ = first(plan(fitness=["accuracy[epochs=1000]"], timeout=2.0))
    assert evaluation.status == "timeout"


def test_a_search_by_accuracy_repeats_and_its_scores_can_be_cached(tmp_path):
    shared = SMALL | {"fitness": [TEXT], "cache": str(tmp_path / "scores.sqlite")}
    one = evo_core.run(shared | {"out": str(tmp_path / "one")})
    two = evo_core.run(shared | {"out": str(tmp_path / "two")})
    assert (one.cache_hits, two.cache_hits) == (0, 2)
    assert one.best.scores[TEXT].value == two.best.scores[TEXT].value
    written = json.loads((tmp_path / "one" / "result.json").read_text())
    assert written["objectives"][0] == {"name": TEXT, "goal": "max"}
