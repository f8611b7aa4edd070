"""A run: what it promises about its result, and when it stops."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing

import numpy as np
import pytest

from evo_core import EvoError, FitnessFunction, RunFailedError, Strategy, array_dataset
from evo_core.store import Store


def fitness(score, name="f", goal="max", **fields):
    """Make a fitness that reads the graph only: no forward pass, so runs are quick."""
    given = {"summary": "", "needs": ("graph",)} | fields
    return FitnessFunction(name=name, goal=goal, score=score, **given)


def genome_number(view, options):
    """Tell networks apart by a number that has nothing to do with their quality."""
    return int(view.architecture.hash[:6], 16) / 16**6


def evaluated(folder):
    store = Store.open(folder)
    try:
        return list(store.evaluated())
    finally:
        store.close()


def test_result_json_holds_exactly_what_is_promised(quick_run):
    result = quick_run(fitness=["rdm", "params"])
    kept = json.loads((result.run / "result.json").read_text())
    assert list(kept) == [
        *("status", "reason", "generations", "evaluated", "cached", "failed", "infeasible"),
        *("objectives", "best", "best_rescored", "front"),
    ]
    assert (kept["status"], kept["reason"], kept["generations"]) == ("done", "generations", 2)
    assert kept["objectives"] == [
        {"name": "rdm", "goal": "max"},
        {"name": "params", "goal": "min"},
    ]
    for solution in [kept["best"], *kept["front"]]:
        assert list(solution) == ["candidate", "genome", "architecture", "scores", "rescored"]
        assert all(type(gene) is int for gene in solution["genome"])
        assert list(solution["scores"]) == ["rdm", "params"]
        for score in solution["scores"].values():
            assert list(score) == ["value", "status", "goal", "forwards", "backwards"]
            assert score["status"] == "ok"
    assert kept["best"]["scores"]["rdm"]["forwards"] == 1
    assert kept["best"]["scores"]["params"]["forwards"] == 0


def test_a_run_gives_a_finite_score_above_zero(finished_run):
    best = json.loads((finished_run / "result.json").read_text())["best"]
    assert 0 < best["scores"]["rdm"]["value"] < 1


def test_the_run_folder_holds_configuration_database_result_and_log(quick_run):
    folder = quick_run(fitness=["params"]).run
    assert {path.name for path in folder.iterdir()} == {
        *("config.toml", "run.sqlite", "result.json", "log.txt", "run.lock")
    }
    log = (folder / "log.txt").read_text()
    assert "run started" in log
    assert "generation 2: best" in log
    assert "run done: generations" in log


def test_equal_seeds_give_equal_bytes_and_other_seeds_do_not(quick_run, tmp_path):
    texts = [
        (quick_run(seed=seed, out=str(tmp_path / name)).run / "result.json").read_bytes()
        for seed, name in [(5, "a"), (5, "b"), (6, "c")]
    ]
    assert texts[0] == texts[1]
    assert texts[0] != texts[2]


def test_the_result_does_not_depend_on_what_global_randomness_did_before(quick_run, tmp_path):
    import random

    import torch

    first = quick_run(out=str(tmp_path / "a"))
    random.seed(99)
    np.random.seed(99)
    torch.manual_seed(99)
    second = quick_run(out=str(tmp_path / "b"))
    assert (first.run / "result.json").read_bytes() == (second.run / "result.json").read_bytes()


@pytest.mark.parametrize("strategy", ["nsga2", "mu-plus-lambda", "random"])
@pytest.mark.parametrize("names", [["params"], ["params", "number"]], ids=len)
def test_every_strategy_runs_with_one_and_two_objectives(quick_run, strategy, names):
    number = fitness(genome_number, "number")
    result = quick_run([number], strategy=strategy, fitness=names, generations=4, population=6)
    assert (result.status, result.generations) == ("done", 4)
    assert result.counts.evaluated + result.counts.cached == 24
    store = Store.open(result.run)
    bests = [one.report.best for one in store.generations()]
    survivors = [list(one.report.survivors) for one in store.generations()]
    store.close()
    assert bests == sorted(bests, reverse=True)  # params: fewer is better, so it never rises
    assert all(1 <= len(ids) <= 6 for ids in survivors)
    assert all(len(set(ids)) == len(ids) for ids in survivors)


def test_the_number_of_children_of_mu_plus_lambda_is_settable(quick_run):
    result = quick_run(
        fitness=["params"], strategy="mu-plus-lambda[offspring=2]", generations=3, population=5
    )
    generations = [candidate.generation for candidate, _ in evaluated(result.run)]
    assert [generations.count(number) for number in range(3)] == [5, 2, 2]


def test_children_know_their_parents_and_operators(quick_run):
    result = quick_run(fitness=["params"], generations=3)
    pairs = evaluated(result.run)
    assert all(one.parents == () for one, _ in pairs if one.generation == 0)
    for child in (one for one, _ in pairs if one.generation > 0):
        assert 1 <= len(child.parents) <= 2
        assert all(parent < child.id for parent in child.parents)
    used = {name for one, _ in pairs for name in one.operators}
    assert {"two-point", "mutate-neuron"} <= used


@pytest.mark.parametrize("limit", [1, 3, 4, 7, 10])
@pytest.mark.parametrize("strategy", ["nsga2", "mu-plus-lambda", "random"])
def test_max_evaluations_is_reached_and_never_exceeded(quick_run, limit, strategy):
    result = quick_run(fitness=["params"], max_evaluations=limit, generations=50, strategy=strategy)
    assert (result.counts.evaluated, result.reason) == (limit, "max-evaluations")


def test_max_seconds_stops_a_run_and_keeps_what_was_found(quick_run):
    result = quick_run(fitness=["params"], max_seconds=1e-6, generations=50)
    assert (result.status, result.reason, result.generations) == ("done", "max-seconds", 1)
    assert result.counts.evaluated == 1
    assert result.best is not None


@pytest.mark.parametrize(("goal", "target"), [("max", 0.0), ("min", 1.0)])
def test_the_target_stops_a_run_as_soon_as_a_generation_reaches_it(quick_run, goal, target):
    result = quick_run(
        [fitness(genome_number, goal=goal)], fitness=["f"], target=target, generations=9
    )
    assert (result.reason, result.generations) == ("target", 1)


@pytest.mark.parametrize(("goal", "target"), [("max", 1.1), ("min", -0.1)])
def test_a_target_out_of_reach_does_not_stop_a_run(quick_run, goal, target):
    result = quick_run([fitness(genome_number, goal=goal)], fitness=["f"], target=target)
    assert result.reason == "generations"


def test_the_front_is_what_no_evaluated_candidate_dominates(quick_run):
    parts = [fitness(genome_number, "up"), fitness(_nodes, "down", "min")]
    result = quick_run(parts, fitness=["up", "down"], generations=6, population=6)
    values = {
        candidate.id: (one.scores["up"].value, -one.scores["down"].value)
        for candidate, one in evaluated(result.run)
        if one.copied_from is None
    }
    best = [
        number
        for number, (up, down) in values.items()
        if not any(
            other != (up, down) and other[0] >= up and other[1] >= down for other in values.values()
        )
    ]
    assert sorted(solution.candidate for solution in result.front) == best
    ups = [solution.scores["up"].value for solution in result.front]
    assert ups == sorted(ups, reverse=True)
    assert result.best.candidate == result.front[0].candidate


def _nodes(view, options):
    return len(view.architecture.nodes)


def test_the_best_of_equals_is_the_one_with_the_lowest_id(quick_run):
    result = quick_run([fitness(lambda view, options: 1.0)], fitness=["f"], generations=3)
    assert result.best.candidate == 0
    assert len(result.front) == result.counts.evaluated


def test_a_network_is_evaluated_once_and_its_repeats_are_counted(quick_run):
    seen = []
    spy = fitness(lambda view, options: seen.append(view.architecture.hash) or 1.0)
    tiny = {"cells": 1, "motifs": ["FE"], "inputs": [2], "operations": ["conv3", "conv5"]}
    result = quick_run(
        [spy], fitness=["f"], generations=6, population=6, strategy="random", mse=tiny
    )
    assert len(seen) == len(set(seen)) == result.counts.evaluated
    assert result.counts.cached == 36 - len(seen) > 0
    pairs = evaluated(result.run)
    first = {one.architecture: one.id for one, _ in reversed(pairs)}
    for candidate, one in pairs:
        original = first[candidate.architecture]
        assert one.copied_from == (None if candidate.id == original else original)
        assert one.scores["f"].value == 1.0


def test_a_front_names_each_network_once(quick_run):
    tiny = {"cells": 1, "motifs": ["FE"], "inputs": [2]}
    result = quick_run(fitness=["params"], generations=4, strategy="random", mse=tiny)
    hashes = [solution.architecture for solution in result.front]
    assert len(set(hashes)) == len(hashes)


def test_a_fitness_defined_in_the_function_that_runs_it_is_found(quick_run):
    def spikes(record, options):
        return float(record.spikes.sum())

    def total(view, options):
        return sum(view.collected)

    mine = fitness(total, "total", needs=("spikes",), collect=spikes)
    result = quick_run([mine], fitness=["total"])
    assert result.best.scores["total"].value > 0


def test_arrays_in_memory_are_a_data_set(quick_run):
    images = np.random.default_rng(0).random((60, 3, 9, 11))
    mine = array_dataset("mine", images, np.arange(60) % 3)
    result = quick_run([mine], data="mine")
    assert result.best.scores["rdm"].value > 0
    kept = sqlite3.connect(result.run / "run.sqlite")
    with closing(kept):
        assert kept.execute("SELECT value FROM run WHERE key = 'data'").fetchone() == ('"mine"',)


def test_nothing_is_written_when_the_configuration_is_wrong(quick_run, tmp_path):
    for wrong in [{"space": "x"}, {"mse": {"cells": 0}}, {"scoring": {"batch": 5000}}]:
        with pytest.raises(EvoError):
            quick_run(**wrong)
    assert list(tmp_path.iterdir()) == []


def test_a_strategy_that_refuses_its_options_leaves_no_run_folder(quick_run, tmp_path):
    def build(options, problem):
        raise EvoError("population must be a multiple of four")

    with pytest.raises(EvoError, match="multiple of four"):
        quick_run([Strategy(name="s", summary="", build=build)], strategy="s")
    assert list(tmp_path.iterdir()) == []


def test_a_run_folder_that_holds_something_is_left_alone(quick_run, tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "precious.txt").write_text("mine")
    with pytest.raises(EvoError, match="exists and is not empty; choose another --out"):
        quick_run()
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["precious.txt"]


def test_an_empty_folder_may_become_the_run_folder(quick_run, tmp_path):
    (tmp_path / "run").mkdir()
    assert quick_run(fitness=["params"]).status == "done"


def test_without_a_name_each_run_gets_a_new_folder_below_runs(quick_run, in_empty_folder):
    first, second = (quick_run(fitness=["params"], out=None).run for _ in range(2))
    assert first != second
    assert {first.parent.name, second.parent.name} == {"runs"}
    assert first.name.startswith("mse-digits-")


def test_a_run_that_can_not_go_on_is_kept_as_failed(quick_run, tmp_path):
    def ask(self, state, n, rng):
        raise RunFailedError("the well is dry")

    methods = {"start": lambda self: {"population": []}, "ask": ask}
    dry = Strategy(name="dry", summary="", build=lambda options, problem: type("S", (), methods)())
    with pytest.raises(RunFailedError, match="the well is dry"):
        quick_run([dry], strategy="dry")
    kept = json.loads((tmp_path / "run" / "result.json").read_text())
    assert (kept["status"], kept["reason"]) == ("failed", "the well is dry")
    assert (kept["best"], kept["front"]) == (None, [])
