"""The same search under several seeds."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from statistics import fmean, stdev

import pytest

import evo_core
from evo_core import EvoError, Observer, hookimpl
from evo_core.commands.endings import show_sweep
from evo_core.store import Store
from evo_core.sweeps import parse_seeds


@pytest.fixture
def quick_sweep(tmp_path, small):
    """Sweep a small search in tmp_path/sweep."""

    def start(seeds, components=(), **settings):
        merged = small | {"out": str(tmp_path / "sweep")} | settings
        return evo_core.sweep(merged, seeds, components=components)

    return start


def test_a_sweep_holds_one_run_per_seed_and_a_summary(quick_sweep, quick_run):
    result = quick_sweep([0, 2])
    assert list(result.runs) == [0, 2]
    alone = quick_run(seed=2)
    kept = (result.folder / "seed-2" / "result.json").read_bytes()
    assert kept == (alone.run / "result.json").read_bytes()
    data = json.loads((result.folder / "summary.json").read_text())
    values = [one["best"]["scores"]["rdm"]["value"] for one in data["runs"]]
    assert [(one["seed"], one["run"]) for one in data["runs"]] == [(0, "seed-0"), (2, "seed-2")]
    assert data["summary"]["seeds"] == [0, 2]
    assert data["summary"]["objective"] == {"name": "rdm", "goal": "max"}
    assert data["summary"]["best"] == {
        "mean": fmean(values),
        "std": stdev(values),
        "values": values,
    }
    means = [one["best"]["rescored"]["rdm"]["mean"] for one in data["runs"]]
    assert data["summary"]["rescored"]["values"] == means
    assert data["summary"]["evaluated"] == 16
    assert result.best.mean == fmean(values)


def test_equal_sweeps_give_equal_summaries(quick_sweep, tmp_path):
    one, two = (quick_sweep([0, 1], out=str(tmp_path / name)) for name in "ab")
    texts = [(result.folder / "summary.json").read_bytes() for result in (one, two)]
    assert texts[0] == texts[1]


def test_a_seed_that_is_done_is_not_run_again(quick_sweep):
    first = quick_sweep([0, 1])
    times = [(run.run / "run.sqlite").stat().st_mtime_ns for run in first.runs.values()]
    second = quick_sweep([0, 1, 2])
    assert [
        (run.run / "run.sqlite").stat().st_mtime_ns for run in list(second.runs.values())[:2]
    ] == times
    assert [run.to_json() for run in list(second.runs.values())[:2]] == [
        run.to_json() for run in first.runs.values()
    ]
    assert len(json.loads((second.folder / "summary.json").read_text())["runs"]) == 3


def test_an_interrupted_sweep_goes_on_where_it_stopped(quick_sweep, tmp_path, capsys):
    class Hand:
        pressed = 0

        @hookimpl
        def evo_candidate_evaluated(self):
            Hand.pressed += 1
            if Hand.pressed == 14:  # in the second generation of the second seed
                raise KeyboardInterrupt

    hand = Observer(name="hand", summary="", build=lambda options: Hand())
    stopped = quick_sweep(range(3), [hand], observers=["hand"])
    assert stopped.interrupted
    assert [run.status for run in stopped.runs.values()] == ["done", "interrupted"]
    assert not (stopped.folder / "summary.json").exists()
    assert stopped.summary()["seeds"] == [0]
    assert stopped.best.values == (stopped.runs[0].best.scores["rdm"].value,)
    show_sweep(stopped, as_json=False)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in lines[1:3]] == [
        ["0", f"{stopped.best}"],
        ["1", "(interrupted)"],
    ]
    assert f"rdm (max) over 1 seed that is done: {stopped.best}" in lines
    whole = quick_sweep(range(3))
    assert not whole.interrupted
    clean = quick_sweep(range(3), out=str(tmp_path / "clean"))
    for name in ("summary.json", "seed-1/result.json", "seed-2/result.json"):
        assert (whole.folder / name).read_bytes() == (clean.folder / name).read_bytes()


def test_a_seed_whose_run_is_going_on_is_refused_before_anything_runs(quick_sweep):
    result = quick_sweep([1])
    held = closing(Store.open(result.folder / "seed-1", write=True))
    with held, pytest.raises(EvoError, match="seed-1 is being written by another process; wait"):
        quick_sweep([0, 1])
    assert not (result.folder / "seed-0").exists()


def test_a_seed_whose_run_was_killed_goes_on(quick_sweep):
    result = quick_sweep([1])
    before = (result.folder / "seed-1" / "result.json").read_bytes()
    with closing(sqlite3.connect(result.folder / "seed-1" / "run.sqlite")) as database, database:
        database.execute("DELETE FROM run WHERE key = 'result'")
        database.execute("DELETE FROM generations WHERE number = 1")
    (result.folder / "seed-1" / "result.json").unlink()
    assert quick_sweep([0, 1]).runs[1].status == "done"
    assert (result.folder / "seed-1" / "result.json").read_bytes() == before


def test_other_settings_in_the_same_folder_are_refused(quick_sweep):
    quick_sweep([0])
    with pytest.raises(EvoError, match="seed-0 was run with other settings: generations is 2 ther"):
        quick_sweep([0], generations=3)
    with pytest.raises(EvoError, match="other settings: mse is "):
        quick_sweep([0], mse={"cells": 3})
    assert quick_sweep([0], workers=2).runs[0].status == "done"


def test_a_folder_that_holds_something_else_is_left_alone(quick_sweep, quick_run, tmp_path):
    run = quick_run(fitness=["params"]).run
    before = sorted(path.name for path in run.iterdir())
    with pytest.raises(EvoError, match="exists and holds no sweep; choose another --out"):
        quick_sweep([0], out=str(run))
    assert sorted(path.name for path in run.iterdir()) == before


def test_without_a_name_a_sweep_gets_a_new_folder_below_runs(quick_sweep, in_empty_folder, cli):
    result = quick_sweep([0], out=None, fitness=["params"])
    assert result.folder.parent == Path("runs")
    assert result.folder.name.endswith("-sweep")
    (line,) = cli("runs", "--json").json
    assert line["folder"] == str(result.folder / "seed-0")
    assert result.rescored is None


@pytest.mark.parametrize(
    ("text", "seeds"),
    [("0-4", (0, 1, 2, 3, 4)), ("0,3,7", (0, 3, 7)), ("5", (5,)), ("0-1, 1-2", (0, 1, 2))],
)
def test_seeds_are_ranges_and_lists(text, seeds):
    assert parse_seeds(text) == seeds


@pytest.mark.parametrize("text", ["", "x", "3-1", "1-", "-1", "0,,1", "1.5", "0-2-4"])
def test_other_texts_are_no_seeds(text):
    with pytest.raises(EvoError, match="is no list of seeds; write 0-4 or 0,3,7"):
        parse_seeds(text)


@pytest.mark.parametrize("seeds", [[], [-1]])
def test_a_sweep_needs_seeds_from_0(quick_sweep, seeds, tmp_path):
    with pytest.raises(EvoError, match="at least one seed"):
        quick_sweep(seeds)
    assert list(tmp_path.iterdir()) == []


def test_the_command_prints_a_line_per_seed_and_the_mean(cli, small_flags, in_empty_folder):
    done = cli("run", *small_flags, "--seeds", "0-1", "--out", "s")
    assert done.code == 0
    head, one, two, _, *rest = done.out.splitlines()
    assert head.split()[:3] == ["seed", "best", "rdm"]
    assert (one.split()[0], two.split()[0]) == ("0", "1")
    assert rest[0].startswith("rdm (max) over 2 seeds: 0.")
    data = cli("run", *small_flags, "--seeds", "0-1", "--out", "s", "--json").json
    assert list(data) == ["sweep", "runs", "summary"]
    assert data["runs"][0]["run"] == str(Path("s") / "seed-0")
    assert data["runs"][0]["seconds"] >= 0


def test_seeds_do_not_go_with_a_seed_or_a_dry_run(cli, small_flags, in_empty_folder):
    for flags in (("--seed", "1"), ("--dry-run",)):
        ended = cli("run", *small_flags, "--seeds", "0-1", *flags)
        assert ended.code == 2
        assert f"--seeds does not go with {flags[0]}" in ended.err
    assert list(in_empty_folder.iterdir()) == []
