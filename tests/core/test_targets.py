"""Targets: RUN, RUN:ID, SPACE:genome and FILE.json name a network in every command."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evo_core import Dataset, EvoError, architecture_json, array_dataset
from evo_core.store import Store
from evo_core.targets import front_of, resolve

TWO_CELLS = [{"mse": {"cells": 2}}]
ZEROS = "mse:" + ",".join(["0"] * 19)


def best(folder):
    return json.loads((folder / "result.json").read_text())["best"]


def graph_of(folder):
    return architecture_json.to_json(resolve(str(folder)).architecture)


@pytest.fixture
def graph_file(finished_run, tmp_path):
    path = tmp_path / "network.json"
    path.write_text(json.dumps({"graph": graph_of(finished_run)}))
    return path


def test_a_run_stands_for_its_best(finished_run):
    found = resolve(str(finished_run))
    assert found.candidate == best(finished_run)["candidate"]
    assert list(found.genome) == best(finished_run)["genome"]
    assert found.architecture.hash == best(finished_run)["architecture"]
    assert found.plan.config.options["mse"]["cells"] == 2


def test_a_run_with_an_id_stands_for_that_candidate(finished_run):
    store = Store.open(finished_run)
    kept = {candidate.id: candidate for candidate, _ in store.evaluated()}
    store.close()
    for number in (0, max(kept)):
        found = resolve(f"{finished_run}:{number}")
        assert (found.candidate, found.genome) == (number, kept[number].genome)
        assert found.architecture.hash == kept[number].architecture


def test_a_space_with_a_genome_stands_for_what_it_decodes_to(finished_run):
    genome = best(finished_run)["genome"]
    found = resolve("mse:" + ",".join(map(str, genome)), TWO_CELLS)
    assert (found.genome, found.candidate) == (tuple(genome), None)
    assert found.architecture.hash == best(finished_run)["architecture"]


def test_a_file_stands_for_the_network_in_it(finished_run, graph_file):
    found = resolve(str(graph_file))
    assert (found.genome, found.candidate) == (None, None)
    assert found.architecture.hash == best(finished_run)["architecture"]


def test_a_file_may_hold_the_bare_graph(finished_run, tmp_path):
    path = tmp_path / "bare.json"
    path.write_text(json.dumps(graph_of(finished_run)))
    assert resolve(str(path)).architecture.hash == best(finished_run)["architecture"]


def test_settings_given_with_a_target_win_over_those_of_the_run(finished_run):
    found = resolve(str(finished_run), [{"seed": 7, "fitness": ["params"]}])
    assert (found.plan.config.seed, found.plan.config.fitness) == (7, ("params",))
    assert found.plan.config.scoring.batch == 8


def test_all_four_forms_give_the_same_score(finished_run, graph_file, cli):
    genome = ",".join(map(str, best(finished_run)["genome"]))
    number = best(finished_run)["candidate"]
    flags = ("--set", "mse.cells=2", "--set", "scoring.batch=8", "--fitness", "rdm", "--json")
    values = {
        target: cli("score", target, *flags).json["scores"]["rdm"]["value"]
        for target in (finished_run, f"{finished_run}:{number}", f"mse:{genome}", graph_file)
    }
    assert set(values.values()) == {best(finished_run)["scores"]["rdm"]["value"]}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("nowhere", "no target 'nowhere': there is no such run folder; write RUN, RUN:ID"),
        ("nowhere:3", "'nowhere' is neither a run folder nor a space; known: mse"),
        ("mes:1,2", "'mes' is neither a run folder nor a space; did you mean 'mse'"),
        ("mse:", "a genome is whole numbers with commas between, not ''"),
        ("mse:1,x", "a genome is whole numbers with commas between, not '1,x'"),
        ("mse:1.5", "a genome is whole numbers"),
        ("mse:1,0", "a genome of mse has 19 genes, but 2 were given"),
        (ZEROS + ",0", "a genome of mse has 19 genes, but 20 were given"),
        (ZEROS.replace(":0", ":9"), r"gene 0 \(cell1.motif\) is 9; it can be 0 = FE, 1 = FI"),
        (ZEROS.replace(":0", ":-1"), r"gene 0 \(cell1.motif\) is -1; it can be"),
        ("gone.json", "gone.json can not be read: No such file"),
    ],
)
def test_a_target_that_does_not_exist_is_refused_with_the_reason(in_empty_folder, text, reason):
    with pytest.raises(EvoError, match=reason):
        resolve(text, TWO_CELLS)


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        ("999", "has no candidate 999"),
        ("99999999999999999999999", "has no candidate"),
        ("x", "'x' is no candidate of .*; ids are whole numbers"),
        ("-1", "ids are whole numbers"),
        ("\N{SUPERSCRIPT TWO}", "ids are whole numbers"),
        ("", "ids are whole numbers"),
    ],
)
def test_an_id_that_does_not_exist_is_refused_with_the_reason(finished_run, number, reason):
    with pytest.raises(EvoError, match=reason):
        resolve(f"{finished_run}:{number}")


def test_a_run_without_a_best_asks_for_an_id(quick_run, tmp_path):
    from evo_core import FitnessFunction, RunFailedError

    none = FitnessFunction(
        name="none", summary="", goal="max", needs=("graph",), score=lambda view, options: None
    )
    with pytest.raises(RunFailedError):
        quick_run([none], fitness=["none"])
    with pytest.raises(EvoError, match=r"has no best candidate yet; name one as .*run:ID"):
        resolve(str(tmp_path / "run"))


def test_a_run_that_goes_on_stands_for_the_best_of_its_complete_generations(finished_run, tmp_path):
    folder = tmp_path / "killed"
    shutil.copytree(finished_run, folder)
    with closing(sqlite3.connect(folder / "run.sqlite")) as database:
        database.execute("DELETE FROM run WHERE key = 'result'")
        database.execute("DELETE FROM generations WHERE number = 1")
        database.commit()
        pairs = database.execute(
            "SELECT id, scores FROM candidates JOIN evaluations ON candidate = id "
            "WHERE generation = 0 AND status = 'ok' AND copied_from IS NULL"
        ).fetchall()
        scores = {number: json.loads(text)["rdm"]["value"] for number, text in pairs}
        assert resolve(str(folder)).candidate == max(scores, key=scores.__getitem__)
        database.execute("DELETE FROM generations")
        database.commit()
        with pytest.raises(EvoError, match="has no best candidate yet"):
            resolve(str(folder))


def test_a_folder_that_is_no_run_is_named(tmp_path):
    with pytest.raises(EvoError, match="is no run folder"):
        resolve(str(tmp_path))


@pytest.mark.parametrize("text", ["", "[]", "3", "null", "{", '{"graph": 3}', '{"task": {}}', "\0"])
def test_a_file_that_holds_no_network_is_refused(tmp_path, text):
    path = tmp_path / "other.json"
    path.write_text(text)
    with pytest.raises(EvoError, match=r"other.json is not an architecture: ."):
        resolve(str(path))


def places(data, at=()):
    """Give the address of every value within nested JSON data."""
    inner = data.items() if isinstance(data, dict) else enumerate(data)
    for key, value in inner:
        yield (*at, key)
        if isinstance(value, dict | list):
            yield from places(value, (*at, key))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
@given(data=st.data())
def test_a_graph_with_any_one_value_changed_is_read_or_refused_in_one_line(
    finished_run, tmp_path, data
):
    graph = graph_of_once(finished_run)
    *way, last = data.draw(st.sampled_from(sorted(places(graph), key=repr)))
    owner = graph
    for key in way:
        owner = owner[key]
    owner[last] = data.draw(
        st.sampled_from([None, True, -1, 0, 10**6, 1.5, "", "no such name", [], {}, [[]], [1, 1]])
    )
    path = tmp_path / "changed.json"
    path.write_text(json.dumps(graph))
    read, reason = None, "is not an architecture"
    try:
        read = architecture_json.read(path)
    except EvoError as error:
        reason = str(error)
    assert "is not an architecture" in reason
    assert "\n" not in reason
    if read is not None:
        assert architecture_json.from_json(architecture_json.to_json(read)) == read


_graphs = {}


def graph_of_once(folder):
    """Decode once; give a fresh copy each time."""
    if folder not in _graphs:
        _graphs[folder] = json.dumps(graph_of(folder))
    return json.loads(_graphs[folder])


def test_other_data_leave_the_data_root_of_the_run_behind(quick_run, tmp_path):
    images, labels = np.random.default_rng(0).random((60, 2, 8, 8)), np.arange(60) % 3
    mine = array_dataset("mine", images, labels)
    needs_root = Dataset(
        name="rooted", summary="", load=lambda options, root: mine.load(options, None)
    )
    folder = quick_run([needs_root], data="rooted", data_root=str(tmp_path)).run
    found = resolve(str(folder), [{"data": "digits"}])
    assert found.plan.config.data_root is None
    assert found.architecture.task.shape == (1, 8, 8)


def test_the_best_of_a_run_are_its_front_and_then_others(finished_run):
    result = json.loads((finished_run / "result.json").read_text())
    front = {one["candidate"] for one in result["front"]}
    targets = front_of(finished_run, 100)
    assert {one.candidate for one in targets[: len(front)]} == front
    assert targets[0].candidate == result["best"]["candidate"]
    assert len({one.candidate for one in targets}) == len(targets)
    assert [one.candidate for one in front_of(finished_run, 2)] == [
        one.candidate for one in targets[:2]
    ]
