"""A cache that can not be used is refused at the start; one that fails later is given up."""

from __future__ import annotations

import sqlite3
from contextlib import closing, contextmanager

import pytest

from evo_core import EvoError, FitnessFunction, NeuronModel, Observer, cache_file, hookimpl
from evo_core import cache as cache_module
from evo_core.cache import Cache


def result_bytes(result):
    return (result.run / "result.json").read_bytes()


def other_version(path, version):
    with closing(sqlite3.connect(path)) as database:
        database.execute(f"PRAGMA user_version = {version}")


def damaged(path):
    content = bytearray(path.read_bytes())
    content[4096:4200] = b"\xff" * 104
    path.write_bytes(content)


def with_trigger(path):
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TRIGGER t AFTER INSERT ON scores BEGIN DELETE FROM scores; END")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda path: path.write_text("no database, but long enough to be one\n" * 99), "no cache"),
        (lambda path: path.write_bytes(b"\0" * 5000), "no cache of evo; choose another file"),
        (lambda path: other_version(path, 99), "newer evo (version 99, this evo reads 1)"),
        (lambda path: other_version(path, 0), "damaged"),
        (damaged, "damaged; remove it, or choose another file"),
        (lambda path: path.write_bytes(path.read_bytes()[:6000]), "damaged"),
        (with_trigger, "damaged"),
    ],
    ids=["text", "zeros", "newer", "no-version", "damaged", "cut", "trigger"],
)
def test_a_file_that_is_no_sound_cache_is_refused(
    cached_run, cli, tmp_path, small_flags, change, message
):
    path = tmp_path / "scores.sqlite"
    cached_run(fitness=["rdm", "params"])
    change(path)
    before = path.read_bytes()
    ended = cli("run", *small_flags, "--cache", path, "--out", tmp_path / "new")
    assert (ended.code, ended.err.count("\n")) == (2, 1)
    assert str(path) in ended.err
    assert message in ended.err
    assert path.read_bytes() == before
    assert not (tmp_path / "new").exists()


def test_a_place_where_no_cache_can_be_is_refused(cli, finished_run, in_empty_folder, small_flags):
    places = {
        ".": "is no file; choose another",
        "none/scores.sqlite": "none; make it, or choose another file",
        "/proc/scores.sqlite": "can not be used: unable to open database file",
        finished_run / "run.sqlite": "is no cache of evo",
        "x" * 999: "File name too long",
    }
    before = (finished_run / "run.sqlite").read_bytes()
    for place, message in places.items():
        ended = cli("run", *small_flags, "--cache", place, "--out", "new")
        assert (ended.code, ended.err.count("\n")) == (2, 1)
        assert message in ended.err
    assert list(in_empty_folder.iterdir()) == []
    assert (finished_run / "run.sqlite").read_bytes() == before


def test_a_locked_file_is_refused(cached_run, tmp_path, monkeypatch):
    monkeypatch.setattr(cache_file, "PATIENCE", 0.05)
    cached_run()
    with locked(tmp_path / "scores.sqlite"), pytest.raises(EvoError, match="database is locked"):
        cached_run()


def test_scores_of_components_given_in_python_can_not_be_shared(cached_run, tmp_path):
    def size(view, options):
        return 1.0

    mine = FitnessFunction(name="mine", summary="", goal="min", needs=("graph",), score=size)
    lif = "evo_core.snn.neurons:lif_module", "evo_core.snn.steps:lif"
    cell = NeuronModel(name="cell", summary="", module=lif[0], step=lif[1])
    for component, names in ((mine, ["mine"]), (cell, ["rdm"])):
        with pytest.raises(EvoError, match=f"{component.name}' was given in Python, so its scores"):
            cached_run([component], fitness=names)
    assert list(tmp_path.iterdir()) == []


@contextmanager
def locked(path):
    with closing(sqlite3.connect(path)) as database:
        database.execute("BEGIN IMMEDIATE")
        yield
        database.rollback()


class Hand:
    """Does something to the cache after the first candidate of a run."""

    def __init__(self, act):
        self.act = act

    @hookimpl
    def evo_candidate_evaluated(self, candidate):
        if candidate.id == 0:
            self.act()


def fill(cache):
    cache._db.execute("PRAGMA max_page_count = 1")


def close(cache):
    cache._db.close()


def lock_out(cache):
    other = sqlite3.connect(cache._path)
    other.execute("BEGIN IMMEDIATE")
    cache.other = other


@pytest.mark.parametrize(
    ("harm", "reason"),
    [(fill, "database or disk is full"), (close, "closed"), (lock_out, "database is locked")],
)
def test_a_cache_that_fails_in_the_middle_is_given_up_with_one_warning(
    cached_run, capsys, monkeypatch, harm, reason
):
    monkeypatch.setattr(cache_file, "PATIENCE", 0.05)
    opened = []

    class Watched(Cache):
        def __init__(self, plan):
            super().__init__(plan)
            opened.append(self)

    monkeypatch.setattr(cache_module, "Cache", Watched)
    hand = Observer(name="hand", summary="", build=lambda options: Hand(lambda: harm(opened[-1])))
    result = cached_run([hand], observers=["hand"])
    lines = [line for line in capsys.readouterr().err.splitlines() if "cache" in line]
    assert len(lines) == 1
    assert reason in lines[0]
    assert lines[0].endswith("; the run goes on without it")
    assert (result.run / "log.txt").read_text().count(lines[0]) == 1
    assert result_bytes(result) == result_bytes(cached_run(cache=None))
    for cache in opened:
        if hasattr(cache, "other"):
            cache.other.close()


def test_a_file_destroyed_in_the_middle_changes_no_result(cached_run, tmp_path):
    path = tmp_path / "scores.sqlite"

    def destroy():
        for one in tmp_path.glob("scores.sqlite*"):
            one.write_bytes(b"\xff" * one.stat().st_size)

    cached_run(seed=4)
    hand = Observer(name="hand", summary="", build=lambda options: Hand(destroy))
    harmed = cached_run([hand], observers=["hand"])
    path.unlink()
    assert result_bytes(harmed) == result_bytes(cached_run(cache=None))
