"""The whole analysis of a small sample with one score of every kind."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import kendalltau, spearmanr

from evo_core.comparing.analysis import analyse
from evo_core.comparing.sample import Sample


def estimates(part):
    """All estimates in the document."""
    if isinstance(part, dict):
        if {"value", "low", "high"} <= part.keys():
            yield part
        for value in part.values():
            yield from estimates(value)
    if isinstance(part, list):
        for value in part:
            yield from estimates(value)


def test_the_document_is_json_without_nan(found):
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_what_has_no_value_has_a_reason_and_no_interval(found):
    everything = list(estimates(found))
    assert len(everything) > 300
    for one in everything:
        assert ("reason" in one) == (one["value"] is None)
        if one["value"] is None:
            assert (one["low"], one["high"]) == (None, None)
        elif one["low"] is not None:
            assert one["low"] <= one["high"]


def test_the_same_seed_gives_the_same_document(found, sample):
    assert analyse(sample, resamples=200) == found
    other = analyse(sample, resamples=200, seed=1)["scores"]["good"]["raw"]["spearman"]
    assert other["value"] == found["scores"]["good"]["raw"]["spearman"]["value"]
    assert other["low"] != found["scores"]["good"]["raw"]["spearman"]["low"]


def test_the_reference_is_described(found, means):
    reference, accuracy = found["reference"], means("accuracy")
    assert reference["name"] == "accuracy"
    assert reference["mean"] == pytest.approx(accuracy.mean())
    assert (reference["min"], reference["max"]) == pytest.approx((accuracy.min(), accuracy.max()))
    assert (reference["chance_level"], reference["chance_networks"]) == (0.1, 5)
    low, high = reference["noise_ceiling_interval"]
    assert 0.99 < low < reference["noise_ceiling"] < high < 1


def test_means_over_seeds_are_correlated_and_their_sign_is_as_declared(found, means):
    accuracy = means("accuracy")
    for name, sign in (("good", 1), ("params", -1)):
        raw = found["scores"][name]["raw"]
        rho = spearmanr(means(name), accuracy).statistic
        assert raw["spearman"]["value"] == pytest.approx(sign * rho)
        assert raw["kendall"]["value"] == pytest.approx(sign * kendalltau(means(name), accuracy)[0])
        assert found["scores"][name]["oriented_by_data"]["spearman"] == pytest.approx(abs(rho))


def test_directions_are_measured(found):
    scores = found["scores"]
    assert scores["k"]["direction"] == {"declared": "max", "measured": "max", "agrees": True}
    assert scores["params"]["direction"] == {"declared": "min", "measured": "max", "agrees": False}
    assert scores["noise"]["direction"] == {"declared": "max", "measured": None, "agrees": None}


def test_a_constant_is_undefined_not_0(found):
    score = found["scores"]["constant"]
    wanted = (*score["raw"].values(), *score["top"]["precision"], score["given"]["params"])
    for one in wanted:
        assert one["value"] is None
        assert one["reason"] == "all values of the score are equal"
    assert score["direction"]["measured"] is None
    assert score["oriented_by_data"]["spearman"] is None


def test_seconds_are_those_known(found):
    assert found["scores"]["good"]["seconds"] == {"median": 0.5, "low": 0.5, "high": 0.5}
    assert found["scores"]["noise"]["seconds"] == {"median": None, "low": None, "high": None}


def test_scores_between_each_other_lie_in_clustered_order(found, means, sample):
    between = found["between"]
    names = [name for name in sample.goals if name != "accuracy"]
    assert sorted(between["names"]) == sorted(names)
    assert [names[at] for at in between["order"]] == between["names"]
    at = {name: place for place, name in enumerate(between["names"])}
    rho = between["spearman"][at["good"]][at["noise"]]
    assert rho == pytest.approx(spearmanr(means("good"), means("noise")).statistic)
    assert between["spearman"][at["good"]][at["constant"]] is None
    assert abs(at["size"] - at["params"]) == 1


def test_few_networks_one_seed_and_no_strata(sample, build_sample):
    few = build_sample(
        networks=sample.networks[:4], strata={}, seconds={},
        values={name: table[:4, :1] for name, table in sample.values.items()},
    )  # fmt: skip
    document = analyse(few, resamples=20)
    json.dumps(document, allow_nan=False)
    assert document["scores"]["good"]["raw"]["spearman"]["reason"] == "fewer than 5 networks"
    assert document["scores"]["good"]["strata"] == {}
    assert document["reference"]["noise_ceiling"] is None


def test_means_that_differ_in_the_last_bit_are_ties(build_sample):
    tables = {"accuracy": np.array([[0.1, 0.7], [0.7, 0.1], [0.3, 0.5], [0.4, 0.4]])}
    sample = build_sample(networks=("0",) * 4, goals={"accuracy": "max"}, values=tables)
    assert len(set(tables["accuracy"].sum(axis=1))) > 1
    assert len(set(sample.means("accuracy"))) == 1


def test_a_lower_reference_may_be_better(sample, build_sample):
    error = {**sample.values, "accuracy": 1 - sample.values["accuracy"]}
    goals = {**sample.goals, "accuracy": "min"}
    turned = analyse(build_sample(values=error, goals=goals, chance=0.9), resamples=20)
    plain = analyse(sample, resamples=20)
    assert turned["reference"]["chance_networks"] == 5
    for measure in ("spearman", "weighted_tau", "ndcg"):
        one, other = (each["scores"]["good"]["raw"][measure] for each in (turned, plain))
        assert one["value"] == pytest.approx(other["value"])
    regrets = [each["scores"]["good"]["top"]["regret"][2]["value"] for each in (turned, plain)]
    assert regrets[0] == pytest.approx(regrets[1])


ODD = st.sampled_from(
    [0.0, 0.1, 0.5, 0.5000001, 1.0, 7.0, -3.0, np.nan, np.inf, -np.inf, 1e-30, 1e30]
)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 12), st.integers(1, 3), st.data())
def test_any_values_at_all_give_json_without_nan(n, seeds, data):
    names = ("accuracy", "score", "params", "k")
    sample = Sample(
        networks=tuple(map(str, range(n))),
        goals=dict(zip(names, ("max", "min", "max", "max"), strict=True)),
        reference="accuracy",
        values={name: data.draw(arrays(float, (n, seeds), elements=ODD)) for name in names},
        undefined={}, seconds={}, baselines=("params", "k"), chance=0.1,
        strata={"k": tuple(data.draw(st.lists(st.sampled_from("012"), min_size=n, max_size=n)))},
    )  # fmt: skip
    document = analyse(sample, resamples=8)
    json.dumps(document, allow_nan=False)
    for one in estimates(document):
        assert ("reason" in one) == (one["value"] is None)
