"""Runs and candidates as tables."""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from evo_core import EvoError, FitnessFunction, RunFailedError
from evo_core.export import Table
from evo_core.folder import write_out
from evo_core.store import Store

COLUMNS = [
    *("candidate", "generation", "status", "parents", "operators", "genome", "architecture"),
    *("copied_from", "seconds"),
]


def read_csv(text):
    return list(csv.DictReader(text.splitlines()))


def test_every_candidate_is_a_row_with_a_column_per_fitness(cli, finished_run):
    done = cli("export", finished_run, "--format", "csv")
    assert done.code == 0
    rows = read_csv(done.out)
    assert list(rows[0]) == [*COLUMNS, "rdm", "params"]
    store = Store.open(finished_run)
    pairs = list(store.evaluated())
    store.close()
    assert len(rows) == len(pairs) == 8
    for row, (candidate, evaluation) in zip(rows, pairs, strict=True):
        assert int(row["candidate"]) == candidate.id
        assert tuple(map(int, row["genome"].split(","))) == candidate.genome
        assert tuple(map(int, row["parents"].split())) == candidate.parents
        assert tuple(row["operators"].split()) == candidate.operators
        assert float(row["rdm"]) == evaluation.scores["rdm"].value
        assert (row["status"], row["generation"]) == (evaluation.status, str(candidate.generation))


def test_a_genome_of_the_table_can_be_shown(cli, finished_run, small_flags):
    row = read_csv(cli("export", finished_run).out)[0]
    shown = cli("show", f"mse:{row['genome']}", "--set", "mse.cells=2", "--json")
    assert shown.json["architecture"] == row["architecture"]


def test_the_table_goes_to_a_file_whole_or_not_at_all(cli, finished_run, tmp_path):
    plain = cli("export", finished_run)
    done = cli("export", finished_run, "--out", tmp_path / "t.csv")
    assert (done.code, done.out) == (0, "")
    assert "8 candidates" in done.err
    assert (tmp_path / "t.csv").read_text() == plain.out
    again = cli("export", finished_run, "--table", "failures", "--out", tmp_path / "t.csv")
    said = f"error: {tmp_path / 't.csv'} is there already; choose another --out\n"
    assert (again.code, again.err) == (2, said)
    assert (tmp_path / "t.csv").read_text() == plain.out
    told = cli("export", finished_run, "--out", tmp_path / "u.csv", "--json").json
    assert told == {"file": str(tmp_path / "u.csv"), "format": "csv", "candidates": 8}
    assert cli("export", finished_run, "--out", tmp_path / "new" / "t.csv").code == 0
    wrong = cli("export", finished_run, "--out", tmp_path / "t.csv" / "v.csv")
    assert wrong.code == 2
    assert "v.csv can not be written: " in wrong.err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["new", "t.csv", "u.csv"]
    assert cli("export", finished_run, "--out", tmp_path).code == 2


def test_an_interrupt_leaves_no_part_of_a_file(tmp_path, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_out(tmp_path / "t.csv", "a,b")
    assert not list(tmp_path.iterdir())


def test_as_json_the_rows_are_one_document(cli, finished_run):
    rows = cli("export", finished_run, "--json").json
    assert list(rows[0]) == [*COLUMNS, "rdm", "params"]
    assert len(rows[0]["genome"]) == 19


def test_what_can_not_be_exported_gets_one_line(cli, finished_run, tmp_path):
    wrong = cli("export", finished_run, "--format", "cvs")
    assert (wrong.code, wrong.err) == (2, "error: no format 'cvs'; did you mean 'csv'?\n")
    assert "is no run folder" in cli("export", tmp_path).err


def test_a_failed_candidate_has_empty_scores(quick_run, cli, tmp_path):
    def score(view, options):
        return None

    mine = FitnessFunction(name="none", summary="", goal="max", needs=("graph",), score=score)
    with pytest.raises(RunFailedError):
        quick_run([mine], fitness=["none"])
    assert {row["none"] for row in read_csv(cli("export", tmp_path / "run").out)} == {""}


def test_cells_are_quoted_by_the_csv_module():
    table = Table(("a", "b,c"), [('x"y', ("p[a=1,b=2]", "q")), (None, 1.5)])
    assert list(csv.reader(table.to_csv().splitlines())) == [
        ["a", "b,c"],
        ['x"y', "p[a=1,b=2] q"],
        ["", "1.5"],
    ]


def test_the_runs_of_a_folder_as_csv(cli, finished_run):
    done = cli("runs", finished_run.parent, "--csv")
    (row,) = read_csv(done.out)
    listed = cli("runs", finished_run.parent, "--json").json[0]
    assert row == {key: str(value) for key, value in listed.items()}
    assert row["fitness"] == "rdm,params"


def test_an_empty_folder_as_csv_is_a_head_line(cli, tmp_path):
    done = cli("runs", tmp_path, "--csv")
    assert done.out.startswith("folder,status,")
    assert done.out.count("\n") == 1


def test_csv_and_json_do_not_go_together(cli, finished_run):
    assert cli("runs", finished_run.parent, "--csv", "--json").code == 2


@pytest.fixture
def result(finished_run):
    store = Store.open(finished_run)
    try:
        return store.result()
    finally:
        store.close()


def test_a_dataframe_needs_pandas_and_says_so(result, monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(EvoError, match="to_dataframe needs pandas, which is not installed"):
        result.to_dataframe()


def test_a_dataframe_holds_the_table(result, monkeypatch, finished_run, cli):
    def frame(rows, columns):
        return [dict(zip(columns, row, strict=True)) for row in rows]

    monkeypatch.setitem(sys.modules, "pandas", SimpleNamespace(DataFrame=frame))
    rows = json.loads(json.dumps(result.to_dataframe()))
    assert rows == cli("export", finished_run, "--json").json
