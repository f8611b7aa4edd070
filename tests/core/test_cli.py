"""Every command: what it prints for people, and for programs with --json."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest

from evo_core.allowed import allowed
from evo_core.components import KINDS
from evo_core.config import RunConfig, from_layers, read_toml
from evo_core.registry import installed

ZEROS = "mse:" + ",".join(["0"] * 19)
TWO_CELLS = ("--set", "mse.cells=2", "--set", "scoring.batch=8")


def test_run_prints_one_json_document_and_everything_else_on_stderr(
    cli, small_flags, in_empty_folder
):
    run = cli(
        "run", *small_flags, "--set", 'observers=["progress"]', "--out", "run", "--json"
    )  # fmt: skip
    assert run.code == 0
    assert "generation 2/2" in run.err
    assert list(run.json) == [
        *("run", "status", "reason", "generations", "evaluated", "cached", "failed"),
        *("infeasible", "objectives", "best", "best_rescored", "front", "cache_hits", "seconds"),
    ]
    assert run.json["run"] == "run"
    score = run.json["best"]["scores"]["rdm"]
    assert list(score) == ["value", "status", "goal", "seconds", "forwards", "backwards"]
    kept = json.loads(Path("run/result.json").read_text())
    for solution in [run.json["best"], *run.json["front"]]:
        del solution["scores"]["rdm"]["seconds"]
    printed = {key: value for key, value in run.json.items() if key not in ("run", "seconds")}
    assert {key: kept[key] for key in ("status", "evaluated", "objectives")} == {
        key: printed[key] for key in ("status", "evaluated", "objectives")
    }
    assert kept["best"]["genome"] == printed["best"]["genome"]


def test_run_ends_with_the_best_network_and_where_to_find_everything(
    cli, small_flags, in_empty_folder
):
    run = cli("run", *small_flags, "--out", "run")
    assert run.code == 0
    for words in ("done (generations) after 2 generations", "best: candidate", "cell1", "conv"):
        assert words in run.out
    assert "run folder: run\n" in run.out
    assert cli("show", "run").code == 0


def test_flags_file_and_assignments_reach_the_configuration_of_the_run(cli, in_empty_folder):
    Path("my.toml").write_text(
        'executor = "serial"\npopulation = 9\nobservers = []\n[mse]\ncells = 2\nchannels = 4\n'
    )
    run = cli(
        "run", "my.toml", "--population", "4", "--generations", "1", "--seed", "3", "--workers",
        "1", "--strategy", "random", "--fitness", "params,macs", "--fitness", "rdm", "--space",
        "mse", "--data", "digits", "--device", "cpu", "--max-evaluations", "3", "--max-seconds",
        "60", "--target", "-1", "--set", "mse.channels=2", "--set", "scoring.batch=8", "--out", "r",
    )  # fmt: skip
    assert run.code == 0, run.err
    config = from_layers(read_toml(Path("r/config.toml")))
    assert (config.population, config.generations, config.seed, config.workers) == (4, 1, 3, 1)
    assert (config.strategy, config.fitness) == ("random", ("params", "macs", "rdm"))
    assert (config.max_evaluations, config.max_seconds, config.target) == (3, 60.0, -1.0)
    assert (config.options["mse"]["cells"], config.options["mse"]["channels"]) == (2, 2)


def test_a_dry_run_forecasts_and_writes_nothing(cli, small_flags, in_empty_folder):
    run = cli("run", *small_flags, "--dry-run", "--max-evaluations", "7", "--json")
    assert run.code == 0
    assert list(run.json) == [
        *("evaluations", "workers", "seconds_per_candidate", "seconds", "bytes_per_worker"),
        "bytes",
    ]
    assert (run.json["evaluations"], run.json["workers"]) == (7, 1)
    assert min(run.json.values()) > 0
    text = cli("run", *small_flags, "--dry-run").out
    assert re.search(r"at most 8 evaluations of .* s on 1 workers: about .* nothing was", text)
    assert list(in_empty_folder.iterdir()) == []


def test_a_dry_run_says_when_candidates_fail(cli, small_flags, plugin_file, in_empty_folder):
    path = plugin_file("""
        from evo_core import FitnessFunction, hookimpl

        def score(view, options):
            raise ValueError("no luck")

        @hookimpl
        def evo_components():
            yield FitnessFunction(name="f", summary="", goal="max", needs=("gram",), score=score)
        """)
    run = cli("run", *small_flags, "--dry-run", "--plugin", path, "--fitness", "f")
    assert (run.code, run.err) == (2, "error: a candidate fails: ValueError: no luck\n")


def test_score_gives_the_score_objects_of_the_target(cli, in_empty_folder):
    scored = cli("score", ZEROS, *TWO_CELLS, "--fitness", "rdm,params", "--seed", "3", "--json")
    assert scored.code == 0
    rdm, params = scored.json["scores"]["rdm"], scored.json["scores"]["params"]
    assert list(rdm) == ["value", "status", "goal", "seconds", "forwards", "backwards"]
    assert (rdm["status"], rdm["goal"], rdm["forwards"]) == ("ok", "max", 1)
    assert 0 < rdm["value"] < 1
    assert (params["goal"], params["forwards"]) == ("min", 0)
    shown = cli("show", ZEROS, *TWO_CELLS, "--json").json
    assert params["value"] == shown["params"]
    assert scored.json["architecture"] == shown["architecture"]
    text = cli("score", ZEROS, *TWO_CELLS, "--fitness", "params").out
    assert f"params               {shown['params']}" in text


def test_score_depends_on_the_seed_and_on_nothing_else(cli, in_empty_folder):
    def rdm(seed):
        return cli("score", ZEROS, *TWO_CELLS, "--seed", seed, "--json").json["scores"]["rdm"]

    assert rdm(1)["value"] == rdm(1)["value"] != rdm(2)["value"]


def test_show_describes_the_network_cell_by_cell(cli, in_empty_folder):
    shown = cli("show", ZEROS, *TWO_CELLS)
    assert shown.code == 0
    for words in ("input 1x8x8, 4 time steps, 10 classes", "parameters", "cell1  FE", "cell2  FE"):
        assert words in shown.out
    data = cli("show", ZEROS, *TWO_CELLS, "--json").json
    assert [cell["motif"] for cell in data["cells"]] == ["FE", "FE"]
    assert data["genome"] == [0] * 19
    assert data["target"] == ZEROS


def test_what_show_prints_as_graph_is_a_target(cli, in_empty_folder):
    data = cli("show", ZEROS, *TWO_CELLS, "--json").json
    Path("n.json").write_text(json.dumps(data["graph"]))
    again = cli("show", "n.json", "--json").json
    assert (again["graph"], again["architecture"]) == (data["graph"], data["architecture"])
    assert again["genome"] is None


@pytest.mark.parametrize("suffix", ["svg", "png"])
def test_show_draws_a_network(cli, in_empty_folder, suffix):
    shown = cli("show", ZEROS, *TWO_CELLS, "--out", f"n.{suffix}", "--json")
    assert shown.code == 0, shown.err
    assert shown.err == f"drawn in n.{suffix}\n"
    assert shown.json["genome"] == [0] * 19
    start = Path(f"n.{suffix}").read_bytes()[:200]
    assert b"<?xml" in start or start.startswith(b"\x89PNG")


def test_runs_lists_what_was_done(cli, finished_run):
    listed = cli("runs", finished_run.parent, "--json")
    (line,) = listed.json
    assert list(line) == [
        *("folder", "status", "started", "space", "fitness", "data", "generations", "evaluated"),
        "best",
    ]
    assert line["folder"] == str(finished_run)
    text = cli("runs", finished_run.parent).out
    assert re.search(r"finished +done .* mse +rdm,params +digits +2 +8 ", text)


def test_a_folder_without_runs_is_said_to_hold_none(cli, tmp_path):
    assert cli("runs", tmp_path).out == f"no runs in {tmp_path}\n"
    assert cli("runs", tmp_path, "--json").json == []


def test_list_shows_every_kind_with_provider_options_and_defaults(cli):
    listed = cli("list", "--json").json
    assert {entry["kind"] for entry in listed} == set(KINDS)
    assert all(entry["summary"] and entry["plugin"] for entry in listed)
    (mse,) = (entry for entry in listed if (entry["kind"], entry["name"]) == ("space", "mse"))
    assert mse["plugin"] == "evo_mse"
    assert mse["options"]["cells"] == {"default": 6, "help": "cells in the network"}
    text = cli("list").out
    assert all(entry["name"] in text and entry["summary"] in text for entry in listed)


def test_list_of_a_component_shows_what_its_options_mean_and_take(cli):
    lines = {line.split()[0]: line for line in cli("list", "development", "sdsnn").out.splitlines()
             if line}  # fmt: skip
    assert re.search(r"^mode +improved +improved, intended, released +improved; ", lines["mode"])
    assert re.search(r"^spine +none +whole number >= 1 and <= 250, or none +", lines["spine"])
    assert re.search(r"^contraction +0.75 +number > 0 and <= 1 +", lines["contraction"])
    assert "no options" in cli("list", "fitness", "params").out
    (one,) = cli("list", "neuron", "lif", "--json").json
    assert one["options"]["tau"]["default"] == 2.0


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_option_says_which_values_it_takes(kind):
    for record in installed(()).all(KINDS[kind]).values():
        values = allowed(record.options)
        assert values.keys() == {one.name for one in dataclasses.fields(record.options)}
        assert all(values.values())


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_list_of_a_kind_shows_that_kind_only(cli, kind):
    listed = cli("list", kind, "--json").json
    shown = {kind, "combiner"} if kind == "fitness" else {kind}  # what evo compare takes for one
    assert {entry["kind"] for entry in listed} == shown
    assert all(entry["name"] in cli("list", kind).out for entry in listed)


def test_list_and_plugin_list_show_a_plugin_file(cli, plugin_file):
    path = plugin_file("""
        from evo_core import FitnessFunction, hookimpl

        @hookimpl
        def evo_components():
            yield FitnessFunction(name="mine", summary="s", goal="max", needs=(), score="a:b")
        """)
    names = [entry["name"] for entry in cli("list", "fitness", "--plugin", path, "--json").json]
    assert "mine" in names
    assert re.search(r"my_plugin.py +\S+my_plugin.py +fitness:mine", cli(
        "plugin", "list", "--plugin", path).out)  # fmt: skip


def test_init_writes_a_file_that_means_the_defaults(cli, in_empty_folder):
    assert cli("init").code == 0
    given = from_layers(read_toml(Path("evo.toml")))
    assert (given.population, given.fitness) == (RunConfig().population, RunConfig().fitness)
    assert cli("init", "other.toml", "--json").json == {"file": "other.toml"}
    assert Path("other.toml").read_text() == Path("evo.toml").read_text()


def test_init_writes_valid_toml_also_when_a_plugin_uses_a_name_in_two_kinds(
    cli, plugin_file, in_empty_folder
):
    path = plugin_file("""
        from dataclasses import dataclass
        from evo_core import FitnessFunction, Strategy, hookimpl, option

        @dataclass(frozen=True)
        class Options:
            x: int = option(1, "a number")

        @hookimpl
        def evo_components():
            yield FitnessFunction(
                name="same", summary="", goal="max", needs=(), score="a:b", options=Options
            )
            yield Strategy(name="same", summary="", build="a:b", options=Options)
        """)
    assert cli("init", "--plugin", path).code == 0
    assert read_toml(Path("evo.toml"))["same"] == {"x": 1}


def test_init_overwrites_only_when_forced(cli, in_empty_folder):
    Path("evo.toml").write_text("precious")
    refused = cli("init")
    assert (refused.code, Path("evo.toml").read_text()) == (2, "precious")
    assert refused.err == "error: evo.toml exists; take another name, or --force to overwrite it\n"
    assert cli("init", "--force").code == 0
    assert "[mse]" in Path("evo.toml").read_text()


@pytest.mark.parametrize("name", ["run", "score", "show", "runs", "list", "init", "plugin"])
def test_every_command_explains_itself(cli, name):
    explained = cli(name, "--help")
    assert (explained.code, explained.err) == (0, "")
    assert f"Usage: evo {name}" in explained.out
    assert name in cli("--help").out


def test_every_setting_of_a_run_that_has_a_flag_is_explained(cli):
    text = cli("run", "--help").out
    for flag in (
        *("--space", "--fitness", "--data", "--data-root", "--strategy", "--population"),
        *("--generations", "--seed", "--workers", "--executor", "--device", "--out", "--plugin"),
        *("--preset", "--set", "--max-evaluations", "--max-seconds", "--target", "--dry-run"),
        *("--quiet", "--json"),
    ):
        assert f"{flag} " in text


@pytest.mark.slow
@pytest.mark.parametrize("executor", ["serial", "loky"])
def test_an_interrupt_from_the_keyboard_keeps_what_was_found(evo_binary, evo, tmp_path, executor):
    process = subprocess.Popen(
        [
            *(evo_binary, "run", "--executor", executor, "--workers", "2", "--population", "4"),
            *("--generations", "100000", "--set", 'observers=["progress"]', "--out", "runs/one"),
            *("--json", *TWO_CELLS),
        ],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path,
        start_new_session=True,
    )  # fmt: skip
    try:
        for line in process.stderr:
            if line.startswith("generation 2/"):
                break
        time.sleep(0.3)
        os.killpg(process.pid, signal.SIGINT)  # a terminal sends it to the workers as well
        out, err = process.communicate(timeout=60)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
    assert process.returncode == 130, err
    assert "Traceback" not in err
    assert json.loads(out)["status"] == "interrupted"
    assert json.loads(out)["best"]["scores"]["rdm"]["value"] > 0
    (line,) = evo("runs", "--json").json
    assert (line["status"], line["folder"]) == ("interrupted", "runs/one")
    assert line["generations"] >= 2
    assert evo("show", "runs/one").code == 0
