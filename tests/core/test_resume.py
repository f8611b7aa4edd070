"""Going on with a run gives what one long run gives, byte for byte."""

from __future__ import annotations

import json
import signal
import sqlite3
import tomllib
from contextlib import closing

import pytest

import evo_core
from evo_core import EvoError, FitnessFunction, Observer, hookimpl
from evo_core.interrupts import NOTED
from evo_core.store import Store

ROWS = (
    "SELECT id, generation, genome, architecture, parents, operators FROM candidates",
    "SELECT candidate, status, details, error, copied_from FROM evaluations ORDER BY candidate",
    "SELECT number, state FROM generations",
    "SELECT candidate, init, status FROM rescores ORDER BY candidate, init",
)


def result_bytes(folder):
    return (folder / "result.json").read_bytes()


def rows(folder):
    with closing(sqlite3.connect(folder / "run.sqlite")) as database:
        return [database.execute(query).fetchall() for query in ROWS]


def same(one, two):
    assert result_bytes(one) == result_bytes(two)
    assert rows(one) == rows(two)
    assert (one / "config.toml").read_text() == (two / "config.toml").read_text()


@pytest.mark.parametrize("strategy", ["nsga2", "mu-plus-lambda[offspring=3]", "random"])
@pytest.mark.parametrize("names", [["rdm"], ["rdm", "params"]], ids=len)
def test_a_resumed_run_is_the_long_run_byte_for_byte(quick_run, tmp_path, strategy, names):
    settings = {"strategy": strategy, "fitness": names, "population": 5, "seed": 3}
    long = quick_run(**settings, generations=6, out=str(tmp_path / "long"))
    short = quick_run(**settings, generations=1)
    for generations in (2, 4, 6):
        result = evo_core.resume(short.run, generations=generations)
        assert (result.status, result.generations) == ("done", generations)
    same(short.run, long.run)


def test_repeats_of_networks_are_known_after_resuming(quick_run, tmp_path):
    tiny = {"cells": 1, "motifs": ["FE"], "inputs": [2], "operations": ["conv3", "conv5"]}
    settings = {"mse": tiny, "strategy": "random", "population": 6}
    long = quick_run(**settings, generations=5, out=str(tmp_path / "long"))
    short = quick_run(**settings, generations=2)
    assert evo_core.resume(short.run, generations=5).counts == long.counts
    assert long.counts.cached > 0
    same(short.run, long.run)


def test_limits_count_what_was_there_before(quick_run, tmp_path):
    settings = {"fitness": ["params"], "max_evaluations": 10, "population": 4}
    long = quick_run(**settings, generations=9, out=str(tmp_path / "long"))
    short = quick_run(**settings, generations=2)
    assert evo_core.resume(short.run, generations=9).reason == "max-evaluations"
    same(short.run, long.run)


class Interrupts:
    """Presses Ctrl-C after some evaluations."""

    def __init__(self, after):
        self.left = after

    @hookimpl
    def evo_candidate_evaluated(self):
        self.left -= 1
        if self.left == 0:
            raise KeyboardInterrupt


@pytest.mark.parametrize("after", [2, 4, 6, 8])
def test_an_interrupted_run_goes_on_at_the_last_complete_generation(quick_run, tmp_path, after):
    hand = Observer(name="hand", summary="", build=lambda options: Interrupts(after))
    long = quick_run(generations=3, out=str(tmp_path / "long"))
    short = quick_run([hand], generations=3, observers=["hand"])
    assert short.status == "interrupted"
    config = short.run / "config.toml"
    config.write_text(config.read_text().replace('observers = ["hand"]', "observers = []"))
    assert evo_core.resume(short.run, accept_changes=True).status == "done"
    same(short.run, long.run)


def test_an_interrupt_when_the_search_is_over_ends_nothing(quick_run, tmp_path, capsys):
    """Observers that draw take seconds; the run is done, so they are let finish."""
    heard = []

    class Hand:
        @hookimpl
        def evo_run_ended(self):
            signal.raise_signal(signal.SIGINT)
            heard.append("to the end")

    hand = Observer(name="hand", summary="", build=lambda options: Hand())
    result = quick_run([hand], observers=["hand", "figures"])
    assert (result.status, heard) == ("done", ["to the end"])
    assert (result.run / "figures" / "network.svg").is_file()
    assert capsys.readouterr().err == f"{NOTED}\n"


def test_an_interrupt_is_answered_at_once_where_a_candidate_takes_long(quick_run, capsys):
    said = []

    def score(view, options):
        signal.raise_signal(signal.SIGTERM)
        said.append(capsys.readouterr().err)
        return 1.0

    slow = FitnessFunction(name="slow", summary="", goal="max", needs=("graph",), score=score)
    result = quick_run([slow], fitness=["slow"])
    assert (result.status, said) == ("interrupted", [f"{NOTED}\n"])


def test_a_run_interrupted_before_its_first_generation_reads_its_genomes_again(quick_run, tmp_path):
    genomes = tmp_path / "genomes.txt"
    genomes.write_text("\n".join(["0" + ",0" * 18, "1" + ",0" * 18]))
    hand = Observer(name="hand", summary="", build=lambda options: Interrupts(1))
    long = quick_run(init=str(genomes), out=str(tmp_path / "long"))
    short = quick_run([hand], observers=["hand"], init=str(genomes))
    config = short.run / "config.toml"
    config.write_text(config.read_text().replace('observers = ["hand"]', "observers = []"))
    evo_core.resume(short.run, accept_changes=True)
    same(short.run, long.run)


def test_a_run_does_not_need_its_first_genomes_any_more(quick_run, tmp_path):
    genomes = tmp_path / "genomes.txt"
    genomes.write_text("0" + ",0" * 18)
    short = quick_run(init=str(genomes))
    genomes.unlink()
    assert evo_core.resume(short.run, generations=3).generations == 3


def test_components_of_the_program_are_given_again(quick_run, tmp_path):
    def size(view, options):
        return view.architecture.parameters

    mine = FitnessFunction(name="mine", summary="", goal="min", needs=("graph",), score=size)
    long = quick_run([mine], fitness=["mine"], generations=4, out=str(tmp_path / "long"))
    short = quick_run([mine], fitness=["mine"], generations=2)
    with pytest.raises(EvoError, match="no fitness 'mine'"):
        evo_core.resume(short.run, generations=4)
    evo_core.resume(short.run, generations=4, components=[mine])
    same(short.run, long.run)


@pytest.mark.slow
def test_the_command_resumes_with_other_workers_and_draws_again(evo, tmp_path, small_flags):
    flags = (*small_flags, "--set", 'observers=["figures"]', "--fitness", "rdm,params")
    assert evo("run", *flags, "--out", "long", "--generations", "4").code == 0
    assert evo("run", *flags, "--out", "short").code == 0
    drawing = tmp_path / "short" / "figures" / "fitness.svg"
    before = drawing.read_bytes()
    more = ("--generations", "4", "--workers", "2", "--executor", "loky", "--quiet", "--json")
    done = evo("resume", "short", *more)
    assert (done.code, done.json["generations"]) == (0, 4)
    same(tmp_path / "short", tmp_path / "long")
    assert drawing.read_bytes() != before


def test_progress_goes_on_counting(cli, small_flags, in_empty_folder):
    cli("run", *small_flags, "--out", "run")
    Store.open(in_empty_folder / "run").close()
    config = in_empty_folder / "run" / "config.toml"
    config.write_text(config.read_text().replace("observers = []", 'observers = ["progress"]'))
    done = cli("resume", "run", "--generations", "3", "--accept-changes")
    assert "resumed after generation 2" in done.err
    assert "generation 3/3: best 0." in done.err
    assert "12 evaluated, 0 repeats, 0 failed" in done.err
    assert "run resumed in" in (in_empty_folder / "run" / "log.txt").read_text()
    assert tomllib.loads(config.read_text())["generations"] == 3


def test_what_can_not_be_resumed_gets_one_line_and_stays_as_it_is(cli, quick_run, tmp_path):
    done = quick_run(fitness=["params"]).run
    capped = quick_run(fitness=["params"], max_evaluations=3, out=str(tmp_path / "capped")).run
    cases = {
        (done,): "has 2 generations already; ask for more with --generations",
        (done, "--generations", "2"): "has 2 generations already",
        (done, "--generations", "0"): "generations is 0",
        (done, "--generations", "4", "--seed", "1"): "no such option",
        (done, "--generations", "4", "--executor", "lokky"): "did you mean 'loky'?",
        (capped, "--generations", "9"): "ended for max-evaluations, which more generations",
        (tmp_path, "--generations", "9"): "is no run folder: it has no run.sqlite",
        (tmp_path / "none",): "is no run folder",
    }
    before = {folder: (result_bytes(folder), rows(folder)) for folder in (done, capped)}
    for arguments, message in cases.items():
        ended = cli("resume", *arguments)
        assert ended.code == 2
        assert message in ended.err
        assert ended.err.count("\n") == 1
    for folder, content in before.items():
        assert (result_bytes(folder), rows(folder)) == content
        assert json.loads(content[0])["generations"] == len(content[1][2])
