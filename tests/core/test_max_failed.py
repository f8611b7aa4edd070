"""A run stops when too much of it fails, tells why, and goes on where more is allowed."""

from __future__ import annotations

import csv
import json

import pytest

import evo_core
from evo_core import EvoError, FitnessFunction, RunFailedError
from evo_core.export import failures


def on_motif(motif, bad, good=1.0):
    """Fail in the networks whose first cell has a motif."""

    def score(view, options):
        return bad() if view.architecture.cells[0].motif == motif else good

    return FitnessFunction(name="f", summary="", goal="max", needs=("graph",), score=score)


def divide():
    return 1 / 0


PICKY = on_motif("MI", divide)
STOPS = {"fitness": ["f"], "population": 40, "generations": 5, "max_failed": 0.1}


def test_a_run_stops_at_the_end_of_the_generation_with_what_fails(quick_run, tmp_path):
    with pytest.raises(RunFailedError) as stopped:
        quick_run([PICKY], **STOPS)
    line = str(stopped.value)
    kept = json.loads((tmp_path / "run" / "result.json").read_text())
    failed = kept["failed"]
    assert line.startswith(f"stopped by max_failed = 0.1: {failed} of 40 candidates failed (error")
    assert f"more often than by chance: cell1.motif=MI {failed} of {failed}" in line
    assert line.endswith("first error: ZeroDivisionError: division by zero")
    assert (kept["status"], kept["reason"], kept["generations"]) == ("failed", line, 1)
    log = (tmp_path / "run" / "log.txt").read_text()
    assert f"cell1.motif=MI {failed} of {failed} (error {failed})" in log
    assert "cell1.motif=FE 0 of" in log


def test_a_run_in_which_as_many_fail_as_allowed_goes_on(quick_run, tmp_path):
    result = quick_run([PICKY], **STOPS | {"max_failed": 0.9, "generations": 1})
    share = result.counts.failed_share
    again = STOPS | {"max_failed": share, "generations": 1, "out": str(tmp_path / "again")}
    assert quick_run([PICKY], **again).status == "done"


def test_repeats_and_infeasible_ones_do_not_count(quick_run, tmp_path):
    tiny = {"cells": 1, "motifs": ["FE", "MI"], "inputs": [2], "operations": ["conv3", "conv5"]}
    half = FitnessFunction(
        name="half", summary="", goal="max", needs=("graph",),
        score=lambda view, options: view.architecture.hash[0] < "8",
    )  # fmt: skip
    settings = {"mse": tiny, "strategy": "random", "population": 50, "generations": 2}
    settings |= {"fitness": ["f"], "constraints": ["half"]}
    counts = quick_run([PICKY, half], **settings).counts
    assert min(counts.cached, counts.infeasible, counts.failed) > 0
    rows = [row for row in failures(tmp_path / "run").rows if row[0] == "cell1.motif"]
    assert sum(row[2] for row in rows) == counts.evaluated
    assert sum(row[3] for row in rows) == counts.failed
    with pytest.raises(RunFailedError) as stopped:
        quick_run([PICKY, half], **settings, max_failed=0.01, out=str(tmp_path / "b"))
    kept = json.loads((tmp_path / "b" / "result.json").read_text())
    assert f"{kept['failed']} of {kept['evaluated']} candidates failed" in str(stopped.value)


def test_a_stopped_run_goes_on_where_more_is_allowed_and_is_then_the_long_run(quick_run, tmp_path):
    long = quick_run([PICKY], **STOPS | {"max_failed": 0.9, "out": str(tmp_path / "long")})
    with pytest.raises(RunFailedError) as stopped:
        quick_run([PICKY], **STOPS)
    run = tmp_path / "run"
    with pytest.raises(RunFailedError) as again:
        evo_core.resume(run, components=[PICKY])
    assert str(again.value) == str(stopped.value)
    result = evo_core.resume(run, max_failed=0.9, components=[PICKY])
    assert (result.status, result.generations) == ("done", 5)
    assert (run / "result.json").read_bytes() == (long.run / "result.json").read_bytes()
    assert (run / "config.toml").read_text() == (long.run / "config.toml").read_text()


def test_a_run_stopped_after_its_last_generation_ends_when_resumed(quick_run, tmp_path):
    with pytest.raises(RunFailedError):
        quick_run([PICKY], **STOPS | {"generations": 1})
    result = evo_core.resume(tmp_path / "run", max_failed=0.9, components=[PICKY])
    assert (result.status, result.reason, result.generations) == ("done", "generations", 1)


def test_where_nothing_could_be_scored_the_limit_says_so_first(quick_run):
    with pytest.raises(RunFailedError, match=r"stopped by max_failed = 0.5: 4 of 4 candidates"):
        quick_run([on_motif("none", divide, None)], fitness=["f"], max_failed=0.5)


@pytest.mark.parametrize("share", [0, 1, 1.5, -0.1])
def test_a_share_that_can_not_be_exceeded_or_is_none_is_refused(quick_run, share):
    with pytest.raises(EvoError, match="max_failed is"):
        quick_run(max_failed=share)


PLUGIN = """
    from evo_core import FitnessFunction, hookimpl

    def score(view, options):
        return None if view.architecture.cells[0].motif == "FE" else 1.0

    @hookimpl
    def evo_components():
        yield FitnessFunction(name="f", summary="", goal="max", needs=("graph",), score=score)
"""
FAILURES = ("--table", "failures", "--allow-plugins")


def test_the_command_line_stops_exports_the_table_and_goes_on(
    cli, plugin_file, small_flags, in_empty_folder
):
    flags = (*small_flags, "--plugin", plugin_file(PLUGIN), "--fitness", "f", "--out", "run")
    stopped = cli("run", *flags, "--population", "20", "--max-failed", "0.05")
    assert stopped.code == 1
    assert stopped.err.startswith("error: stopped by max_failed = 0.05: ")
    assert stopped.err.count("\n") == 1
    assert "(undefined f " in stopped.err

    rows = cli("export", "run", *FAILURES, "--json").json
    assert list(rows[0]) == ["gene", "choice", "candidates", "failed", "rate", "statuses"]
    first = next(row for row in rows if (row["gene"], row["choice"]) == ("cell1.motif", "FE"))
    assert (first["failed"], first["rate"]) == (first["candidates"], 1.0)
    assert first["statuses"] == {"undefined f": first["failed"]}
    table = list(csv.DictReader(cli("export", "run", *FAILURES).out.splitlines()))
    assert len(table) == len(rows)
    assert table[rows.index(first)]["statuses"] == f"undefined f {first['failed']}"

    written = cli("export", "run", *FAILURES, "--out", "f.csv")
    assert f"written: f.csv, {len(rows)} choices" in written.err
    assert cli("export", "run", *FAILURES, "--out", "g.csv", "--json").json == {
        "file": "g.csv", "format": "csv", "choices": len(rows)
    }  # fmt: skip
    wrong = cli("export", "run", "--table", "failure")
    assert (wrong.code, wrong.err) == (2, "error: no table 'failure'; did you mean 'failures'?\n")
    assert cli("resume", "run", "--allow-plugins").code == 1
    assert cli("resume", "run", "--allow-plugins", "--max-failed", "0.9").code == 0
    assert "max_failed = 0.9" in (in_empty_folder / "run" / "config.toml").read_text()


def test_a_sweep_goes_on_where_more_is_allowed(cli, plugin_file, small_flags, in_empty_folder):
    flags = (*small_flags, "--plugin", plugin_file(PLUGIN), "--fitness", "f", "--out", "sweep",
             "--population", "20", "--seeds", "0-1")  # fmt: skip
    assert cli("run", *flags, "--max-failed", "0.01").code == 1
    assert cli("run", *flags, "--max-failed", "0.9").code == 0


@pytest.mark.slow
def test_a_run_stops_with_the_same_line_whatever_the_number_of_workers(
    cli, plugin_file, small_flags, in_empty_folder
):
    flags = (*small_flags, "--plugin", plugin_file(PLUGIN), "--fitness", "f", "--population", "20",
             "--max-failed", "0.05")  # fmt: skip
    one = cli("run", *flags, "--out", "one")
    two = cli("run", *flags, "--out", "two", "--executor", "loky", "--workers", "2")
    assert one.code == two.code == 1
    assert one.err == two.err
    results = [(in_empty_folder / name / "result.json").read_bytes() for name in ("one", "two")]
    assert results[0] == results[1]
