"""The run folder: what is written is read back, and what is no run folder is said so."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing

import pytest

from evo_core import Candidate, Evaluation, EvoError, Objective, RunResult, Score, Solution
from evo_core.results import Counts, GenerationReport
from evo_core.store import SCHEMA_VERSION, Store
from evo_core.summaries import summaries

FACTS = {
    "versions": {"evo": "1"},
    "started": "2026-01-02T03:04:05+00:00",
    "space": "mse",
    "data": "digits",
    "objectives": [{"name": "f", "goal": "max"}],
}
CANDIDATES = [
    Candidate(0, (1, 0, 2), "aa"),
    Candidate(1, (0, 0, 0), "invalid:0,0,0", 1, (0,), ("mutate-motif",)),
    Candidate(2, (1, 1, 1), "bb", 1, (0, 1), ("two-point", "mutate-neuron")),
]
EVALUATIONS = [
    Evaluation(
        0, "ok", {"f": Score(0.25, "ok", "min", 0.5, 2, 1)}, {"firing_rate": 0.1}, 1.5, 2**40
    ),
    Evaluation(1, "invalid", error="no network"),
    Evaluation(2, "ok", {"f": Score(None, "undefined")}, copied_from=0),
]


@pytest.fixture
def store(tmp_path):
    made = Store.create(tmp_path / "run", "seed = 1\n", FACTS)
    yield made
    made.close()


def reopened(store):
    return closing(Store.open(store.folder))


def result(folder, **fields):
    given = {
        "status": "done",
        "reason": "generations",
        "generations": 1,
        "counts": Counts(3, 1, 1),
        "objectives": (Objective("f", "max"),),
        "best": Solution(0, (1, 0, 2), "aa", {"f": Score(0.25)}),
    }
    return RunResult(folder, **(given | fields))


def test_candidates_and_evaluations_are_read_back_as_they_were(store):
    for candidate, evaluation in zip(CANDIDATES, EVALUATIONS, strict=True):
        store.add(candidate, evaluation)
    with reopened(store) as reader:
        assert list(reader.evaluated()) == list(zip(CANDIDATES, EVALUATIONS, strict=True))


def test_candidates_are_read_by_id_whatever_order_they_arrived_in(store):
    for number in (2, 0, 1):
        store.add(CANDIDATES[number], EVALUATIONS[number])
    with reopened(store) as reader:
        assert [candidate.id for candidate, _ in reader.evaluated()] == [0, 1, 2]
        assert list(reader.evaluated(1)) == [(CANDIDATES[1], EVALUATIONS[1])]
        assert list(reader.evaluated(7)) == []


def test_each_evaluation_is_there_as_soon_as_it_was_added(store):
    store.add(CANDIDATES[0], EVALUATIONS[0])
    with reopened(store) as reader:
        assert len(list(reader.evaluated())) == 1


def test_an_evaluation_that_can_not_be_kept_leaves_no_candidate_behind(store):
    with pytest.raises(TypeError):
        store.add(CANDIDATES[0], Evaluation(0, "ok", details={"x": object()}))
    with reopened(store) as reader:
        assert list(reader.evaluated()) == []


def test_generations_are_kept_with_the_state_of_the_strategy(store):
    report = GenerationReport(0, Counts(3, 1, 1), (0, 2), ((0.25,), (0.5,)), 0.5, 1.23456)
    state = {"population": [{"id": 0, "genome": [1], "values": [0.25]}]}
    store.add_generation(report, state)
    with reopened(store) as reader:
        assert reader.generations() == [
            {
                "generation": 0, "evaluated": 3, "cached": 1, "failed": 1, "infeasible": 0,
                "survivors": [0, 2], "values": [[0.25], [0.5]], "best": 0.5, "seconds": 1.235,
            }
        ]  # fmt: skip
    with closing(sqlite3.connect(store.folder / "run.sqlite")) as raw:
        (kept,) = raw.execute("SELECT state FROM generations").fetchone()
    assert json.loads(kept) == state


def test_facts_are_read_back_and_unknown_ones_are_none(store):
    with reopened(store) as reader:
        assert {key: reader.fact(key) for key in FACTS} == FACTS
        assert reader.fact("nothing") is None


def test_the_configuration_is_kept_as_it_was_given(store):
    assert (store.folder / "config.toml").read_text() == "seed = 1\n"


def test_the_result_is_written_whole_and_without_timings(store):
    store.finish(result(store.folder, seconds=9.0))
    text = (store.folder / "result.json").read_text()
    assert text.endswith("}\n")
    assert "seconds" not in text
    assert str(store.folder) not in text
    assert not list(store.folder.glob("*.part"))
    assert store.fact("result")["seconds"] == 9.0


def test_a_result_that_can_not_be_written_leaves_the_one_before(store):
    store.finish(result(store.folder))
    before = (store.folder / "result.json").read_bytes()
    with pytest.raises(ValueError, match="not JSON compliant"):
        store.finish(result(store.folder, best=Solution(0, (), "", {"f": Score(float("nan"))})))
    assert (store.folder / "result.json").read_bytes() == before


def test_a_folder_that_holds_something_is_not_taken(tmp_path):
    (tmp_path / "file").write_text("mine")
    for folder in (tmp_path, tmp_path / "file"):
        with pytest.raises(EvoError, match="exists and is not empty"):
            Store.create(folder, "", FACTS)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_folder_that_can_not_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(EvoError, match=r"file/run can not be made: Not a directory"):
        Store.create(tmp_path / "file" / "run", "", FACTS)


def test_a_folder_without_a_database_is_no_run_folder(tmp_path):
    with pytest.raises(EvoError, match=r"is no run folder: it has no run\.sqlite"):
        Store.open(tmp_path)


@pytest.mark.parametrize("content", [b"this is no database, it is text" * 99, b"\0" * 5000])
def test_a_damaged_database_is_one_clear_line(tmp_path, content):
    (tmp_path / "run.sqlite").write_bytes(content)
    with pytest.raises(EvoError, match=r"run.sqlite can not be read: file is not a database"):
        Store.open(tmp_path)


def test_a_database_that_was_cut_off_is_one_clear_line(finished_run, tmp_path, cli):
    whole = (finished_run / "run.sqlite").read_bytes()
    for size in (0, 100, 5000, len(whole) // 2, len(whole) - 4096):
        folder = tmp_path / f"cut{size}"
        folder.mkdir()
        (folder / "run.sqlite").write_bytes(whole[:size])
        (folder / "config.toml").write_text((finished_run / "config.toml").read_text())
        shown = cli("show", folder)
        assert shown.code == 2
        assert shown.err.startswith("error: ")
        assert shown.err.count("\n") == 1


@pytest.mark.parametrize("version", [0, SCHEMA_VERSION + 1])
def test_a_database_of_another_schema_is_not_read(store, version):
    with closing(sqlite3.connect(store.folder / "run.sqlite")) as raw:
        raw.execute(f"PRAGMA user_version = {version}")
    with pytest.raises(EvoError, match=f"has schema version {version}; this evo reads version"):
        Store.open(store.folder)


def test_reading_changes_nothing(quick_run):
    folder = quick_run(fitness=["params"]).run
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    store = Store.open(folder)
    assert list(store.evaluated())
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        store.add(CANDIDATES[0], EVALUATIONS[0])
    store.close()
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_a_summary_says_what_a_run_was_and_how_it_ended(finished_run):
    (line,) = summaries(finished_run.parent)
    assert (line.folder, line.status, line.space) == (finished_run, "done", "mse")
    assert (line.fitness, line.data, line.generations) == ("rdm,params", "digits", 2)
    kept = json.loads((finished_run / "result.json").read_text())
    assert line.evaluated == kept["evaluated"]
    assert line.best == kept["best"]["scores"]["rdm"]["value"]


def test_a_run_without_a_result_is_unfinished(store):
    store.add(CANDIDATES[0], EVALUATIONS[0])
    (line,) = summaries(store.folder.parent)
    assert (line.status, line.generations, line.best) == ("unfinished", 0, None)


def test_summaries_come_by_name_and_skip_other_folders(tmp_path):
    for name in ("b", "a"):
        Store.create(tmp_path / name, "", FACTS).close()
    (tmp_path / "notes").mkdir()
    assert [line.folder.name for line in summaries(tmp_path)] == ["a", "b"]
