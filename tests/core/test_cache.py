"""The score cache: what one run has evaluated another takes over, if nothing has changed."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

import evo_core
from evo_core import Dataset
from evo_core.cache_file import connect
from evo_core.data import array_dataset

PLUGIN = (Path(__file__).parents[1] / "data" / "counting_fitness.py").read_text(encoding="utf-8")


def result_bytes(result):
    return (result.run / "result.json").read_bytes()


def rows(path):
    with closing(sqlite3.connect(path)) as database:
        return database.execute("SELECT * FROM scores ORDER BY address, architecture").fetchall()


def details(result):
    with closing(sqlite3.connect(result.run / "run.sqlite")) as database:
        query = "SELECT candidate, status, details, error, copied_from FROM evaluations"
        return database.execute(query).fetchall()


def test_a_run_takes_over_the_scores_of_an_equal_one(cached_run, plugin_file, tmp_path):
    plugin, calls = [str(plugin_file(PLUGIN))], tmp_path / "calls.txt"
    first = cached_run(plugins=plugin, fitness=["rdm", "mine"])
    before, size = rows(tmp_path / "scores.sqlite"), calls.stat().st_size
    second = cached_run(plugins=plugin, fitness=["rdm", "mine"])
    assert (first.cache_hits, second.cache_hits) == (0, second.counts.evaluated)
    assert calls.stat().st_size == size, "nothing is evaluated, not even under fresh inits"
    assert rows(tmp_path / "scores.sqlite") == before
    without = cached_run(plugins=plugin, fitness=["rdm", "mine"], cache=None)
    assert result_bytes(first) == result_bytes(second) == result_bytes(without)
    assert details(first) == details(second) == details(without)


def test_the_file_alone_has_all_scores_while_another_run_has_it_open(cached_run, tmp_path):
    with closing(connect(tmp_path / "scores.sqlite")) as other:
        other.execute("SELECT * FROM scores").fetchall()
        result = cached_run()
        (tmp_path / "copy").mkdir()
        shutil.copy(tmp_path / "scores.sqlite", tmp_path / "copy")
    assert rows(tmp_path / "copy" / "scores.sqlite") == rows(tmp_path / "scores.sqlite")
    again = cached_run(cache=str(tmp_path / "copy" / "scores.sqlite"))
    assert again.cache_hits == result.counts.evaluated


def test_what_is_no_score_is_not_kept(cached_run, plugin_file, tmp_path):
    plugin = [str(plugin_file(PLUGIN))]
    with pytest.raises(evo_core.RunFailedError):
        cached_run(plugins=plugin, fitness=["rdm", "fails"])
    assert rows(tmp_path / "scores.sqlite") == []


@pytest.mark.slow
def test_two_runs_at_once_share_one_file(evo_binary, evo, tmp_path, small_flags):
    flags = (*small_flags, "--generations", "4", "--seed", "3", "--fitness", "rdm,params")
    shared = (*flags, "--cache", "scores.sqlite", "--json")
    starts = [
        subprocess.Popen(
            [evo_binary, "run", *shared, "--out", name], cwd=tmp_path, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )
        for name in ("one", "two")
    ]  # fmt: skip
    ended = [(*start.communicate(timeout=120), start.returncode) for start in starts]
    assert [(err, code) for _, err, code in ended] == [("", 0), ("", 0)]
    assert not [log for log in tmp_path.glob("scores.sqlite-wal") if log.stat().st_size]
    third = evo("run", *shared, "--out", "three").json
    assert third["cache_hits"] == third["evaluated"] == 16
    assert evo("run", *flags, "--out", "alone").code == 0
    results = {(tmp_path / name / "result.json").read_bytes() for name in ("one", "two", "three")}
    assert results == {(tmp_path / "alone" / "result.json").read_bytes()}
    kept = rows(tmp_path / "scores.sqlite")
    networks = {(fitness, architecture) for _, architecture, fitness, _, _ in kept}
    assert {fitness for fitness, _ in networks} == {"", "rdm", "params"}
    assert len({row[:2] for row in kept}) == len(kept)


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 1},
        {"data": "other"},
        {"scoring": {"batch": 9}},
        {"scoring": {"steps": 3}},
        {"scoring": {"inits": 2}},
        {"scoring": {"batches": 2}},
        {"scoring": {"statistics": "sequence"}},
    ],
    ids=str,
)
def test_scores_under_other_conditions_are_not_taken(cached_run, plugin_file, change):
    plugin = """
        from evo_core import Dataset, Samples, Splits, hookimpl
        from evo_core.data import digits

        def load(options, root):
            splits = digits(options, root)
            train = Samples(splits.train.inputs * 0.5, splits.train.labels)
            return Splits(train, splits.validation, splits.test, splits.classes)

        @hookimpl
        def evo_components():
            yield Dataset(name="other", summary="", load=load)
    """
    given = {"plugins": [str(plugin_file(plugin, "my_data.py"))], "rescore": 0}
    given |= {"mse": {"cells": 2, "feedback": "same-step"}}
    cached_run(**given)
    assert cached_run(**given | change).cache_hits == 0
    assert cached_run(**given).cache_hits > 0


def test_scores_of_a_changed_plugin_are_not_taken(cached_run, plugin_file):
    given = {"plugins": [str(plugin_file(PLUGIN))], "fitness": ["mine"]}
    first = cached_run(**given)
    plugin_file(PLUGIN.replace("collected[-1]", "collected[0]"))
    second = cached_run(**given)
    assert second.cache_hits == 0
    assert result_bytes(second) != result_bytes(first)
    plugin_file(PLUGIN)
    assert cached_run(**given).cache_hits == first.counts.evaluated


def test_all_scores_must_be_there_and_more_of_them_may_be(cached_run):
    def hits(*names):
        return cached_run(fitness=list(names), strategy="random").cache_hits

    assert hits("rdm") == 0
    assert hits("rdm", "params") == 0, "params is missing, so all is evaluated"
    assert hits("params") == hits("params", "rdm") == hits("rdm") == 8
    assert hits("rdm[metric=cosine]") == 0


def test_scores_of_the_graph_alone_hold_under_any_seed_and_data(cached_run, tmp_path):
    genomes = tmp_path / "genomes.txt"
    genomes.write_text("\n".join(f"{value}" + ",0" * 18 for value in (0, 1)))
    given = {"fitness": ["params"], "init": str(genomes), "generations": 1}
    assert cached_run(**given).cache_hits == 0
    assert cached_run(**given, seed=5, scoring={"batch": 4}).cache_hits >= 2


def test_limits_count_what_is_found(cached_run):
    first = cached_run(max_evaluations=6)
    second = cached_run(max_evaluations=6)
    assert second.cache_hits == 6
    assert result_bytes(first) == result_bytes(second)


def test_a_run_is_resumed_with_a_cache(cached_run, tmp_path):
    long = cached_run(generations=4)
    path = tmp_path / "scores.sqlite"
    short = cached_run(generations=2, cache=None)
    before = rows(path)
    evo_core.resume(short.run, generations=4, cache=str(path))
    assert result_bytes(short) == result_bytes(long)
    assert rows(path) == before, "all was there"
    assert "cache" not in (short.run / "config.toml").read_text()


def test_a_sweep_goes_on_with_another_cache(tmp_path, small):
    given = small | {"out": str(tmp_path / "sweep"), "cache": str(tmp_path / "a")}
    evo_core.sweep(given, seeds=[0])
    sweep = evo_core.sweep(given | {"cache": str(tmp_path / "b")}, seeds=[0, 1])
    assert [run.cache_hits for run in sweep.runs.values()] == [0, 0]
    assert rows(tmp_path / "a")
    assert rows(tmp_path / "b")


def test_the_hits_are_told(cli, in_empty_folder, small_flags):
    shared = ("run", *small_flags, "--cache", "scores.sqlite")
    cli(*shared, "--out", "one")
    told = cli(*shared, "--out", "two")
    assert "8 evaluated, 0 repeats, 0 failed, 8 from the cache" in told.out
    assert "8 evaluations came from the cache" in (in_empty_folder / "two/log.txt").read_text()
    assert cli(*shared, "--out", "three", "--json").json["cache_hits"] == 8
    assert "cache" not in cli("run", *small_flags, "--out", "four").out
    again = cli("resume", "one", "--generations", "3", "--cache", "scores.sqlite", "--json")
    assert again.json["cache_hits"] == 0


def test_data_given_in_python_is_known_by_its_content(cached_run):
    inputs = np.random.default_rng(0).random((60, 8, 8))
    labels = np.arange(60) % 10

    def hits(images):
        data = array_dataset("mine", images, labels)
        assert isinstance(data, Dataset)
        return cached_run([data], data="mine", rescore=0).cache_hits

    assert [hits(inputs), hits(inputs), hits(inputs * 0.5)] == [0, 8, 0]
