"""``evo verify``: a run that repeats is said to repeat, and what does not is named."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

import evo_core
from evo_core import EvoError, Observer, hookimpl
from evo_core.database import seal
from evo_core.verifying import verify


@pytest.fixture
def copied(finished_run, tmp_path):
    """Give a copy of a finished run."""
    return Path(shutil.copytree(finished_run, tmp_path / "copied"))


def forge(folder, table, column, key, value):
    """Change a column of a row, and its seal with it."""
    with closing(sqlite3.connect(folder / "run.sqlite")) as database, database:
        cursor = database.execute(f"SELECT * FROM {table} ORDER BY 1")
        names = [name for name, *_ in cursor.description]
        row = next(list(row) for row in cursor if row[0] == key)
        place = names.index(column)
        row[place] = value(row[place]) if callable(value) else value
        database.execute(
            f"UPDATE {table} SET {column} = ?, seal = ? WHERE {names[0]} = ?",
            (row[place], seal(row[:-1]), key),
        )


@pytest.mark.parametrize(
    "settings",
    [
        {"strategy": "random", "mse": {"cells": 1, "motifs": ["FE"], "inputs": [2]}},
        {"strategy": "mu-plus-lambda[offspring=3]", "max_evaluations": 9, "generations": 5},
        {"constraints": ["params<40000"], "generations": 3},
        {"scoring": {"inits": 2}, "rescore": 0},
    ],
    ids=["repeats", "limit", "constraint", "inits"],
)
def test_a_run_repeats(quick_run, settings):
    found = verify(quick_run(**settings).run, sample=4)
    assert found.repeats, found.differences
    assert len(found.rescored) == min(4, found.candidates)
    assert found.largest_difference == 0


def test_a_run_from_given_genomes_that_was_extended_repeats(quick_run, tmp_path):
    genomes = tmp_path / "genomes.txt"
    genomes.write_text("0" + ",0" * 18)
    run = quick_run(init=str(genomes)).run
    genomes.unlink()
    evo_core.resume(run, generations=4)
    found = verify(run)
    assert (found.repeats, found.generations) == (True, 4)


class Hand:
    """Presses Ctrl-C in the second generation."""

    @hookimpl
    def evo_candidate_evaluated(self, candidate):
        if candidate.generation == 1:
            raise KeyboardInterrupt


def test_what_an_interrupted_run_has_done_repeats(quick_run):
    hand = Observer(name="hand", summary="", build=lambda options: Hand())
    run = quick_run([hand], observers=["hand"], generations=3).run
    found = verify(run, components=[hand])
    assert (found.repeats, found.generations) == (True, 1)


@pytest.mark.parametrize(
    ("table", "column", "key", "value", "said"),
    [
        ("candidates", "genome", 5, lambda text: text.replace("0", "1"), "generation 2: candidate"),
        ("candidates", "parents", 5, "[3, 3]", "generation 2: candidate 5 is not the one that"),
        ("candidates", "architecture", 0, "00", "generation 1: candidate 0 is not the one"),
        ("evaluations", "status", 0, "silent", "another state after it"),
        ("generations", "state", 1, lambda text: text.replace("1", "2"), "another state after it"),
        ("generations", "report", 1, lambda text: text.replace('"failed": 0', '"failed": 1'),
         "generation 2: its report says something else"),
        ("run", "value", "result", lambda text: text.replace('"cached": 0', '"cached": 1'),
         "the result is not what its evaluations give"),
    ],
    ids=["genome", "parents", "network", "status", "state", "report", "result"],
)  # fmt: skip
def test_a_forged_row_is_found(copied, table, column, key, value, said):
    forge(copied, table, column, key, value)
    found = verify(copied, sample=0)
    assert not found.repeats
    assert any(said in difference for difference in found.differences), found.differences


def test_a_forged_duplicate_is_found(quick_run):
    tiny = {"cells": 1, "motifs": ["FE"], "inputs": [2], "operations": ["conv3", "conv5"]}
    run = quick_run(strategy="random", population=8, mse=tiny).run
    with closing(evo_core.store.Store.open(run)) as store:
        number = next(one.candidate for _, one in store.evaluated() if one.stage == "duplicate")
    forge(run, "evaluations", "status", number, "silent")
    found = verify(run, sample=0)
    assert any(
        f"candidate {number} is no duplicate of candidate" in one for one in found.differences
    )


def test_a_forged_score_is_found_when_it_is_evaluated_again(copied):
    def better(text):
        scores = json.loads(text)
        scores["params"]["value"] += 1
        return json.dumps(scores)

    forge(copied, "evaluations", "scores", 7, better)
    found = verify(copied, sample=100)
    assert any("params is" in difference for difference in found.differences), found.differences
    assert found.largest_difference == 1


def test_a_result_file_that_was_edited_is_found(copied, cli):
    path = copied / "result.json"
    path.write_text(path.read_text().replace("0.3", "0.4"))
    ended = cli("verify", copied, "--sample", "0")
    assert ended.code == 1
    assert "result.json is not as evo wrote it" in ended.out
    assert "it does not repeat" in ended.out


def test_verifying_writes_nothing_and_prints_json(copied, cli):
    before = {path.name: path.read_bytes() for path in copied.iterdir() if path.is_file()}
    ended = cli("verify", copied, "--sample", "3", "--json")
    assert ended.code == 0
    assert list(ended.json) == [
        *("run", "repeats", "generations", "candidates", "rescored", "unverified"),
        *("largest_difference", "differences", "changed"),
    ]
    assert (ended.json["repeats"], len(ended.json["rescored"])) == (True, 3)
    assert {path.name: path.read_bytes() for path in copied.iterdir() if path.is_file()} == before


def test_a_run_without_a_generation_can_not_be_verified(quick_run):
    hand = Observer(name="hand", summary="", build=lambda options: Early())
    run = quick_run([hand], observers=["hand"]).run
    with pytest.raises(EvoError, match="has no complete generation yet; there is nothing to ver"):
        verify(run, components=[hand])


class Early:
    """Presses Ctrl-C at once."""

    @hookimpl
    def evo_candidate_evaluated(self):
        raise KeyboardInterrupt


def test_forged_scores_under_fresh_inits_are_found(copied):
    with closing(sqlite3.connect(copied / "run.sqlite")) as database, database:
        for row in database.execute("SELECT * FROM rescores").fetchall():
            scores = json.loads(row[3])
            scores["rdm"]["value"] = 0.99
            new = [*row[:3], json.dumps(scores), *row[4:-1]]
            database.execute("DELETE FROM rescores WHERE candidate = ? AND init = ?", row[:2])
            marks = ", ".join("?" * len(row))
            database.execute(f"INSERT INTO rescores VALUES ({marks})", (*new, seal(new)))
    found = verify(copied, sample=1)
    assert any("under init 1: rdm is 0." in one for one in found.differences), found.differences
    assert "the result is not what its evaluations give" in found.differences


def test_a_result_that_claims_another_end_is_found(copied):
    def claimed(text):
        data = json.loads(text)
        return json.dumps(data | {"status": "interrupted", "generations": 3, "evaluated": 5})

    forge(copied, "run", "value", "result", claimed)
    assert "the result is not what its evaluations give" in verify(copied, sample=0).differences


def test_what_nothing_can_check_is_counted(copied, cli):
    forge(copied, "evaluations", "status", 7, "timeout")
    found = verify(copied, sample=100)
    assert (found.unverified, found.repeats) == (1, False)
    assert "not checked: 1 that timed out" in cli("verify", copied, "--sample", "0").out


def test_code_that_has_changed_since_is_named(cli, plugin_file, small_flags, in_empty_folder):
    text = """
        from evo_core import FitnessFunction, hookimpl

        @hookimpl
        def evo_components():
            yield FitnessFunction(
                name="mine", summary="", goal="max", needs=("graph",),
                score=lambda view, options: view.architecture.parameters,
            )
    """
    path = plugin_file(text)
    cli("run", *small_flags, "--plugin", path, "--fitness", "mine", "--out", "run")
    plugin_file(text.replace("parameters", "parameters + 1"))
    ended = cli("verify", "run", "--plugin", path)
    assert ended.code == 1
    assert "since then: my_plugin.py changed (source " in ended.out
    assert "mine is " in ended.out
