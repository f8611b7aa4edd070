"""Constraints: how they are written, and what they keep from being evaluated."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import evo_core
from evo_core import EvoError, FitnessFunction, RunFailedError
from evo_core.binding import reference
from evo_core.config import from_layers
from evo_core.constraints import none_keeps, parse_constraint
from evo_core.evolution import random_proposals
from evo_core.genome import random_genome
from evo_core.plan import Job, make_plan
from evo_core.store import Store

NAMES = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]{0,8}", fullmatch=True)
VALUES = st.text(st.characters(codec="ascii"), max_size=6) | st.integers() | st.booleans()
REFERENCES = st.builds(reference, NAMES, st.dictionaries(NAMES, VALUES, max_size=2))
NUMBERS = st.floats(allow_nan=False, allow_infinity=False).map(repr) | st.integers().map(str)
BLANKS = st.sampled_from(["", " "])
SPACE = {"cells": 2}
TINY = {"cells": 1, "motifs": ["FE"], "inputs": [2], "operations": ["conv3", "conv5"]}


def graph_fitness(score, name="mine"):
    return FitnessFunction(name=name, summary="", goal="max", needs=("graph",), score=score)


def make(*constraints, components=(), **settings):
    layer = {"mse": SPACE, "executor": "serial", "fitness": ["params"]} | settings
    return make_plan(Job(from_layers(layer, {"constraints": list(constraints)}), components))


def kept(folder):
    store = Store.open(folder)
    try:
        return list(store.evaluated())
    finally:
        store.close()


def sizes(plan, count=60):
    """Give random genomes with their numbers of parameters, the smallest first."""
    rng = np.random.default_rng(0)
    genomes = [random_genome(rng, plan.space.genes) for _ in range(count)]
    return sorted((plan.decode(genome).parameters, genome) for genome in genomes)


@given(REFERENCES, st.sampled_from(["<", "<=", ">", ">="]), NUMBERS, BLANKS, BLANKS)
def test_what_is_written_is_read_whatever_stands_in_the_brackets(name, sign, number, one, two):
    assert parse_constraint(f"{name}{one}{sign}{two}{number}") == (name, sign, number)


@given(REFERENCES)
def test_a_name_alone_must_be_above_zero(name):
    assert parse_constraint(name) == (name, ">", "0")


@given(st.integers(1, 10**7), st.sampled_from(["<", "<=", ">", ">="]))
def test_a_constraint_reads_its_own_text_and_compares_as_it_says(number, sign):
    (constraint,) = PLAN_OF[sign].constraints
    assert parse_constraint(constraint.text) == ("params", sign, "1e4")
    expected = {"<": number < 1e4, "<=": number <= 1e4, ">": number > 1e4, ">=": number >= 1e4}
    assert constraint.keeps(number) == expected[sign]


PLAN_OF = {sign: make(f" params {sign} 1e4") for sign in ("<", "<=", ">", ">=")}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is not of the form NAME<NUMBER"),
        ("<2", "is not of the form"),
        ("params=3", "is not of the form NAME<NUMBER, with <, <=, > or >=, nor a NAME alone"),
        ("params==3", "is not of the form"),
        ("params<>3", "'>3' is no finite number; write e.g. 2e6"),
        ("params<", "is not of the form"),
        ("params<2M", "'2M' is no finite number"),
        ("params<nan", "'nan' is no finite number"),
        ("params<1e999", "'1e999' is no finite number"),
        ("parms<3", "no fitness 'parms'; did you mean 'params'?"),
        ("params[x=1]<3", "no option params.x; params has no options"),
        ("rdm>0.1", "rdm reads more than the graph (gram); a constraint must be cheap"),
        ("rdm", "rdm reads more than the graph"),
    ],
)
def test_what_is_no_constraint_is_refused_in_one_line(text, words):
    with pytest.raises(EvoError) as refused:
        make(text)
    assert words in str(refused.value)
    assert str(refused.value).startswith(f"constraint {text!r}")
    assert "\n" not in str(refused.value)


def test_a_violation_tells_the_value_and_the_limit():
    (least, small), *_, (most, large) = sizes(make())
    plan = make(f"params<{most}", "macs > 0")
    assert plan.violation(small) is None
    assert plan.violation(large) == f"params is {most:,}, not < {most}"
    assert make("params>2e6").violation(small) == f"params is {least:,}, not > 2e6"


def test_without_constraints_everything_is_feasible_and_nothing_is_decoded():
    plan = make()
    assert plan.violation(("no", "genome")) is None


@pytest.mark.parametrize(
    ("score", "reason"),
    [
        (lambda view, options: 1 / 0, "mine fails: ZeroDivisionError: division by zero"),
        (lambda view, options: None, "mine is undefined"),
        (lambda view, options: math.nan, "mine is undefined"),
        (lambda view, options: evo_core.Score(9.0, "error"), "mine is undefined"),
        (lambda view, options: "much", "mine fails: TypeError: a score must be a number"),
        (lambda view, options: False, "mine is 0, not > 0"),
        (lambda view, options: -0.25, "mine is -0.25, not > 0"),
    ],
)
def test_what_fails_or_is_undefined_or_false_is_violated_with_the_reason(score, reason):
    plan = make("mine", components=(graph_fitness(score),))
    genome = random_genome(np.random.default_rng(0), plan.space.genes)
    assert (plan.violation(genome) or "").startswith(reason)
    assert not plan.problem().feasible(genome)


def test_a_truth_value_is_a_constraint_by_itself():
    plan = make("mine", components=(graph_fitness(lambda view, options: True),))
    assert plan.violation(random_genome(np.random.default_rng(0), plan.space.genes)) is None


def test_a_genome_without_a_network_is_left_to_its_evaluation():
    plan = make("params<1", space="mse-released[bounds=wide]")
    genomes = [random_genome(np.random.default_rng(seed), plan.space.genes) for seed in range(40)]
    problem = plan.problem()
    invalid = [genome for genome in genomes if problem.identity(genome).startswith("invalid")]
    assert invalid
    assert all(problem.feasible(genome) for genome in invalid)


@given(st.integers(0, 2**32))
def test_random_proposals_keep_a_constraint_that_some_networks_keep(seed):
    problem = HALF.problem()
    proposals = random_proposals(problem, 6, np.random.default_rng(seed))
    assert all(problem.feasible(proposal.genome) for proposal in proposals)
    assert len({problem.identity(proposal.genome) for proposal in proposals}) == 6


HALF = make(f"params<{sizes(make())[30][0]}")


@pytest.mark.parametrize("strategy", ["nsga2", "mu-plus-lambda", "random"])
def test_no_network_that_violates_a_constraint_is_evaluated(quick_run, strategy):
    seen = []
    spy = graph_fitness(lambda view, options: seen.append(view.architecture.parameters) or 1.0)
    limit = sizes(make())[15][0]
    settings = {"strategy": strategy, "fitness": ["mine"], "population": 6, "generations": 4}
    result = quick_run([spy], **settings, constraints=[f"params<{limit}"])
    assert max(seen) < limit
    assert (result.counts.evaluated + result.counts.cached, result.counts.infeasible) == (24, 0)


def test_the_few_that_can_not_be_drawn_again_are_infeasible_and_not_evaluated(quick_run, tmp_path):
    hashes = sorted({one.architecture for one, _ in tiny_pairs(quick_run, tmp_path)})
    allowed = set(hashes[::2])
    mine = graph_fitness(lambda view, options: view.architecture.hash in allowed)
    result = quick_run(
        [mine], mse=TINY, fitness=["params"], constraints=["mine"], population=6, generations=3
    )
    counts = result.counts
    assert counts.infeasible > 0
    assert counts.evaluated + counts.cached + counts.infeasible == 18
    for candidate, one in kept(result.run):
        assert (one.status == "ok") == (candidate.architecture in allowed)
        if one.status == "infeasible" and one.copied_from is None:
            assert (one.error, one.scores) == ("mine is 0, not > 0", {})
    text = json.loads((result.run / "result.json").read_text())
    assert (text["infeasible"], text["failed"]) == (counts.infeasible, 0)


def tiny_pairs(quick_run, tmp_path):
    settings = {"mse": TINY, "fitness": ["params"], "population": 6, "generations": 3}
    return kept(quick_run(**settings, strategy="random", out=str(tmp_path / "all")).run)


def test_given_genomes_that_violate_a_constraint_are_named_and_not_evaluated(quick_run, tmp_path):
    ranked = sizes(make())
    limit, (_, large) = ranked[30][0], ranked[-1]
    (tmp_path / "given").write_text(",".join(map(str, large)))
    result = quick_run(
        init=str(tmp_path / "given"), fitness=["params"], constraints=[f"params<{limit}"],
        max_evaluations=7,
    )  # fmt: skip
    (first, evaluation), *_ = kept(result.run)
    assert (first.genome, evaluation.status) == (large, "infeasible")
    assert (result.counts.evaluated, result.counts.infeasible) == (7, 1)
    assert result.generations == 2
    assert "candidate 0: params is" in (result.run / "log.txt").read_text()


def test_infeasible_ones_stand_in_every_report(cli, small_flags, in_empty_folder):
    ranked = sizes(make())
    (in_empty_folder / "given").write_text(",".join(map(str, ranked[-1][1])))
    flags = (*small_flags, "--init", "given", "--fitness", "params", "--out", "run")
    more = ("--constraint", f"params<{ranked[30][0]}", "--constraint", "macs>0")
    done = cli("run", *flags, *more, "--set", 'observers=["progress"]')
    assert done.code == 0
    assert "generation 1/2: best" in done.err
    assert "3 evaluated, 0 repeats, 0 failed, 1 infeasible" in done.err
    assert "7 evaluated, 0 repeats, 0 failed, 1 infeasible" in done.out
    rows = cli("export", "run", "--json").json
    assert [row["status"] for row in rows] == ["infeasible", *["ok"] * 7]
    assert 'constraints = ["params<' in (in_empty_folder / "run/config.toml").read_text()
    again = cli("resume", "run", "--generations", "3", "--json").json
    assert (again["evaluated"], again["infeasible"]) == (11, 1)


def test_a_run_without_a_feasible_network_fails_with_the_nearest_value(quick_run, tmp_path):
    with pytest.raises(RunFailedError) as failed:
        quick_run(constraints=["macs>0", "params<1"])
    least = min(make().decode(one.genome).parameters for one, _ in kept(tmp_path / "run"))
    assert str(failed.value) == (
        f"no network of the first generation keeps params<1; the smallest params is {least:,}"
    )
    text = json.loads((tmp_path / "run" / "result.json").read_text())
    assert (text["evaluated"], text["failed"], text["status"]) == (0, 0, "failed")
    assert text["infeasible"] + text["cached"] == 4


def test_where_each_constraint_is_kept_but_never_all_that_is_said():
    architectures = [make().decode(genome) for _, genome in sizes(make())]
    middle = architectures[30].parameters
    plan = make(f"params<{middle}", f"params>{middle}")
    said = none_keeps(plan.constraints, architectures)
    assert said.startswith(f"keeps params<{middle} and params>{middle} together")
    largest = none_keeps(make("params>1e9").constraints, architectures)
    assert largest == f"keeps params>1e9; the largest params is {architectures[-1].parameters:,}"


def test_a_constraint_that_always_fails_ends_the_run_with_its_error(quick_run):
    broken = graph_fitness(lambda view, options: view.no_such_thing)
    with pytest.raises(RunFailedError, match=r"keeps mine>0; mine fails: AttributeError"):
        quick_run([broken], constraints=["mine"])


def test_a_forecast_times_networks_that_keep_the_constraints(cli, small_flags, in_empty_folder):
    flags = ("run", *small_flags, "--fitness", "params", "--dry-run")
    assert cli(*flags, "--constraint", f"params<{sizes(make())[20][0]}").code == 0
    refused = cli(*flags, "--constraint", "params<1")
    assert refused.code == 2
    assert "no random network keeps params<1; the smallest params is" in refused.err
    assert list(in_empty_folder.iterdir()) == []


def test_flags_win_over_the_constraints_of_the_file(cli, in_empty_folder, small_flags):
    (in_empty_folder / "a.toml").write_text('constraints = ["params<1"]\nfitness = ["params"]\n')
    assert cli("run", "a.toml", *small_flags).code == 1
    assert cli("run", "a.toml", *small_flags, "--constraint", "params>1").code == 0


@pytest.mark.slow
def test_the_result_is_the_same_with_worker_processes(quick_run, tmp_path):
    settings = {"constraints": [f"params<{sizes(make())[15][0]}"], "generations": 3}
    one = quick_run(**settings)
    two = quick_run(**settings, executor="loky", workers=2, out=str(tmp_path / "two"))
    assert (one.run / "result.json").read_bytes() == (two.run / "result.json").read_bytes()
