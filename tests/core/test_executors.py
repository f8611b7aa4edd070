"""Evaluating candidates: in this process or in others, and what a broken fitness does to a run."""

from __future__ import annotations

import json
import math

import joblib
import numpy as np
import pytest

from evo_core import (
    Candidate,
    FitnessFunction,
    RunFailedError,
    Score,
    Strategy,
    array_dataset,
)
from evo_core.config import from_layers
from evo_core.executors import Serial, make_evaluator
from evo_core.loky_workers import Loky
from evo_core.plan import Job, make_plan
from evo_core.store import Store

LENGTH = 19  # genes of mse with two cells
PLUGIN = """
    import os
    from pathlib import Path
    from evo_core import FitnessFunction, hookimpl

    def score(view, options):
        with Path("calls.txt").open("a") as file:
            file.write(f"{os.getpid()} {view.architecture.hash}\\n")
        BODY

    @hookimpl
    def evo_components():
        yield FitnessFunction(
            name="mine", summary="", goal="max", needs=("graph",), score=score
        )
"""


@pytest.fixture
def job(small):
    return Job(from_layers(small, {"fitness": ["params"]}))


def candidate(number, genome=None):
    return Candidate(number, genome or (0,) * LENGTH, "hash")


def fitness(score, name="f", **fields):
    given = {"summary": "", "goal": "max", "needs": ("graph",)} | fields
    return FitnessFunction(name=name, score=score, **given)


def digit(view):
    """Give a number from 0 to 15 that says which networks a fitness fails on."""
    return int(view.architecture.hash[0], 16)


def all_evaluations(folder):
    store = Store.open(folder)
    try:
        return {candidate.id: one for candidate, one in store.evaluated()}
    finally:
        store.close()


def test_serial_evaluates_bundles_in_the_order_they_came(job):
    executor = Serial(None, 1, job)
    executor.submit((candidate(3), candidate(4)))
    executor.submit((candidate(5),))
    ids = [[one.candidate for one in bundle] for bundle in executor.as_completed()]
    executor.close()
    assert ids == [[3, 4], [5]]


def test_serial_forgets_what_was_cancelled(job):
    executor = Serial(None, 1, job)
    for number in range(3):
        executor.submit((candidate(number),))
    seen = []
    for bundle in executor.as_completed():
        seen += [one.candidate for one in bundle]
        executor.cancel()
    executor.close()
    assert seen == [0]


def test_a_network_is_scored_with_one_thread_whatever_the_process_uses(small):
    import torch

    def count(view, options):
        return Score(float(torch.get_num_threads()))

    job = Job(from_layers(small, {"fitness": ["f"]}), (fitness(count),))
    torch.set_num_threads(2)
    try:
        assert make_evaluator(job).evaluate(candidate(0)).scores["f"].value == 1
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(1)


def test_no_number_of_workers_means_one_per_core():
    for wanted, given in ((3, 3), (0, joblib.cpu_count())):
        assert make_plan(Job(from_layers({"workers": wanted}))).workers == given


def test_the_serial_executor_has_one_worker_whatever_is_asked_for():
    assert make_plan(Job(from_layers({"workers": 3, "executor": "serial"}))).workers == 1


@pytest.mark.slow
def test_loky_evaluates_each_bundle_and_cancels_what_has_not_begun(job):
    executor = Loky(None, 2, job)
    try:
        executor.submit((candidate(0), candidate(1)))
        executor.submit((candidate(2),))
        found = sorted(one.candidate for bundle in executor.as_completed() for one in bundle)
    finally:
        executor.cancel()
        executor.close()
    assert found == [0, 1, 2]


@pytest.mark.slow
def test_closing_loky_before_anything_was_waited_for_is_no_error(job):
    executor = Loky(None, 1, job)
    executor.cancel()
    executor.close()


@pytest.mark.slow
def test_with_loky_the_error_of_a_strategy_is_the_reason_and_not_a_later_one(quick_run, tmp_path):
    def ask(self, state, n, rng):
        raise RunFailedError("the well is dry")

    methods = {"start": lambda self: {"population": []}, "ask": ask}
    dry = Strategy(name="dry", summary="", build=lambda options, problem: type("S", (), methods)())
    with pytest.raises(RunFailedError, match="the well is dry"):
        quick_run([dry], strategy="dry", executor="loky")


@pytest.mark.slow
def test_executors_and_numbers_of_workers_give_equal_bytes(quick_run, tmp_path):
    texts = [
        (
            quick_run(
                executor=executor, workers=workers, out=str(tmp_path / f"{executor}{workers}"),
                fitness=["rdm", "params"], generations=3, population=6,
            ).run / "result.json"
        ).read_bytes()
        for executor, workers in [("serial", 1), ("loky", 1), ("loky", 2), ("loky", 4)]
    ]  # fmt: skip
    assert len(set(texts)) == 1


@pytest.mark.slow
def test_loose_records_and_arrays_in_memory_travel_to_workers(quick_run):
    images = np.random.default_rng(0).random((50, 8, 8))
    mine = array_dataset("mine", images, np.arange(50) % 5)

    def classes(view, options):
        return view.architecture.task.classes + float(view.logits.shape[1])

    record = fitness(classes, "classes", needs=("gram",))
    result = quick_run([mine, record], executor="loky", data="mine", fitness=["classes"])
    assert result.best.scores["classes"].value == 5 + 8


def test_a_plugin_fitness_is_called_once_per_network(
    cli, plugin_file, small_flags, in_empty_folder
):
    path = plugin_file(PLUGIN.replace("BODY", "return view.architecture.macs"))
    run = cli("run", *small_flags, "--plugin", path, "--fitness", "mine", "--json")
    calls = [line.split()[1] for line in (in_empty_folder / "calls.txt").read_text().splitlines()]
    assert len(calls) == len(set(calls)) == run.json["evaluated"]
    assert run.json["best"]["scores"]["mine"]["value"] > 0


def _raise():
    raise ValueError("no score today")


@pytest.mark.parametrize(
    ("failure", "evaluation_status", "score_status"),
    [
        (_raise, "error", "error"),
        (lambda: "good", "error", "error"),
        (lambda: None, "ok", "undefined"),
        (lambda: math.nan, "ok", "undefined"),
        (lambda: -math.inf, "ok", "undefined"),
        (lambda: Score(math.nan), "ok", "undefined"),
        (lambda: Score(None, "undefined"), "ok", "undefined"),
    ],
    ids=["raises", "text", "None", "NaN", "infinity", "Score of NaN", "undefined Score"],
)
def test_a_fitness_that_fails_on_some_networks_keeps_these_out_and_the_run_goes_on(
    quick_run, failure, evaluation_status, score_status
):
    failed = set()

    def score(view, options):
        if digit(view) % 2:
            failed.add(view.architecture.hash)
            return failure()
        return 1.0

    result = quick_run([fitness(score)], fitness=["f", "params"], generations=4, population=6)
    assert (result.status, result.generations) == ("done", 4)
    assert result.counts.failed == len(failed) > 0
    store = Store.open(result.run)
    pairs = list(store.evaluated())
    survivors = {number for one in store.generations() for number in one.report.survivors}
    store.close()
    broken = {one.id for one, _ in pairs if one.architecture in failed}
    for number, evaluation in ((one.id, evaluation) for one, evaluation in pairs):
        if number in broken:
            assert evaluation.status == evaluation_status
            assert (evaluation.scores["f"].status, evaluation.scores["f"].value) == (
                score_status,
                None,
            )
            assert (evaluation.error is None) == (evaluation_status == "ok")
        else:
            assert evaluation.status == "ok"
    assert not survivors & broken
    assert not {solution.candidate for solution in result.front} & broken
    assert "NaN" not in (result.run / "result.json").read_text()


def test_a_run_in_which_everything_fails_ends_without_a_best(quick_run, tmp_path):
    with pytest.raises(RunFailedError, match="no candidate could be scored"):
        quick_run([fitness(lambda view, options: None)], fitness=["f"])
    result = json.loads((tmp_path / "run" / "result.json").read_text())
    assert (result["status"], result["best"], result["front"]) == ("failed", None, [])
    assert result["failed"] == result["evaluated"] == 4


def test_the_reason_of_a_failure_is_kept_with_its_place(quick_run, tmp_path):
    with pytest.raises(RunFailedError, match="no score today"):
        quick_run([fitness(lambda view, options: _raise())], fitness=["f"])
    error = all_evaluations(tmp_path / "run")[0].error
    assert error.startswith("fitness f: Traceback")
    assert "ValueError: no score today" in error
    assert "ValueError: no score today" in (tmp_path / "run" / "log.txt").read_text()


def test_a_collect_function_that_raises_fails_the_candidate_only(quick_run, tmp_path):
    def collect(record, options):
        return _raise()

    record = fitness(lambda view, options: 1.0, needs=("spikes",), collect=collect)
    with pytest.raises(RunFailedError, match="no score today"):
        quick_run([record], fitness=["f"])
    found = all_evaluations(tmp_path / "run").values()
    assert [one.status for one in found] == ["error"] * 4


@pytest.mark.parametrize("kind", ["float32", "int64", "tensor"])
def test_a_score_may_hold_any_kind_of_number(quick_run, kind):
    import torch

    numbers = {"float32": np.float32(1.5), "int64": np.int64(2), "tensor": torch.tensor(1.5)}
    bare = fitness(lambda view, options: numbers[kind], "bare")
    scored = fitness(lambda view, options: Score(numbers[kind]), "scored")
    result = quick_run([bare, scored], fitness=["bare", "scored"])
    scores = result.best.scores
    assert scores["bare"].value == scores["scored"].value == float(numbers[kind])


@pytest.mark.parametrize("detail", [math.nan, object(), np.float32(1)], ids=["NaN", "object", "np"])
def test_details_that_are_no_json_do_not_end_a_run(quick_run, detail):
    record = fitness(lambda view, options: Score(1.0, details={"x": detail}))
    result = quick_run([record], fitness=["f"])
    assert result.status == "done"
    for one in all_evaluations(result.run).values():
        json.dumps(one.details, allow_nan=False)


def test_details_of_a_score_are_kept_under_its_name(quick_run):
    record = fitness(lambda view, options: Score(1.0, details={"pairs": 3}))
    result = quick_run([record], fitness=["f"])
    assert all_evaluations(result.run)[0].details["f"] == {"pairs": 3}
