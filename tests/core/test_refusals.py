"""What can not work is refused before it begins, or ends the run with the reason."""

from __future__ import annotations

import numpy as np
import pytest

from evo_core import EvoError, FitnessFunction, RunFailedError, Score, array_dataset
from evo_core.config import from_layers
from evo_core.evaluation import plain
from evo_core.forecast import forecast
from evo_core.plan import Job, make_plan
from evo_core.registry import installed

PLUGIN = """
from evo_core import FitnessFunction, hookimpl

@hookimpl
def evo_components():
    yield FitnessFunction(name="NAME", summary="a plugin", goal="max", needs=("graph",),
                          score=lambda view, options: 1.0)
"""


def fitness(score):
    return FitnessFunction(name="f", summary="a test", goal="max", needs=("graph",), score=score)


def test_a_run_in_which_nothing_can_be_scored_fails_with_the_first_reason(quick_run, tmp_path):
    def score(view, options):
        return view.no_such_thing

    with pytest.raises(RunFailedError, match=r"no candidate could be scored: .*no_such_thing"):
        quick_run([fitness(score)], fitness=["f"])
    assert (tmp_path / "run" / "result.json").is_file()


def test_a_run_in_which_every_score_is_undefined_names_the_fitness(quick_run):
    with pytest.raises(RunFailedError, match="candidate 0: undefined f"):
        quick_run([fitness(lambda view, options: None)], fitness=["f"])


def test_a_run_in_which_every_score_is_undefined_gives_the_first_reason(quick_run):
    undefined = Score.undefined("no spike meets a weight")
    with pytest.raises(RunFailedError, match="candidate 0: undefined f: no spike meets a weight"):
        quick_run([fitness(lambda view, options: undefined)], fitness=["f"])


def test_a_score_that_says_error_is_an_error(quick_run):
    def score(view, options):
        return Score(None, "error") if view.architecture.parameters % 2 else Score(1.0)

    result = quick_run([fitness(score)], fitness=["f", "params"], mse={"inputs": [2, 3]})
    assert result.best.scores["f"].status == "ok"


def test_statistics_of_the_sequence_need_a_space_without_next_step_feedback():
    layer = {"scoring": {"statistics": "sequence"}}
    with pytest.raises(EvoError, match=r"does not go with next-step feedback.*same-step"):
        make_plan(Job(from_layers(layer)))
    assert make_plan(Job(from_layers(layer, {"mse": {"feedback": "same-step"}})))
    assert make_plan(Job(from_layers(layer, {"mse": {"motifs": ["FE", "LI"]}})))


@pytest.mark.parametrize(
    ("inputs", "reason"),
    [
        (np.full((50, 8, 8), "x"), "inputs must be real numbers"),
        (np.zeros((50, 8, 8), complex), "inputs must be real numbers"),
        (np.full((50, 8, 8), np.nan), "NaN or infinity"),
    ],
)
def test_inputs_that_are_no_finite_numbers_are_refused(inputs, reason):
    with pytest.raises(EvoError, match=reason):
        array_dataset("mine", inputs, np.arange(50) % 2)


def test_a_data_root_is_refused_where_no_files_are_read(tmp_path):
    with pytest.raises(EvoError, match="digits needs no files; leave out --data-root"):
        make_plan(Job(from_layers({"data_root": str(tmp_path)})))


def test_plugins_of_all_layers_add_up(tmp_path):
    one, two = tmp_path / "one.py", tmp_path / "two.py"
    config = from_layers({"plugins": [str(one)]}, {"plugins": [str(two), str(one)]})
    assert config.plugins == (str(one), str(two))


def test_plugin_paths_are_kept_whole(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert from_layers({"plugins": ["one.py"]}).plugins == (str(tmp_path / "one.py"),)


def test_plugin_files_of_the_same_name_live_side_by_side(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "p.py").write_text(PLUGIN.replace("NAME", name))
    files = [tmp_path / "a" / "p.py", tmp_path / "b" / "p.py", tmp_path / "a" / "p.py"]
    assert {"a", "b"} <= set(installed(files).all(FitnessFunction))


def test_a_forecast_counts_the_children_of_the_strategy_and_the_workers_of_the_executor():
    layer = {
        "strategy": "mu-plus-lambda[offspring=5]",
        "population": 4,
        "generations": 3,
        "executor": "serial",
        "fitness": ["params"],
        "workers": 8,
    }
    report = forecast(make_plan(Job(from_layers(layer))))
    assert (report.evaluations, report.workers) == (14, 1)


def test_sets_in_details_have_one_order():
    assert plain({"b", "a", "c"}) == ["a", "b", "c"]
