"""Genomes that the first generation starts from."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import evo_core
from evo_core import EvoError
from evo_core.config import read_toml
from evo_core.evolution import Proposal
from evo_core.initial import start_from
from evo_core.store import Store

ZERO = (0,) * 19
ONE = (1,) + (0,) * 18


def line(genome):
    return ",".join(map(str, genome))


def first_generation(run):
    store = Store.open(run)
    try:
        return [one.genome for one, _ in store.evaluated() if one.generation == 0]
    finally:
        store.close()


@pytest.mark.parametrize(
    "text",
    [
        f"{line(ZERO)}\n{line(ONE)}\n",
        f"# two good ones\n\n  {line(ZERO)}  \n\n{line(ONE)}",
        json.dumps([ZERO, ONE]),
        json.dumps([ZERO, ONE], indent=2),
    ],
    ids=["lines", "comments", "json", "indented"],
)
def test_given_genomes_come_first_and_random_ones_fill_up(quick_run, tmp_path, text):
    (tmp_path / "given").write_text(text)
    result = quick_run(init=str(tmp_path / "given"), fitness=["params"])
    found = first_generation(result.run)
    assert found[:2] == [ZERO, ONE]
    assert len(found) == len(set(found)) == 4
    plain = quick_run(fitness=["params"], out=str(tmp_path / "plain"))
    assert found[2:] == first_generation(plain.run)[:2]


def test_a_run_gives_its_final_population(quick_run, tmp_path):
    first = quick_run(fitness=["rdm", "params"], generations=3)
    store = Store.open(first.run)
    survivors = store.generations()[-1].report.survivors
    genomes = [store.evaluated(number)[0][0].genome for number in survivors]
    store.close()
    second = quick_run(init=str(first.run), out=str(tmp_path / "b"), population=6)
    assert first_generation(second.run)[: len(genomes)] == genomes


def test_the_configuration_kept_with_the_run_can_be_run_from_anywhere(
    quick_run, in_empty_folder, monkeypatch, cli, small_flags
):
    (in_empty_folder / "given.txt").write_text(line(ONE))
    done = cli("run", *small_flags, "--init", "given.txt", "--out", "run")
    assert done.code == 0
    (in_empty_folder / "elsewhere").mkdir()
    monkeypatch.chdir(in_empty_folder / "elsewhere")
    assert cli("run", "../run/config.toml", "--out", "again").code == 0
    one, two = (path / "result.json" for path in (in_empty_folder / "run", Path("again")))
    assert one.read_bytes() == two.read_bytes()


def test_in_a_file_of_settings_the_genomes_are_looked_for_beside_it(tmp_path):
    (tmp_path / "run.toml").write_text('init = "given.txt"')
    assert read_toml(tmp_path / "run.toml")["init"] == str(tmp_path / "given.txt")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"{line(ZERO)}\n0,1\n", "given line 2: a genome of mse has 19 genes, but 2 were given"),
        (f"# one\n{line(ZERO)}\n\n0,x", "given line 4: a genome is whole numbers"),
        (line((9, *ZERO[1:])), "given line 1: gene 0 "),
        (f"[{list(ZERO)}, [0]]", "given genome 2: a genome of mse has 19 genes"),
        ('[["a"]]', "given genome 1: a genome of mse has 19 genes"),
        (json.dumps([["a", *ZERO[1:]]]), "given genome 1: gene 0 .* is 'a'; genes are whole"),
        ("[[0,\n1", "given line 2: no valid JSON"),
        ('{"genome": 1}', "given line 1: expected a list of genomes"),
        ("[1, 2]", "given line 1: expected a list of genomes"),
        ("\n# nothing\n", "given holds no genomes"),
        ("\n".join([line(ZERO)] * 5), "holds 5 genomes, but the population is 4"),
        (b"\xff\xfe", "given is no text"),
    ],
)
def test_what_is_wrong_is_named_with_file_and_line_before_anything_is_written(
    quick_run, tmp_path, text, message
):
    (tmp_path / "given").write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(EvoError, match=message) as raised:
        quick_run(init=str(tmp_path / "given"))
    assert "\n" not in str(raised.value)
    assert not (tmp_path / "run").exists()


def test_a_missing_file_or_a_folder_that_is_no_run_is_named(quick_run, tmp_path):
    with pytest.raises(EvoError, match=r"init .*gone can not be read: No such file"):
        quick_run(init=str(tmp_path / "gone"))
    with pytest.raises(EvoError, match="is no run folder"):
        quick_run(init=str(tmp_path))


def test_genomes_of_a_run_that_mean_something_else_are_refused(quick_run, tmp_path):
    first = quick_run(fitness=["params"])
    with pytest.raises(EvoError, match="mean something else here: they have 19 genes, here there"):
        quick_run(init=str(first.run), mse={"cells": 3}, out=str(tmp_path / "b"))
    turned = {"operations": ["conv5", "conv3"]}
    with pytest.raises(EvoError, match=r"mean something else here: gene \d+ is cell"):
        quick_run(init=str(first.run), mse=turned, out=str(tmp_path / "b"))
    assert not (tmp_path / "b").exists()


def test_a_dry_run_looks_at_the_genomes_too(cli, small_flags, in_empty_folder):
    ended = cli("run", *small_flags, "--dry-run", "--init", "gone")
    assert ended.code == 2
    assert "init gone can not be read" in ended.err


def test_proposals_that_repeat_a_given_network_come_last():
    class Problem:
        def identity(self, genome):
            return str(genome[0])

    given = [(1, 0)]
    proposals = [Proposal(genome) for genome in [(1, 1), (2, 0), (3, 0)]]
    found = [one.genome for one in start_from(given, proposals, Problem())]
    assert found == [(1, 0), (2, 0), (3, 0)]
    assert start_from([], proposals, Problem()) == proposals


def test_every_strategy_starts_from_them(quick_run, tmp_path):
    (tmp_path / "given").write_text(line(ONE))
    for strategy in ("nsga2", "mu-plus-lambda", "random"):
        result = quick_run(
            init=str(tmp_path / "given"), strategy=strategy, out=str(tmp_path / strategy),
            fitness=["params"],
        )  # fmt: skip
        assert first_generation(result.run)[0] == ONE
    assert evo_core.resume(result.run, generations=3).generations == 3
