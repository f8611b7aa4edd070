"""The command line tells what a candidate inherited, and what its training cost."""

from __future__ import annotations

import csv
import json

import pytest

import evo_core

SETTINGS = {
    "executor": "serial",
    "population": 4,
    "generations": 2,
    "observers": [],
    "rescore": 0,
    "develop": "set[density=0.5]",
    "fitness": ["accuracy[epochs=1,samples=20]"],
    "mse": {"cells": 1, "channels": 4},
    "scoring": {"batch": 8},
    "operators": {"rewire": 1.0},
}


@pytest.fixture(scope="module", params=["lamarck", "baldwin", "none"])
def folder(request, tmp_path_factory):
    out = tmp_path_factory.mktemp("developed") / request.param
    return evo_core.run(SETTINGS | {"inherit": request.param, "out": str(out)}).run


def test_show_tells_the_lineage_of_a_candidate(cli, folder):
    found = cli("show", f"{folder}:7", "--json").json["lineage"]
    assert found["inherit"] == folder.name
    assert found["epochs"] == 1
    assert set(found["choices"]) == (set() if folder.name == "none" else {"set.replaced"})
    text = cli("show", f"{folder}:7").out
    assert "  develops by set[density=0.5]" in text
    assert f"  trained 1 epochs, {found['inherited_epochs']} before that\n" in text
    if folder.name == "lamarck":
        assert found["inherited_epochs"] >= 1
        assert any(one.startswith("rewire:") for one in found["mutations"])
        assert f"  began with body {found['inherits'][0][:12]}" in text
        assert f"  left body {found['body'][:12]}\n" in text
    else:
        assert (found["inherits"], found["body"], found["inherited_epochs"]) == ([], None, 0)
        assert "body" not in text


def test_export_has_columns_of_what_was_inherited(cli, folder):
    rows = list(csv.DictReader(cli("export", folder).out.splitlines()))
    assert [row["epochs"] for row in rows] == ["1"] * 8
    heirs = [row for row in rows if row["inherits"]]
    assert bool(heirs) == (folder.name == "lamarck")
    bodies = {row["body"] for row in rows}
    assert all(set(row["inherits"].split()) <= bodies for row in heirs)
    assert all("rewire:" in row["mutations"] for row in heirs)


def test_a_run_without_development_tells_of_none(cli, finished_run):
    assert "lineage" not in cli("show", finished_run, "--json").json
    columns = cli("export", finished_run).out.splitlines()[0].split(",")
    assert not {"inherits", "body", "epochs"} & set(columns)


def test_a_network_that_developed_can_be_scored_without_training(cli, folder):
    scored = cli("score", f"{folder}:0", "--fitness", "params", "--json")
    assert scored.code == 0
    assert scored.json["scores"]["params"]["status"] == "ok"


def test_the_configuration_of_a_run_runs_again_under_another_inheritance(cli, folder, tmp_path):
    done = cli("run", folder / "config.toml", "--inherit", "none", "--out", tmp_path / "again",
               "--generations", "1", "--json")  # fmt: skip
    assert done.code == 0, done.err
    rows = list(csv.DictReader(cli("export", tmp_path / "again").out.splitlines()))
    assert {row["inherits"] for row in rows} == {""}
    assert json.loads((tmp_path / "again" / "result.json").read_text())["status"] == "done"
