"""Searches are compared by what their best networks are worth, from run folders."""

from __future__ import annotations

import csv
import json
import shlex
import shutil
import sqlite3
from contextlib import closing
from io import StringIO
from statistics import fmean

import pytest

import evo_core
from evo_core import EvoError
from evo_core.comparing.searches import final
from evo_core.comparing.searches.api import compare_runs
from evo_core.comparing.searches.read import read_search
from evo_core.comparing.searches.settings import differing
from evo_core.sweeps import parse_seeds

SMALL = {
    "executor": "serial",
    "workers": 1,
    "population": 4,
    "generations": 2,
    "observers": [],
    "mse": {"cells": 2},
    "scoring": {"batch": 8},
    "rescore": 2,
}
SERIAL = [{"executor": "serial"}]


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Give a folder with the sweeps ``rdm``, ``control`` and ``params``, to be read only."""
    folder = tmp_path_factory.mktemp("searches")
    settings = {
        "rdm": {},
        "control": {"strategy": "random"},
        "params": {"fitness": ["params"]},
    }
    for name, given in settings.items():
        evo_core.sweep(SMALL | given | {"out": str(folder / name)}, range(3))
    return folder


@pytest.fixture
def compare(runs, tmp_path):
    """Compare some of the runs, by name."""

    def call(*names, **given):
        given = {"out": tmp_path / "out", "layers": SERIAL} | given
        return compare_runs([runs / name for name in names], **given)

    return call


@pytest.fixture
def evaluated(monkeypatch):
    """Count what is evaluated for a comparison."""
    seen = []
    evaluate = final._evaluate
    monkeypatch.setattr(
        final, "_evaluate", lambda target: seen.append(target.text) or evaluate(target)
    )
    return seen


def result_of(folder):
    return json.loads((folder / "result.json").read_text())


def test_what_runs_know_is_compared_without_evaluating(compare, runs, evaluated):
    report = compare("rdm", "control", by="rdm")
    assert not evaluated
    assert report["by"] == {"name": "rdm", "goal": "max", "draws": 2}
    for name in ("rdm", "control"):
        bests = [result_of(runs / name / f"seed-{seed}")["best"] for seed in range(3)]
        group = report["groups"][name]
        assert group["seeds"] == [0, 1, 2]
        assert group["values"] == [best["rescored"]["rdm"]["mean"] for best in bests]
        assert group["mean"] == pytest.approx(fmean(group["values"]))
        assert [run["candidate"] for run in group["runs"]] == [best["candidate"] for best in bests]
        assert {run["source"] for run in group["runs"]} == {"run"}


def test_what_differs_is_named_and_random_search_is_the_control(compare):
    report = compare("rdm", "control", by="rdm")
    assert report["differs"] == {"strategy": {"rdm": "nsga2", "control": "random"}}
    assert report["control"] == ["control"]
    assert report["control_commands"] == []
    assert "The searches differ in: strategy." in report["notes"]
    assert not any("more than one thing" in note for note in report["notes"])


def test_pairs_that_differ_in_several_things_are_said_so(compare):
    report = compare("rdm", "control", "params", by="params")
    differs = {(pair["a"], pair["b"]): pair["differs"] for pair in report["pairs"]}
    assert differs == {
        ("rdm", "control"): ["strategy"],
        ("rdm", "params"): ["fitness"],
        ("control", "params"): ["fitness", "strategy"],
    }
    (note,) = [note for note in report["notes"] if "more than one thing" in note]
    assert note.startswith("control and params differ")


def test_a_missing_control_comes_with_its_command(compare, runs, cli, in_empty_folder):
    report = compare("rdm", "params", by="params")
    assert report["control"] == []
    commands = report["control_commands"]
    assert len(commands) == 2
    words = shlex.split(commands[0])
    assert words[:2] == ["evo", "run"]
    assert cli(*words[1:], "--quiet").code == 0
    name = words[words.index("--out") + 1]
    again = compare_runs(
        [runs / "rdm", in_empty_folder / name], by="rdm", out=in_empty_folder / "two"
    )
    assert again["control"] == [name]
    assert list(again["differs"]) == ["strategy"]
    assert again["groups"][name]["seeds"] == list(parse_seeds("0-2"))


def test_a_fitness_that_no_run_knows_is_evaluated_once(compare, runs, evaluated):
    report = compare("rdm", "params", by="nwot")
    assert len(evaluated) == 6
    assert report["by"]["draws"] == 1
    assert {run["source"] for one in report["groups"].values() for run in one["runs"]} == {"now"}
    again = compare("rdm", "params", by="nwot")
    assert again == report


def test_the_second_time_nothing_is_scored(compare, monkeypatch):
    report = compare("rdm", "params", by="nwot")
    from evo_core.snn import worker

    monkeypatch.setattr(worker.Evaluator, "score", lambda *_: pytest.fail("scored again"))
    assert compare("rdm", "params", by="nwot") == report


def test_what_is_evaluated_now_is_what_rescoring_would_have_given(compare, runs, evaluated):
    """Under the same fresh weights a run that knows a fitness and one that does not agree."""
    report = compare("rdm", "params", by="rdm")
    assert len(evaluated) == 3
    kept = report["groups"]["rdm"]
    layers = [
        *SERIAL,
        {"scoring": {"batch": 8}, "rescore": 2},
    ]  # a layer: nothing is taken as known
    now = compare("rdm", "params", by="rdm", layers=layers)["groups"]["rdm"]
    assert {run["source"] for run in now["runs"]} == {"now"}
    assert now["values"] == pytest.approx(kept["values"], rel=1e-6)


def test_a_fitness_of_the_graph_has_one_value(compare, runs):
    report = compare("rdm", "params", by="params")
    run = report["groups"]["params"]["runs"][1]
    best = result_of(runs / "params" / "seed-1")["best"]
    assert run["draws"] == [best["scores"]["params"]["value"]]
    assert report["by"]["goal"] == "min"
    assert report["groups"]["rdm"]["runs"][0]["source"] == "now"


def test_accuracy_with_options_is_trained_for(compare, runs, evaluated):
    by = "accuracy[epochs=1,samples=20]"
    report = compare("rdm/seed-0", "control/seed-0", by=by)
    assert report["by"]["name"] == by
    assert len(evaluated) == 2
    values = [value for one in report["groups"].values() for value in one["values"]]
    assert all(0 <= value <= 1 for value in values)


def test_options_in_the_table_of_a_run_do_not_change_what_is_compared(runs, tmp_path):
    evo_core.run(SMALL | {"out": str(tmp_path / "own"), "rdm": {"metric": "pearson"}})
    report = compare_runs(
        [runs / "params", tmp_path / "own"], by="rdm", out=tmp_path / "out", layers=SERIAL
    )
    assert report["by"]["name"] == "rdm"
    assert report["groups"]["own"]["runs"][0]["source"] == "now"


BARE = """
from dataclasses import replace
from evo_core import Dataset, hookimpl
from evo_core.data import Samples, digits

def load(options, root):
    whole = digits(options, root)
    none = Samples(whole.train.inputs[:0], whole.train.labels[:0])
    return replace(whole, validation=none)

@hookimpl
def evo_components():
    yield Dataset(name="bare", summary="digits", load=load, shape=(1, 8, 8), classes=10)
"""


@pytest.fixture
def bare(tmp_path):
    """Give settings with data that have no validation samples."""
    path = tmp_path / "bare.py"
    path.write_text(BARE)
    return {"plugins": [str(path)], "data": "bare"}


def chosen(folders, layers=()):
    searches = [read_search(folder) for folder in folders]
    return final.choose(searches, None, layers, allow_plugins=False)


def test_the_default_is_accuracy(runs):
    by = chosen([runs / "rdm" / "seed-0", runs / "params" / "seed-0"])
    assert (by.name, by.goal, by.draws) == ("accuracy", "max", 1)


def test_without_validation_samples_the_shared_fitness_is_compared(runs, bare):
    assert chosen([runs / "rdm" / "seed-0", runs / "control" / "seed-0"], [bare]).name == "rdm"
    with pytest.raises(EvoError, match="name one with --by"):
        chosen([runs / "rdm" / "seed-0", runs / "params" / "seed-0"], [bare])


def test_loose_runs_that_differ_in_seed_alone_join(compare):
    report = compare("rdm/seed-2", "control", "rdm/seed-0", by="rdm")
    assert list(report["groups"]) == ["rdm", "control"]
    assert report["groups"]["rdm"]["seeds"] == [0, 2]
    (pair,) = report["pairs"]
    assert pair["seeds"] == [0, 2]
    assert pair["smallest_p"] == 0.5


def test_curves_follow_the_evaluations_of_each_search(compare, runs):
    report = compare("rdm", "control", "params", by="params")
    assert [curve["objective"] for curve in report["curves"]] == ["rdm", "params"]
    curve = report["curves"][0]["groups"]["rdm"]
    bests = [
        result_of(runs / "rdm" / f"seed-{seed}")["best"]["scores"]["rdm"]["value"]
        for seed in range(3)
    ]
    counts = [result_of(runs / "rdm" / f"seed-{seed}")["evaluated"] for seed in range(3)]
    assert curve["evaluated"] == list(range(1, min(counts) + 1))
    if len(set(counts)) == 1:
        assert curve["median"][-1] == pytest.approx(sorted(bests)[1])
    assert curve["median"] == sorted(curve["median"])
    falling = report["curves"][1]["groups"]["params"]["median"]
    assert falling == sorted(falling, reverse=True)


def test_the_folder_holds_json_csv_figures_and_the_page(compare, tmp_path):
    report = compare("rdm", "control", by="rdm")
    out = tmp_path / "out"
    assert json.loads((out / "compare.json").read_text()) == report
    rows = list(csv.DictReader(StringIO((out / "compare.csv").read_text())))
    assert [(row["group"], row["seed"]) for row in rows] == [
        (name, str(seed)) for name in ("rdm", "control") for seed in range(3)
    ]
    values = [value for one in report["groups"].values() for value in one["values"]]
    assert [float(row["rdm"]) for row in rows] == values
    names = {path.name for path in (out / "figures").iterdir()}
    shapes = ("final", "differences", "curves")
    assert names == {f"{shape}.{kind}" for shape in shapes for kind in ("svg", "png")}


def test_few_seeds_are_said_to_show_nothing(compare):
    report = compare("rdm", "control", by="rdm")
    assert report["pairs"][0]["better"] is None
    assert any("no test can reach p < 0.05" in note and "0.25" in note for note in report["notes"])


def test_a_run_without_rescoring_is_scored_under_fresh_weights(runs, tmp_path, evaluated):
    evo_core.run(SMALL | {"out": str(tmp_path / "bare"), "rescore": 0, "strategy": "random"})
    report = compare_runs(
        [runs / "rdm", tmp_path / "bare"], by="rdm", out=tmp_path / "out", layers=SERIAL
    )
    assert report["by"]["draws"] == 1
    (run,) = report["groups"]["bare"]["runs"]
    rescored = result_of(runs / "rdm" / "seed-0")["best"]["rescored"]["rdm"]["values"]
    assert run["source"] == "now"
    assert report["groups"]["rdm"]["values"][0] == rescored[0]


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ((), "at least two searches"),
        (("rdm",), "at least two searches"),
        (("rdm/seed-0", "rdm/seed-1"), "at least two searches"),
        (("rdm", "rdm"), "named twice"),
        (("rdm", "rdm/seed-0"), "named twice"),
        (("rdm", "nowhere"), "is no run folder"),
    ],
)
def test_what_can_not_be_compared_is_refused(compare, tmp_path, names, message):
    with pytest.raises(EvoError, match=message):
        compare(*names, by="rdm")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("by", "message"),
    [("acuracy", "did you mean 'accuracy'"), ("accuracy[epoch=2]", "did you mean 'epochs'")],
)
def test_an_unknown_fitness_is_refused(compare, tmp_path, by, message):
    with pytest.raises(EvoError, match=message):
        compare("rdm", "control", by=by)
    assert not (tmp_path / "out").exists()


def test_a_killed_run_is_named_with_the_way_to_go_on(runs, tmp_path):
    killed = tmp_path / "killed"
    shutil.copytree(runs / "control" / "seed-0", killed)
    with closing(sqlite3.connect(killed / "run.sqlite")) as db, db:
        db.execute("DELETE FROM run WHERE key = 'result'")
    with pytest.raises(EvoError, match=r"killed was killed; .* evo resume .*killed"):
        compare_runs([runs / "rdm", killed], by="rdm", out=tmp_path / "out")


def test_other_data_are_refused(runs, bare, tmp_path):
    evo_core.run(SMALL | bare | {"out": str(tmp_path / "other")})
    with pytest.raises(EvoError, match="different data"):
        compare_runs([runs / "rdm", tmp_path / "other"], by="rdm", out=tmp_path / "out")


def test_the_same_search_twice_is_refused(runs, tmp_path):
    shutil.copytree(runs / "rdm" / "seed-0", tmp_path / "copy")
    with pytest.raises(EvoError, match="same search under the same seed 0"):
        compare_runs(
            [runs / "rdm" / "seed-0", tmp_path / "copy", runs / "control"], out=tmp_path / "out"
        )


def test_a_folder_with_something_else_is_not_written(compare, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine")
    with pytest.raises(EvoError, match="choose another --out"):
        compare("rdm", "control", by="rdm")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["mine.txt"]


PLUGIN = """
from pathlib import Path
from evo_core import FitnessFunction, hookimpl

Path(__file__).with_name("loaded").touch()

@hookimpl
def evo_components():
    yield FitnessFunction(
        name="edges", summary="edges", goal="min", needs=("graph",),
        score=lambda view, options: len(view.architecture.edges),
    )
"""


def test_plugin_files_of_a_run_are_loaded_only_when_allowed(runs, tmp_path):
    plugin = tmp_path / "edges.py"
    plugin.write_text(PLUGIN)
    evo_core.run(
        SMALL
        | {"out": str(tmp_path / "own"), "plugins": [str(plugin)], "fitness": ["rdm", "edges"]}
    )
    (tmp_path / "loaded").unlink()
    given = {"out": tmp_path / "out", "layers": SERIAL}
    both = [runs / "rdm", tmp_path / "own"]
    assert compare_runs(both, by="rdm", **given)["differs"]["fitness"]
    with pytest.raises(EvoError, match="add --allow-plugins"):
        compare_runs(both, by="edges", **given)
    assert not (tmp_path / "loaded").exists()
    report = compare_runs(both, by="edges", **given, allow_plugins=True)
    assert report["by"]["goal"] == "min"
    assert report["groups"]["own"]["values"][0] > 0


def test_settings_of_a_component_that_both_have_are_told_apart():
    one = {"fitness": ["rdm"], "rdm.metric": "hamming", "scoring.batch": 8}
    assert differing(one, one | {"rdm.metric": "pearson", "scoring.batch": 16}) == [
        "rdm.metric",
        "scoring.batch",
    ]
    assert differing(one, {"fitness": ["params"], "scoring.batch": 8}) == ["fitness"]
    assert differing(one, one | {"timeout": 5.0}) == ["timeout"]
