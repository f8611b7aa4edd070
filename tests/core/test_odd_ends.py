"""Odd exceptions, texts, numbers and folders: each costs a candidate or a line, never a run."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

import evo_core
from evo_core import EvoError, FitnessFunction, Observer, Score, hookimpl
from evo_core.store import Store

OLD = Path(__file__).parents[1] / "data" / "run_schema_2"


def failing(deed):
    """Make a fitness that does something to every network with an odd number of parameters."""

    def score(view, options):
        if int(view.architecture.hash, 16) % 2:
            return deed()
        return float(view.architecture.parameters)

    return FitnessFunction(name="f", summary="", goal="max", needs=("graph",), score=score)


def raising(error):
    def deed():
        raise error

    return deed


DEEDS = {
    "a lone surrogate": raising(ValueError("bad \udcff text")),
    "GeneratorExit": raising(GeneratorExit()),
    "CancelledError": raising(asyncio.CancelledError()),
    "SystemExit": raising(SystemExit(3)),
    "NaN passes": lambda: Score(1.0, forwards=float("nan")),
    "negative passes": lambda: Score(1.0, backwards=-1),
}


@pytest.mark.parametrize("executor", ["serial", pytest.param("loky", marks=pytest.mark.slow)])
@pytest.mark.parametrize("deed", DEEDS.values(), ids=DEEDS)
def test_whatever_a_fitness_raises_or_gives_costs_its_candidate(quick_run, executor, deed):
    settings = {"fitness": ["f"], "population": 8, "rescore": 0, "executor": executor}
    result = quick_run([failing(deed)], **settings)
    assert result.status == "done"
    assert 0 < result.counts.failed < result.counts.evaluated
    with closing(Store.open(result.run)) as store:
        statuses = {one.status for _, one in store.evaluated()}
    assert statuses == {"ok", "error"}


@pytest.mark.parametrize("executor", ["serial", pytest.param("loky", marks=pytest.mark.slow)])
def test_a_fitness_that_forks_is_scored_once(quick_run, executor):
    def fork():
        child = os.fork()
        if child:
            os.waitpid(child, 0)
        return 1.0

    settings = {"fitness": ["f"], "population": 6, "executor": executor}
    result = quick_run([failing(fork)], **settings)
    assert (result.status, result.counts.failed) == ("done", 0)


@pytest.mark.parametrize("executor", ["serial", pytest.param("loky", marks=pytest.mark.slow)])
def test_what_a_fitness_prints_is_not_mixed_with_the_json(evo, plugin_file, small_flags, executor):
    path = plugin_file("""
        from evo_core import FitnessFunction, hookimpl

        def score(view, options):
            print("look at me")
            return 1.0

        @hookimpl
        def evo_components():
            yield FitnessFunction(name="f", summary="", goal="max", needs=("graph",), score=score)
    """)
    flags = (*small_flags, "--executor", executor, "--plugin", path, "--fitness", "f")
    done = evo("run", *flags, "--json")
    assert done.json["status"] == "done"
    assert "look at me" in done.err


def test_an_observer_that_exits_does_not_end_a_run(quick_run, capsys):
    class Exits:
        @hookimpl
        def evo_generation_ended(self):
            raise SystemExit(7)

    hand = Observer(name="hand", summary="", build=lambda options: Exits())
    assert quick_run([hand], observers=["hand"], fitness=["params"]).status == "done"
    assert "observer hand failed in evo_generation_ended: SystemExit: 7" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (("--timeout", "1e300"), "timeout is 1e+300; input should be less than or equal to"),
        (("--out", ""), "out is empty; name a folder, or leave it out"),
        (("--seeds", "0-1000000000000"), "are more than 10,000 seeds"),
        (("--memory", "4MB", "--executor", "loky"), "memory is 4 MiB, but a worker at rest has"),
        (("--memory", "4MB", "--executor", "serial"), "memory is 4 MiB, but a worker at rest has"),
    ],
)
def test_settings_that_can_not_be_are_refused_and_leave_no_folder(
    cli, small_flags, in_empty_folder, flags, said
):
    ended = cli("run", *small_flags, *flags)
    assert ended.code == 2
    assert said in ended.err
    assert ended.err.count("\n") == 1
    assert not any(in_empty_folder.iterdir())


def test_too_little_memory_leaves_a_finished_run_as_it_was(cli, quick_run):
    run = quick_run(fitness=["params"]).run
    before = {path.name: path.read_bytes() for path in run.iterdir()}
    more = ("--generations", "4", "--executor", "loky", "--memory", "4MB")
    assert cli("resume", run, *more).code == 2
    assert {path.name: path.read_bytes() for path in run.iterdir()} == before


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (('fitness = ["params"]', 'fitness = ["macs"]'), "another fitness"),
        (("cells = 2", "cells = 3"), "another space"),
        (('strategy = "nsga2"', 'strategy = "random"'), "another strategy"),
    ],
)
def test_a_run_does_not_become_another_search(quick_run, edit, said):
    run = quick_run(fitness=["params"]).run
    config = run / "config.toml"
    config.write_text(config.read_text().replace(*edit))
    before = (run / "run.sqlite").read_bytes()
    with pytest.raises(EvoError, match=f"can not go on with {said}"):
        evo_core.resume(run, generations=3, accept_changes=True)
    assert (run / "run.sqlite").read_bytes() == before


def test_a_folder_in_the_place_of_a_file_is_said_before_anything_is_written(quick_run):
    run = quick_run(fitness=["params"]).run
    (run / "log.txt").unlink()
    (run / "log.txt").mkdir()
    before = (run / "run.sqlite").read_bytes()
    with pytest.raises(EvoError, match=r"holds a folder log\.txt; put a file in its place"):
        evo_core.resume(run, generations=3)
    assert (run / "run.sqlite").read_bytes() == before


def test_a_sweep_writes_nothing_through_a_link(cli, small_flags, in_empty_folder):
    victim = in_empty_folder / "victim"
    victim.write_text("precious")
    flags = (*small_flags, "--fitness", "params", "--seeds", "0-1", "--out", "sweep")
    assert cli("run", *flags).code == 0
    (in_empty_folder / "sweep" / "summary.json").unlink()
    (in_empty_folder / "sweep" / "summary.json").symlink_to(victim)
    refused = cli("run", *flags)
    assert refused.code == 2
    assert "holds summary.json, which is neither file nor folder" in refused.err
    assert victim.read_text() == "precious"


def test_one_damaged_folder_does_not_hide_the_other_runs(quick_run, tmp_path, cli):
    quick_run(fitness=["params"])
    broken = Path(shutil.copytree(OLD, tmp_path / "broken"))
    (broken / "config.toml").unlink()
    (tmp_path / "run" / "run.lock").unlink()
    (tmp_path / "run" / "run.lock").symlink_to(tmp_path / "victim")
    statuses = {
        Path(one["folder"]).name: one["status"] for one in cli("runs", tmp_path, "--json").json
    }
    assert statuses["run"] == "done"
    assert statuses["broken"].startswith("damaged: ")
    assert cli("show", broken).code == 2


def test_what_a_killed_program_left_aside_is_taken_away_after_an_hour(quick_run, tmp_path):
    for name, age in (("old", 7200), ("new", 0)):
        aside = tmp_path / f".run-{name:>08}".replace(" ", "0")
        aside.mkdir()
        os.utime(aside, (aside.stat().st_mtime - age,) * 2)
    quick_run(fitness=["params"])
    assert sorted(path.name for path in tmp_path.iterdir()) == [".run-00000new", "run"]


def test_a_cache_keeps_only_what_the_run_has_stored(quick_run, tmp_path, monkeypatch):
    stored = []
    add = Store.add

    def remember(self, candidate, evaluation):
        add(self, candidate, evaluation)
        stored.append(candidate.architecture)

    def keep(self, candidate, evaluation):
        assert candidate.architecture in stored

    monkeypatch.setattr(Store, "add", remember)
    monkeypatch.setattr("evo_core.cache.Cache.keep", keep)
    assert quick_run(cache=str(tmp_path / "c"), rescore=0).status == "done"
    assert json.loads((tmp_path / "run" / "result.json").read_text())["evaluated"] == len(stored)
    with closing(sqlite3.connect(tmp_path / "run" / "run.sqlite")) as database:
        assert database.execute("PRAGMA quick_check").fetchone() == ("ok",)
