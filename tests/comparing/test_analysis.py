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

N, S = 60, 3
BASELINES = ("params", "macs", "k")
STRATA = [0, 1, 2] * 20


def build(**changes):
    """Build a sample in which accuracy grows with k; ``only-k`` and ``within`` tell why."""
    rng = np.random.default_rng(0)
    k = np.array(STRATA, dtype=float)
    skill = rng.normal(size=N)
    values = {
        "good": skill + 0.3 * rng.normal(size=N),
        "reversed": -skill + 0.3 * rng.normal(size=N),
        "noise": rng.normal(size=N),
        "only-k": k + 0.1 * rng.normal(size=N),
        "size": np.exp(k * 3 + rng.normal(size=N)),
        "constant": np.full(N, 0.1),
        "holes": np.where(rng.random(N) < 0.3, np.nan, skill),
        "undefined": np.full(N, np.nan),
        "infinite": np.where(np.arange(N) < 4, -np.inf, skill),
    }
    values["params"] = np.log(values["size"])
    values["macs"] = rng.permutation(N).astype(float)
    values["k"] = k
    tables = {name: np.repeat(one[:, None], S, axis=1) for name, one in values.items()}
    tables["good"] = tables["good"] + 0.2 * rng.normal(size=(N, S))
    accuracy = 0.3 + 0.2 * k + 0.05 * skill
    accuracy[:5] = 0.1
    tables["accuracy"] = np.round(accuracy[:, None] + 0.01 * rng.normal(size=(N, S)), 2)
    given = {
        "networks": tuple(f"1,{i}" for i in range(N)),
        "goals": dict.fromkeys(tables, "max") | {"params": "min"},
        "reference": "accuracy",
        "values": tables,
        "undefined": {"holes": int(np.isnan(values["holes"]).sum()), "undefined": N},
        "seconds": {"good": np.full((N, S), 0.5)},
        "baselines": BASELINES,
        "strata": {"k": tuple(str(one) for one in STRATA)},
        "chance": 0.1,
    }
    return Sample(**(given | changes))


SAMPLE = build()


@pytest.fixture(scope="module")
def found():
    return analyse(SAMPLE, resamples=200)


def means(name):
    values = SAMPLE.values[name]
    return np.where(np.isfinite(values), values, np.nan).mean(axis=1)  # no seed alone is undefined


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


def test_the_same_seed_gives_the_same_document(found):
    assert analyse(SAMPLE, resamples=200) == found
    other = analyse(SAMPLE, resamples=200, seed=1)["scores"]["good"]["raw"]["spearman"]
    assert other["value"] == found["scores"]["good"]["raw"]["spearman"]["value"]
    assert other["low"] != found["scores"]["good"]["raw"]["spearman"]["low"]


def test_the_reference_is_described(found):
    reference, accuracy = found["reference"], means("accuracy")
    assert reference["name"] == "accuracy"
    assert reference["mean"] == pytest.approx(accuracy.mean())
    assert (reference["min"], reference["max"]) == pytest.approx((accuracy.min(), accuracy.max()))
    assert (reference["chance_level"], reference["chance_networks"]) == (0.1, 5)
    low, high = reference["noise_ceiling_interval"]
    assert 0.99 < low < reference["noise_ceiling"] < high < 1


def test_means_over_seeds_are_correlated_and_their_sign_is_as_declared(found):
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


def test_undefined_values_are_dropped_and_counted(found):
    holes, there = found["scores"]["holes"], np.isfinite(means("holes"))
    assert holes["n"] == there.sum() < N
    assert holes["undefined"] == N - there.sum()
    expected = spearmanr(means("holes")[there], means("accuracy")[there]).statistic
    assert holes["raw"]["spearman"]["value"] == pytest.approx(expected)
    assert found["scores"]["infinite"]["n"] == N - 4
    nothing = found["scores"]["undefined"]
    assert (nothing["n"], nothing["undefined"]) == (0, N)
    assert nothing["raw"]["spearman"]["reason"] == "fewer than 5 networks"


def test_a_monotone_function_of_size_tells_nothing_given_size(found):
    given = found["scores"]["size"]["given"]
    assert given["params"]["value"] is None
    assert given["params"]["reason"] == "the score is a monotone function of params"
    assert given["macs"]["value"] is not None
    assert found["scores"]["params"]["given"]["params"]["value"] is None


def test_chance_networks_are_left_out_once(found):
    learning = means("accuracy") > 0.122
    score = found["scores"]["good"]
    expected = spearmanr(means("good")[learning], means("accuracy")[learning]).statistic
    assert score["without_chance"]["spearman"]["value"] == pytest.approx(expected)
    assert score["without_chance"]["spearman"]["n"] == N - 5
    assert analyse(build(chance=None), resamples=20)["scores"]["good"]["without_chance"] is None


def test_what_is_only_k_shows_within_k(found):
    only_k, good = found["scores"]["only-k"], found["scores"]["good"]
    assert only_k["raw"]["spearman"]["low"] > 0.5
    within = only_k["strata"]["k"]["within"]
    assert within["low"] < 0 < within["high"]
    assert good["strata"]["k"]["within"]["value"] > 0.7 > good["raw"]["spearman"]["value"]
    assert good["strata"]["k"]["within"]["low"] > 0.3
    assert list(good["strata"]["k"]) == ["0", "1", "2", "within"]


def test_within_is_the_mean_of_the_strata_by_their_size(found):
    strata = dict(found["scores"]["holes"]["strata"]["k"])
    within = strata.pop("within")
    rho = [one["spearman"]["value"] for one in strata.values()]
    n = [one["n"] for one in strata.values()]
    assert within["value"] == pytest.approx(np.average(rho, weights=n))
    assert within["n"] == sum(n) == found["scores"]["holes"]["n"]
    among = np.array(STRATA) == 1
    expected = spearmanr(means("noise")[among], means("accuracy")[among]).statistic
    second = found["scores"]["noise"]["strata"]["k"]["1"]
    assert second["spearman"]["value"] == pytest.approx(expected)
    assert found["scores"]["k"]["strata"]["k"]["within"]["value"] is None


def test_the_top_fifth_is_that_of_the_reference(found):
    accuracy = means("accuracy")
    top = accuracy >= np.sort(accuracy)[-N // 5]
    expected = spearmanr(means("good")[top], accuracy[top]).statistic
    one = found["scores"]["good"]["top20"]["spearman"]
    assert (one["value"], one["n"]) == (pytest.approx(expected), top.sum())


def test_the_top_k_of_a_score_without_ties(found):
    top, accuracy = found["scores"]["good"]["top"], means("accuracy")
    order = np.argsort(-means("good"))
    assert top["k"] == [1, 3, 5, 10]
    for at, k in enumerate(top["k"]):
        best = accuracy[order[:k]].max()
        assert top["regret"][at]["value"] == pytest.approx(accuracy.max() - best)
        assert top["best_rank"][at]["value"] == pytest.approx(1 + (accuracy > best + 1e-9).sum())
        assert top["chance"][at] == pytest.approx(k / N)


def test_more_than_there_are_have_no_top():
    top = analyse(SAMPLE, resamples=20, ks=(5, 61))["scores"]["good"]["top"]
    assert [one["value"] is None for one in top["precision"]] == [False, True]
    assert top["regret"][1]["reason"] == "fewer than 61 networks"
    assert top["chance"][1] is None


def test_the_ceiling_is_of_both_reliabilities(found):
    score = found["scores"]["good"]
    product = score["reliability"]["of_mean"] * found["reference"]["reliability"]["of_mean"]
    assert score["ceiling"] == pytest.approx(np.sqrt(product))
    assert 0 < score["reliability"]["icc"]["value"] < score["reliability"]["of_mean"] < 1


def test_seconds_are_those_known(found):
    assert found["scores"]["good"]["seconds"] == {"median": 0.5, "low": 0.5, "high": 0.5}
    assert found["scores"]["noise"]["seconds"] == {"median": None, "low": None, "high": None}


def test_scores_between_each_other_lie_in_clustered_order(found):
    between = found["between"]
    names = [name for name in SAMPLE.goals if name != "accuracy"]
    assert sorted(between["names"]) == sorted(names)
    assert [names[at] for at in between["order"]] == between["names"]
    at = {name: place for place, name in enumerate(between["names"])}
    rho = between["spearman"][at["good"]][at["noise"]]
    assert rho == pytest.approx(spearmanr(means("good"), means("noise")).statistic)
    assert between["spearman"][at["good"]][at["constant"]] is None
    assert abs(at["size"] - at["params"]) == 1


def test_pairs_are_as_many_as_resamples_can_tell(found):
    judged = len(SAMPLE.scores) - len(BASELINES)
    assert len(found["pairs"]) == judged * (judged - 1) // 2 + judged * len(BASELINES)
    assert found["intervals"]["resamples_of_pairs"] == 40 * len(found["pairs"])
    by_name = {(one["a"], one["b"]): one for one in found["pairs"]}
    assert by_name["noise", "k"]["better"] == "b"
    assert by_name["good", "constant"]["p"] is None


def test_few_networks_one_seed_and_no_strata():
    few = build(
        networks=SAMPLE.networks[:4], strata={}, seconds={},
        values={name: table[:4, :1] for name, table in SAMPLE.values.items()},
    )  # fmt: skip
    document = analyse(few, resamples=20)
    json.dumps(document, allow_nan=False)
    assert document["scores"]["good"]["raw"]["spearman"]["reason"] == "fewer than 5 networks"
    assert document["scores"]["good"]["strata"] == {}
    assert document["reference"]["noise_ceiling"] is None


def test_means_that_differ_in_the_last_bit_are_ties():
    tables = {"accuracy": np.array([[0.1, 0.7], [0.7, 0.1], [0.3, 0.5], [0.4, 0.4]])}
    sample = build(networks=("0",) * 4, goals={"accuracy": "max"}, values=tables)
    assert len(set(tables["accuracy"].sum(axis=1))) > 1
    assert len(set(sample.means("accuracy"))) == 1


def test_a_lower_reference_may_be_better():
    error = {**SAMPLE.values, "accuracy": 1 - SAMPLE.values["accuracy"]}
    goals = {**SAMPLE.goals, "accuracy": "min"}
    turned = analyse(build(values=error, goals=goals, chance=0.9), resamples=20)
    plain = analyse(SAMPLE, resamples=20)
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
