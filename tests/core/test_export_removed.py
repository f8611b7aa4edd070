"""``evo export --remove-dead``: a smaller network, said on one line, or nothing at all."""

from __future__ import annotations

import json

import pytest

from evo_core import architecture_json, train
from evo_core.recipe import read_recipe


@pytest.fixture(scope="module")
def developed(tmp_path_factory):
    """Give the folder of a training after which some neurons are silent."""
    hard = "sdsnn[spine=1,neurons=0.6,synapses=0.8,fc_rate=20.0]"
    recipe = read_recipe("quick", {"epochs": 6, "samples": 40, "batch": 20})
    folder = tmp_path_factory.mktemp("removed") / "training"
    return train("reference:2fc[hidden=20]", recipe=recipe, develop=hard, out=folder).folder


def test_what_is_exported_is_smaller_and_says_so(cli, developed, tmp_path):
    flags = ("--format", "json", "--remove-dead", "--out", tmp_path / "small.json")
    done = cli("export", developed, *flags)
    assert done.code == 0
    lines = [line for line in done.err.splitlines() if line.startswith("without what is dead: ")]
    graph = json.loads((tmp_path / "small.json").read_text())["graph"]
    network = architecture_json.from_json(graph)
    assert network.parameters < 64 * 20 + 20 + 210
    assert lines == [
        f"without what is dead: 1,510 -> {network.parameters:,} parameters, "
        f"1,480 -> {network.macs:,} MACs"
    ]
    shown = cli("show", tmp_path / "small.json", "--json")
    assert shown.json["params"] == network.parameters


def test_as_json_it_tells_both_sizes(cli, developed, tmp_path):
    flags = ("--format", "torch", "--remove-dead", "--out", tmp_path / "small", "--json")
    told = cli("export", developed, *flags).json
    assert told["removed"]["params"] == {"before": 1510, "after": told["params"]}
    assert told["removed"]["macs"]["after"] < told["removed"]["macs"]["before"]
    flags = ("--format", "torch", "--out", tmp_path / "whole", "--json")
    assert "removed" not in cli("export", developed, *flags).json


def test_if_the_outputs_differ_nothing_is_written(cli, developed, tmp_path, monkeypatch):
    monkeypatch.setattr("evo_core.snn.removal.difference", lambda *networks: 0.5)
    flags = ("--format", "torch", "--remove-dead", "--out", tmp_path / "small")
    done = cli("export", developed, *flags)
    assert done.code == 2
    assert done.err.startswith(f"error: {developed} does not compute the same without what is dead")
    assert done.err.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_tables_have_nothing_to_remove(cli, finished_run):
    done = cli("export", finished_run, "--remove-dead")
    assert done.err == "error: a table holds what the run found; leave out --remove-dead\n"
