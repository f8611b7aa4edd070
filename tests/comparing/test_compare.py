"""``evo compare``: from a question to a folder with the answer, also after a kill."""

from __future__ import annotations

import csv
import json
import math
import os
import shutil
import signal
import subprocess
import time
from contextlib import closing
from pathlib import Path

import pytest

import evo_core
from evo_core.api import job_of
from evo_core.genome import parse_genome
from evo_core.plan import make_plan
from evo_core.store import Store

QUESTION = ("--fitness", "rdm,nwot", "--against", "jaccard", "--seeds", "2", "--repeated", "5")
FILES = ["compare.csv", "compare.html", "compare.json", "figures", "networks.txt"]
PLUGIN = """
from pathlib import Path
from evo_core import FitnessFunction, hookimpl

def fails(view, options):
    raise ValueError("no")

@hookimpl
def evo_components():
    common = {"summary": "", "goal": "max", "needs": ("graph",)}
    yield FitnessFunction(name="never", score=lambda view, options: None, **common)
    yield FitnessFunction(name="fails", score=fails, **common)
"""


@pytest.fixture(scope="session")
def command(evo_binary, small_comparison):
    """Give a command line that compares in a process of its own."""
    return lambda folder: [evo_binary, "compare", *small_comparison, *QUESTION, "--out", folder]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory, command):
    """Compare in a process that nothing disturbs; give the folder and what was shown."""
    folder = tmp_path_factory.mktemp("whole") / "found"
    done = subprocess.run(command(folder), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder, done.stdout


@pytest.fixture(scope="module")
def whole(undisturbed):
    """Give the folder of the comparison that nothing disturbed."""
    return undisturbed[0]


def contents(folder):
    """Give what must be alike however a comparison came about: all but what it cost."""
    document = json.loads((folder / "compare.json").read_text())
    for score in document["scores"].values():
        del score["seconds"]
    with (folder / "compare.csv").open(newline="") as file:
        rows = [{**row, "seconds": None} for row in csv.DictReader(file)]
    document["facts"].pop("command")
    return document, rows


def evaluations(folder):
    with closing(Store.open(folder)) as store:
        return len(store.evaluated())


def test_the_folder_holds_the_report_and_the_runs(whole):
    assert set(FILES) < {path.name for path in whole.iterdir()}
    document, rows = contents(whole)
    networks = (whole / "networks.txt").read_text().split()
    assert len(set(networks)) == 12
    assert [one["network"] for one in document["measured"]] == networks
    assert list(document["scores"]) == ["rdm", "nwot", "params", "macs", "firing-rate", "k"]
    said = json.loads((whole / "compare.json").read_text())["facts"]["command"]
    assert said.startswith("evo compare --fitness rdm,nwot")
    assert "--seeds 2 --repeated 5" in said
    assert document["reference"]["name"] == "jaccard"
    assert [evaluations(whole / f"seed-{seed}") for seed in (0, 1)] == [12, 5]
    assert len(rows) == 17
    assert {row["seed"] for row in rows} == {"0", "1"}


def test_the_numbers_are_those_of_the_runs(whole):
    document, rows = contents(whole)
    with closing(Store.open(whole / "seed-1")) as store:
        for candidate, one in store.evaluated():
            measured = document["measured"][candidate.id]
            for name in ("rdm", "nwot", "params", "jaccard"):
                assert measured["scores"][name][1] == one.scores[name].value
                (row,) = [
                    row
                    for row in rows
                    if row["network"] == measured["network"] and row["seed"] == "1"
                ]
                assert float(row[name]) == one.scores[name].value
    assert document["measured"][11]["scores"]["rdm"][1] is None  # not among the repeated


def test_the_same_command_reads_what_is_there_also_where_it_was_moved(whole, compare, tmp_path):
    moved = tmp_path / "moved"
    shutil.copytree(whole, moved)
    before = {path: path.stat().st_mtime_ns for path in moved.glob("seed-*/run.sqlite")}
    again = compare(*QUESTION, "--out", moved)  # this process is not the one that wrote it
    assert again.code == 0, again.err
    assert contents(moved) == contents(whole)
    assert {path: path.stat().st_mtime_ns for path in moved.glob("seed-*/run.sqlite")} == before


@pytest.mark.slow
def test_a_comparison_that_was_killed_goes_on(whole, command, compare, tmp_path):
    folder = tmp_path / "found"
    begun = subprocess.Popen(
        command(folder),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    while not (folder / "seed-0" / "run.sqlite").is_file() or evaluations(folder / "seed-0") < 3:
        assert begun.poll() is None
        time.sleep(0.01)
    os.killpg(begun.pid, signal.SIGKILL)
    begun.wait()
    assert not (folder / "compare.json").exists()
    kept = evaluations(folder / "seed-0")
    assert kept >= 3
    with closing(Store.open(folder / "seed-0")) as store:
        seconds = [one.seconds for _, one in store.evaluated()]
    done = compare(*QUESTION, "--out", folder)
    assert done.code == 0, done.err
    assert contents(folder) == contents(whole)
    with closing(Store.open(folder / "seed-0")) as store:
        assert [one.seconds for _, one in store.evaluated()][:kept] == seconds


@pytest.mark.slow
def test_workers_change_nothing_but_the_time(whole, compare, tmp_path):
    folder = tmp_path / "found"
    done = compare(*QUESTION, "--executor", "loky", "--workers", "2", "--out", folder)
    assert done.code == 0, done.err
    assert contents(folder)[0]["measured"] == contents(whole)[0]["measured"]
    assert contents(folder)[0]["scores"] == contents(whole)[0]["scores"]


def test_its_table_is_a_reference_for_others(whole, compare, tmp_path):
    """What was expensive once need not be computed again to judge another score."""
    table = f"table:{whole / 'compare.csv'}:jaccard"
    ended = compare(
        "--fitness", "sahd", "--against", table, "--samples", "10", "--seeds", "1", "--out",
        tmp_path / "more", "--json",
    )  # fmt: skip
    assert ended.code == 0, ended.err
    known = {one["network"]: one for one in contents(whole)[0]["measured"]}
    measured = ended.json["measured"]
    assert len(measured) == 10
    for one in measured:
        values = [value for value in one["scores"]["jaccard"] if value is not None]
        given = known[one["network"]]["scores"]["jaccard"]
        assert values == [value for value in given if value is not None]
    assert ended.json["reference"]["reliability"]["networks"] > 0  # repeats of the table count


def test_repeats_in_a_table_are_no_seeds_and_percents_have_no_chance_level(
    whole, compare, tmp_path
):
    genomes = (whole / "networks.txt").read_text().split()
    rows = [f'"0{one}",{50 + 10 * (place < 3)}\n' for place, one in enumerate(genomes)]
    known = tmp_path / "known.csv"
    known.write_text("network,accuracy\n" + "".join(rows + rows))
    ended = compare(
        "--fitness", "nwot", "--against", f"table:{known}", "--samples", "10", "--seeds", "1",
        "--allow-partial", "--stratify", "none", "--out", tmp_path / "found", "--json",
    )  # fmt: skip
    assert ended.code == 0, ended.err
    assert (ended.json["seeds"], ended.json["reference"]["chance_level"]) == (1, None)
    words = ended.json["facts"]["command"].split()
    assert "--allow-partial" in words
    assert "True" not in words


def test_a_table_may_name_networks_by_their_hash(whole, compare, tmp_path):
    plan = make_plan(job_of({"mse": {"cells": 1, "channels": 4}}))
    genomes = map(parse_genome, (whole / "networks.txt").read_text().split())
    rows = [f"{plan.decode(one).hash},{place}" for place, one in enumerate(genomes)]
    path = tmp_path / "known.csv"
    path.write_text("architecture,place\n" + "\n".join(rows))
    ended = compare(
        "--fitness", "params", "--against", f"table:{path}", "--seeds", "1", "--out",
        tmp_path / "second", "--json",
    )  # fmt: skip
    assert [one["scores"]["place"] for one in ended.json["measured"]] == [
        [float(place)] for place in range(12)
    ]
    path.write_text("architecture,place\n" + "\n".join(rows[:9]))
    ended = compare("--fitness", "params", "--against", f"table:{path}", "--seeds", "1")
    assert ended.code == 2
    assert f"{path} has no place for 3 of the 12 networks" in ended.err


def test_scores_that_are_never_defined_are_counted(compare, tmp_path):
    plugin = tmp_path / "plugin.py"
    plugin.write_text(PLUGIN)
    question = (
        "--fitness", "never,fails,nwot", "--against", "jaccard", "--seeds", "1", "--plugin", plugin,
        "--out", tmp_path / "found", "--json",
    )  # fmt: skip
    for _ in range(2):  # such a run ends as failed, but what was asked for is there
        ended = compare(*question)
        assert ended.code == 0, ended.err
        for name in ("never", "fails"):
            score = ended.json["scores"][name]
            assert (score["n"], score["undefined"]) == (0, 12)
            assert score["raw"]["spearman"]["value"] is None
        assert ended.json["scores"]["nwot"]["n"] == 12


def test_combinations_stand_beside_their_parts(compare, tmp_path):
    ended = compare(
        "--fitness", "mean-rank[of=nwot+params],rdm", "--against", "jaccard", "--seeds", "2",
        "--out", tmp_path / "found", "--json",
    )  # fmt: skip
    scores = ended.json["scores"]
    assert {"mean-rank[of=nwot+params]", "nwot", "params", "rdm"} < set(scores)
    values = [one["scores"]["mean-rank[of=nwot+params]"] for one in ended.json["measured"]]
    assert all(0 < value <= 1 for row in values for value in row)


def test_what_is_shown_on_the_terminal(undisturbed):
    folder, shown = undisturbed
    lines = shown.splitlines()
    assert lines[0].split()[:3] == ["score", "Spearman", "tau-b"]
    assert {line.split()[0] for line in lines[1:7]} == {
        "rdm", "nwot", "params", "macs", "firing-rate", "k",
    }  # fmt: skip
    assert lines[-1] == f"report: {folder / 'compare.html'}"
    strongest = [abs(float(line.split()[1 + ("(baseline)" in line)])) for line in lines[1:7]]
    assert strongest == sorted(strongest, reverse=True)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--fitness", "rdmm"), "no fitness 'rdmm'; did you mean 'rdm'"),
        (("--against", "acuracy"), "no fitness 'acuracy'; did you mean 'accuracy'"),
        (("--samples", "9"), "--samples is 9; a comparison needs at least 10 networks"),
        (("--seeds", "0"), "--seeds is 0"),
        (("--repeated", "13"), "--repeated is 13; take 2 to 12"),
        (("--stratify", "kk"), "there is no 'kk'; did you mean 'k'"),
        (("--fitness", "rdm,rdm"), "the fitness rdm is named twice"),
        (("--fitness", "mean-rank[of=rdm]"), "does not name two scores"),
        (("--against", "mean-rank[of=rdm+nwot]"), "mean-rank combines the ranks of many"),
        (("--against", "table:missing.csv"), "the table missing.csv can not be read"),
        (("--space", "reference"), "gave 3 different networks"),
        (("a-run", "b-run"), "write: evo compare --runs a-run b-run"),
        (("--by", "rdm"), "--by goes with --runs"),
        (("--allow-plugins",), "--allow-plugins goes with --runs"),
        (("--against", "table:{known}:params"), "has the name of a score that is computed here"),
        (("--against", "table:{known}:k"), "has the name of a score that is computed here"),
        (("--runs", "a-run", "--samples", "20"), "leave out --samples"),
        (("--runs",), "name the searches to compare"),
        (("--set", "digits.validation=0.5"), "digits"),
    ],
)
def test_what_is_wrong_is_said_in_a_line_and_nothing_is_written(
    cli, in_empty_folder, tmp_path_factory, arguments, message
):
    known = tmp_path_factory.mktemp("table") / "known.csv"
    known.write_text("network,params,k\n")
    arguments = tuple(one.replace("{known}", str(known)) for one in arguments)
    small = () if "--runs" in arguments else ("--samples", "12", "--set", "mse.cells=1")
    ended = cli("compare", *small, *arguments)
    assert ended.code == 2
    assert message in ended.err
    assert len(ended.err.splitlines()) == 1
    assert list(Path().iterdir()) == []


def test_a_folder_of_another_question_is_left_alone(whole, compare):
    other = compare(*QUESTION, "--seed", "1", "--out", whole)
    assert "holds no comparison of these networks" in other.err
    other = compare("--fitness", "sahd", *QUESTION[2:], "--out", whole)
    assert "was run with other settings: fitness" in other.err


def test_a_run_of_other_networks_is_refused(whole, compare, tmp_path):
    rows = [
        f'"{one}",{place}\n'
        for place, one in enumerate((whole / "networks.txt").read_text().split())
    ]
    known = tmp_path / "known.csv"
    known.write_text("network,x\n" + "".join(rows))
    question = ("--fitness", "params", "--against", f"table:{known}:x", "--samples", "10")
    ended = compare(*question, "--seeds", "1", "--out", tmp_path / "found")
    assert ended.code == 0, ended.err
    networks = (tmp_path / "found" / "networks.txt").read_text().split()
    rest = [row for row in rows if row.split('"')[1] != networks[0]]
    known.write_text("network,x\n" + "".join(rest))
    compare(*question, "--seeds", "1", "--out", tmp_path / "other")
    shutil.rmtree(tmp_path / "other" / "seed-0")
    shutil.copytree(tmp_path / "found" / "seed-0", tmp_path / "other" / "seed-0")
    ended = compare(*question, "--seeds", "1", "--out", tmp_path / "other")
    assert ended.code == 2
    assert "seed-0 scored other networks; take it away" in ended.err


def test_every_row_of_the_table_has_its_numbers(whole):
    with (whole / "compare.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            assert all(math.isfinite(float(row[name])) for name in ("rdm", "nwot", "seconds"))


def test_from_python(whole, tmp_path):
    found = evo_core.compare(
        {
            "fitness": ["rdm", "nwot"], "mse": {"cells": 1, "channels": 4}, "executor": "serial",
            "scoring": {"batch": 8}, "observers": [],
        },
        against="jaccard", samples=12, seeds=2, repeated=5, out=tmp_path / "found",
    )  # fmt: skip
    assert found["scores"]["rdm"]["raw"] == contents(whole)[0]["scores"]["rdm"]["raw"]
    assert found == json.loads((tmp_path / "found" / "compare.json").read_text())
