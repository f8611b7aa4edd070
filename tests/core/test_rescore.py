"""Scores under fresh inits, after the search."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from statistics import fmean, stdev

import pytest

from evo_core import EvoError, FitnessFunction
from evo_core.rescore import MOST
from evo_core.results import RunResult, Spread


def kept(result):
    return json.loads((result.run / "result.json").read_text())


def rows(run, query):
    with closing(sqlite3.connect(run / "run.sqlite")) as database:
        return database.execute(query).fetchall()


def rate_of_init(**fields):
    """Make a fitness that tells the draw of the weights from its network's first output."""

    def score(view, options):
        return float(view.logits.double().sum())

    def spikes(record, options):
        return None

    given = {"goal": "max", "needs": ("spikes",), "collect": spikes, "score": score}
    return FitnessFunction(name="logits", summary="", **given | fields)


def test_the_best_is_scored_under_three_inits_the_search_has_not_seen(quick_run, tmp_path):
    result = quick_run()
    best = kept(result)["best"]
    assert kept(result)["best_rescored"] == best["candidate"]
    spread = best["rescored"]["rdm"]
    assert list(spread) == ["mean", "std", "values"]
    assert len(set(spread["values"])) == 3
    assert best["scores"]["rdm"]["value"] not in spread["values"]
    assert spread["mean"] == fmean(spread["values"])
    assert spread["std"] == stdev(spread["values"])
    # one search over inits 0 to 3 scores the same network with the mean of all four
    genomes = tmp_path / "genomes.txt"
    genomes.write_text(",".join(map(str, best["genome"])))
    every = quick_run(
        init=str(genomes), generations=1, scoring={"inits": 4}, rescore=0, out=str(tmp_path / "b")
    )
    found = sqlite3.connect(every.run / "run.sqlite")
    with closing(found):
        (text,) = found.execute("SELECT scores FROM evaluations WHERE candidate = 0").fetchone()
    all_four = [best["scores"]["rdm"]["value"], *spread["values"]]
    assert json.loads(text)["rdm"]["value"] == pytest.approx(fmean(all_four), rel=1e-12)


def test_every_member_of_a_front_is_scored_again_but_not_for_its_size(quick_run):
    result = quick_run(fitness=["params", "rdm"], rescore=2, population=6)
    data = kept(result)
    assert len(data["front"]) > 1
    for solution in data["front"]:
        assert list(solution["rescored"]) == ["rdm"]
        assert len(solution["rescored"]["rdm"]["values"]) == 2
    means = {one["candidate"]: one["rescored"]["rdm"]["mean"] for one in data["front"]}
    assert data["best_rescored"] == max(means, key=means.get)
    stored = sorted(rows(result.run, "SELECT candidate, init, status FROM rescores"))
    assert stored == [(one, init, "ok") for one in sorted(means) for init in (1, 2)]


def test_the_search_itself_does_not_change(quick_run, tmp_path):
    with_, without = (
        kept(quick_run(rescore=number, out=str(tmp_path / str(number)))) for number in (3, 0)
    )
    assert without["best"]["rescored"] == {}
    assert without["best_rescored"] is None
    for data in (with_, without):
        data.pop("best_rescored")
        for solution in (data["best"], *data["front"]):
            solution.pop("rescored")
    assert with_ == without


def test_a_search_for_size_alone_is_not_scored_again(quick_run):
    result = quick_run(fitness=["params"])
    assert result.best.rescored == {}
    assert result.best_rescored is None
    assert rows(result.run, "SELECT * FROM rescores") == []


def test_fresh_inits_come_after_those_of_the_search(quick_run):
    result = quick_run(scoring={"inits": 2}, rescore=2)
    assert rows(result.run, "SELECT DISTINCT init FROM rescores") == [(2,), (3,)]


def test_of_a_large_front_the_best_are_scored_again(quick_run, cli):
    def dots(record, options):
        return None

    flat = rate_of_init(score=lambda view, options: 1.0, collect=dots)
    result = quick_run([flat], fitness=["logits"], population=12, rescore=1)
    assert len(result.front) > MOST
    assert [bool(one.rescored) for one in result.front].count(True) == MOST
    assert result.front[0].rescored["logits"].values == (1.0,)
    assert result.front[0].rescored["logits"].std is None


def test_a_draw_without_a_score_is_told_and_leaves_no_mean(quick_run):
    fails = []

    def score(view, options):
        fails.append(view)
        return None if len(fails) == 9 else 1.0 / len(fails)  # 8 in the search, then 3

    result = quick_run([rate_of_init(score=score)], fitness=["logits"])
    assert result.best.rescored["logits"].values[0] is None
    assert result.best.rescored["logits"].mean is None
    assert result.best_rescored is None
    assert kept(result)["best"]["rescored"]["logits"]["mean"] is None
    assert str(result.best.rescored["logits"]) == "undefined in 1 of 3"


def test_the_best_of_the_search_is_scored_again_when_another_dominates_it(quick_run):
    ranks = []

    def size(view, options):
        ranks.append(1)
        return -len(ranks)  # later networks are better in the second objective

    second = FitnessFunction(name="late", summary="", goal="min", needs=("graph",), score=size)
    flat = rate_of_init(score=lambda view, options: 1.0)
    result = quick_run([flat, second], fitness=["logits", "late"], rescore=1)
    assert result.best.candidate == 0
    assert 0 not in [one.candidate for one in result.front]
    assert result.best.rescored["logits"].values == (1.0,)


@pytest.mark.slow
def test_the_number_of_workers_and_the_executor_do_not_matter(evo, tmp_path, small_flags):
    settings = [("--workers", "1"), ("--workers", "2"), ("--executor", "serial")]
    for number, flags in enumerate(settings):
        loky = ("--executor", "loky", "--fitness", "rdm,params")
        done = evo("run", *small_flags, *loky, *flags, "--out", str(number))
        assert done.code == 0, done.err
    one, two, serial = ((tmp_path / str(i) / "result.json").read_bytes() for i in range(3))
    assert one == two == serial
    assert b'"rescored": {\n        "rdm": {' in one


def test_the_text_tells_both_scores(cli, small_flags, in_empty_folder):
    done = cli("run", *small_flags, "--rescore", "2", "--out", "run")
    assert " in the search, " in done.out
    assert " under 2 fresh inits" in done.out
    assert "±" in done.out


def test_the_text_names_the_solution_that_fresh_inits_prefer(quick_run):
    from evo_core.config import from_layers
    from evo_core.plan import Job, make_plan
    from evo_core.report import summary

    calls = []

    def score(view, options):
        calls.append(view.architecture.parameters)
        return view.architecture.parameters if len(calls) <= 8 else -view.architecture.parameters

    mine = rate_of_init(score=score)
    result = quick_run([mine], fitness=["logits", "macs"], population=8, generations=1)
    assert len(result.front) > 1
    assert result.best_rescored == result.front[-1].candidate
    small = {"mse": {"cells": 2}, "scoring": {"batch": 8}, "fitness": ["macs"]}
    text = summary(make_plan(Job(from_layers(small))), result)
    assert f"best under fresh inits: candidate {result.best_rescored}, " in text


def test_a_result_survives_the_way_to_json_and_back(quick_run):
    result = quick_run(fitness=["rdm", "params"])
    again = RunResult.from_json(json.loads(json.dumps(result.to_json())), result.run)
    assert again.to_json() == result.to_json()


@pytest.mark.parametrize(
    ("values", "mean", "std", "text"),
    [
        ((1.0, 2.0, 3.0), 2.0, 1.0, "2 ± 1"),
        ((0.5,), 0.5, None, "0.5"),
        ((0.5, None), None, None, "undefined in 1 of 2"),
    ],
)
def test_a_spread_has_a_mean_only_if_every_repeat_gave_a_number(values, mean, std, text):
    spread = Spread(values)
    assert (spread.mean, spread.std, str(spread)) == (mean, std, text)


def test_a_negative_number_of_inits_is_refused(quick_run):
    with pytest.raises(EvoError, match="rescore is -1"):
        quick_run(rescore=-1)
