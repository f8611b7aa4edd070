"""What comes back from a cache is what was kept, whatever the file has gone through."""

from __future__ import annotations

import contextlib
import itertools
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evo_core import Candidate, EvoError, cache_file
from evo_core.cache import KEPT, cache_of
from evo_core.config import from_layers
from evo_core.evaluation import Evaluation, Score
from evo_core.genome import random_genome
from evo_core.plan import Job, make_plan

PLUGIN = (Path(__file__).parents[1] / "data" / "counting_fitness.py").read_text(encoding="utf-8")


def plan_with(path, **given):
    layer = {"executor": "serial", "mse": {"cells": 2}, "scoring": {"batch": 8}, "cache": str(path)}
    return make_plan(Job(from_layers(layer | given)))


def evaluated(plan, count=4):
    """Evaluate some random networks of a plan."""
    from evo_core.snn.worker import Evaluator

    evaluator, rng, identity = Evaluator(plan), np.random.default_rng(0), plan.problem().identity
    genomes = [random_genome(rng, plan.space.genes) for _ in range(count)]
    candidates = [Candidate(i, genome, identity(genome)) for i, genome in enumerate(genomes)]
    return [(candidate, evaluator.evaluate(candidate)) for candidate in candidates]


def timeless(evaluation):
    """Leave out what a cache does not give back."""
    scores = {name: replace(score, seconds=0.0) for name, score in evaluation.scores.items()}
    return replace(evaluation, scores=scores, seconds=0.0, peak_bytes=0, stage="evaluate")


@pytest.mark.parametrize(
    "given",
    [
        {"fitness": ["rdm"]},
        {"fitness": ["params", "macs"]},
        {"fitness": ["rdm[metric=cosine,feature=rate]", "params", "rdm-released"]},
        {"fitness": ["rdm", "mine"], "scoring": {"batch": 8, "inits": 2, "batches": 2}},
        {"fitness": ["never", "mine"]},
    ],
    ids=lambda given: "+".join(given["fitness"]),
)
def test_an_evaluation_from_the_cache_equals_the_fresh_one(tmp_path, plugin_file, given):
    plan = plan_with(tmp_path / "c", plugins=[str(plugin_file(PLUGIN))], **given)
    fresh = evaluated(plan)
    with cache_of(plan) as cache:
        for candidate, evaluation in fresh:
            assert cache.find(candidate) is None
            cache.keep(candidate, evaluation)
    with cache_of(plan) as cache:
        for candidate, evaluation in fresh:
            found = cache.find(replace(candidate, id=7))
            assert (found.stage, found.seconds, found.peak_bytes) == ("cache", 0.0, 0)
            assert timeless(replace(found, candidate=candidate.id)) == timeless(evaluation)
            assert list(found.scores) == list(evaluation.scores)
            assert json.dumps(found.details, sort_keys=True) == json.dumps(
                evaluation.details, sort_keys=True
            )


numbers = st.floats() | st.integers() | st.none() | st.booleans() | st.just(1e300 * 1e10)
anything = st.recursive(
    numbers | st.text(max_size=5) | st.just((1,)) | st.just(object()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=5,
)
scores = st.builds(
    Score,
    value=numbers,
    status=st.sampled_from(["ok", "undefined", "error"]),
    seconds=st.floats(0, 9),
    forwards=st.integers(-1, 3),
    details=st.dictionaries(st.text(max_size=3), anything, max_size=3),
)
firing = st.fixed_dictionaries(
    {"firing_rate": st.floats() | st.none(), "populations": st.integers(0)}
    | {"silent_populations": st.integers(0)},
    optional={"repeats": st.lists(anything, max_size=2), "other": st.none()},
)


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    plan = plan_with(tmp_path_factory.mktemp("cache") / "c", fitness=["rdm", "params"])
    with cache_of(plan) as opened:
        yield opened


networks = itertools.count()


@settings(max_examples=300)
@given(
    status=st.sampled_from([*KEPT, "error", "oom", "timeout", "crashed", "invalid", "infeasible"]),
    rdm=scores,
    params=scores,
    activity=firing,
    error=st.sampled_from([None, None, "no"]),
)
def test_whatever_an_evaluation_says_it_comes_back_as_it_was_or_not_at_all(
    cache, status, rdm, params, activity, error
):
    both = {"rdm": rdm, "params": replace(params, goal="min")}
    said = {name: one.details for name, one in both.items() if one.details}
    evaluation = Evaluation(3, status, both, activity | said, 1.5, 9, error)
    candidate = Candidate(3, (0,), f"network {next(networks)}")
    cache.keep(candidate, evaluation)
    found = cache.find(candidate)
    if found is not None:
        assert found.status in KEPT
        assert timeless(found) == timeless(evaluation)


def test_fresh_inits_of_one_run_are_inits_of_another(tmp_path):
    plan = plan_with(tmp_path / "c")
    ((candidate, evaluation),) = evaluated(plan, 1)
    with cache_of(plan) as cache:
        cache.keep(replace(candidate, inits=(4,)), evaluation)
        assert cache.find(candidate) is None
        assert cache.find(replace(candidate, inits=(0,))) is None
        assert cache.find(replace(candidate, inits=(4,))) is not None
        cache.keep(candidate, evaluation)
        assert cache.find(replace(candidate, inits=(0,))) is not None


SCORE = '{"value": 0.5, "status": "ok", "forwards": 1, "backwards": 0, "details": {}}'
SHARED = (
    '{"status": "ok", "details": {"firing_rate": 0.5, "populations": 1, "silent_populations": 0}}'
)
NOTHING = ["null", "[]", "{}", "7", "{", "", "\udcff", "[" * 100_000, '{"status": "ok"}']
SCORE_CHANGES = [
    ("0.5", "NaN"), ("0.5", "1e999"), ("0.5", '"0.5"'), ("0.5", "true"), ("0.5", "1"),
    ("0.5", "null"), ('"ok"', '"undefined"'), ('"ok"', '"error"'), ('"ok"', '"great"'),
    ('"ok"', "null"), ("1", "-1"), ("1", "1.0"), ("1", "null"), ("{}", "[]"), ("{}", "null"),
    ("{}", '{"x": [1e999]}'), ("{}", '{}, "seconds": "x"'), ("{}", '{}, "goal": "min"'),
]  # fmt: skip
SHARED_CHANGES = [
    ('"ok"', '"error"'), ('"ok"', '["ok"]'), ('"ok"', "null"), ("0.5", "NaN"), ("0.5", "-1e999"),
    ('"firing_rate"', '"rate"'), (": 0}", ': 0, "more": 1}'), ("}}", '}, "scores": {}}'),
]  # fmt: skip
CASES = [
    *((name, content) for name in ("", "rdm") for content in NOTHING),
    *(("rdm", SCORE.replace(*change)) for change in SCORE_CHANGES),
    *(("", SHARED.replace(*change)) for change in SHARED_CHANGES),
]


@pytest.fixture
def foreign_record(tmp_path):
    """Keep a network of which one record says something else; give what is found then."""

    def found(name, content):
        plan = plan_with(tmp_path / "c")
        ((candidate, evaluation),) = evaluated(plan, 1)
        with cache_of(plan) as cache:
            address, text = cache._addresses(())[name], content.encode(errors="surrogateescape")
            seal = cache_file._seal(address, candidate.architecture, text)
            with cache._db:
                row = (address, candidate.architecture, name, text, seal)
                cache._db.execute("INSERT INTO scores VALUES (?, ?, ?, ?, ?)", row)
            cache.keep(candidate, evaluation)
            return cache.find(candidate)

    return found


def test_a_record_as_evo_writes_it_is_found(foreign_record):
    assert foreign_record("rdm", SCORE).scores["rdm"].value == 0.5


@pytest.mark.parametrize("case", range(len(CASES)))
def test_a_record_that_evo_would_not_write_is_a_miss(foreign_record, case):
    assert foreign_record(*CASES[case]) is None


def test_a_fuzzed_file_gives_the_right_scores_or_none(tmp_path):
    path = tmp_path / "c"
    plan = plan_with(path, fitness=["rdm", "params"])
    fresh = evaluated(plan, 20)
    with cache_of(plan) as cache:
        for candidate, evaluation in fresh:
            cache.keep(candidate, evaluation)
    sound, rng = path.read_bytes(), np.random.default_rng(0)
    outcomes = {"opened": 0, "found": 0, "missed": 0}
    for _ in range(150):
        content = np.frombuffer(sound, np.uint8).copy()
        places = rng.integers(len(content), size=rng.integers(1, 30))
        content[places] = rng.integers(256, size=len(places))
        path.write_bytes(content.tobytes())
        with contextlib.suppress(EvoError), cache_of(plan) as cache:
            outcomes["opened"] += 1
            for candidate, evaluation in fresh:
                found = cache.find(candidate)
                outcomes["found" if found else "missed"] += 1
                assert found is None or timeless(found) == timeless(evaluation)
        for left in tmp_path.glob("c-*"):
            left.unlink()
    assert all(outcomes.values())
    assert outcomes["opened"] < 150
