"""What the analysis leaves out, holds fixed and looks into, each against scipy."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from evo_core.comparing.analysis import analyse

N = 60


def test_undefined_values_are_dropped_and_counted(found, means):
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


def test_chance_networks_are_left_out_once(found, means, build_sample):
    learning = means("accuracy") > 0.122
    score = found["scores"]["good"]
    expected = spearmanr(means("good")[learning], means("accuracy")[learning]).statistic
    assert score["without_chance"]["spearman"]["value"] == pytest.approx(expected)
    assert score["without_chance"]["spearman"]["n"] == N - 5
    unknown = analyse(build_sample(chance=None), resamples=20)
    assert unknown["scores"]["good"]["without_chance"] is None


def test_what_is_only_k_shows_within_k(found):
    only_k, good = found["scores"]["only-k"], found["scores"]["good"]
    assert only_k["raw"]["spearman"]["low"] > 0.5
    within = only_k["strata"]["k"]["within"]
    assert within["low"] < 0 < within["high"]
    assert good["strata"]["k"]["within"]["value"] > 0.7 > good["raw"]["spearman"]["value"]
    assert good["strata"]["k"]["within"]["low"] > 0.3
    assert list(good["strata"]["k"]) == ["0", "1", "2", "within"]


def test_within_is_the_mean_of_the_strata_by_their_size(found, means, sample):
    strata = dict(found["scores"]["holes"]["strata"]["k"])
    within = strata.pop("within")
    rho = [one["spearman"]["value"] for one in strata.values()]
    n = [one["n"] for one in strata.values()]
    assert within["value"] == pytest.approx(np.average(rho, weights=n))
    assert within["n"] == sum(n) == found["scores"]["holes"]["n"]
    among = np.array([label == "1" for label in sample.strata["k"]])
    expected = spearmanr(means("noise")[among], means("accuracy")[among]).statistic
    second = found["scores"]["noise"]["strata"]["k"]["1"]
    assert second["spearman"]["value"] == pytest.approx(expected)
    assert found["scores"]["k"]["strata"]["k"]["within"]["value"] is None


def test_the_top_fifth_is_that_of_the_reference(found, means):
    accuracy = means("accuracy")
    top = accuracy >= np.sort(accuracy)[-N // 5]
    expected = spearmanr(means("good")[top], accuracy[top]).statistic
    one = found["scores"]["good"]["top20"]["spearman"]
    assert (one["value"], one["n"]) == (pytest.approx(expected), top.sum())


def test_the_top_k_of_a_score_without_ties(found, means):
    top, accuracy = found["scores"]["good"]["top"], means("accuracy")
    order = np.argsort(-means("good"))
    assert top["k"] == [1, 3, 5, 10]
    for at, k in enumerate(top["k"]):
        best = accuracy[order[:k]].max()
        assert top["regret"][at]["value"] == pytest.approx(accuracy.max() - best)
        assert top["best_rank"][at]["value"] == pytest.approx(1 + (accuracy > best + 1e-9).sum())
        assert top["chance"][at] == pytest.approx(k / N)


def test_more_than_there_are_have_no_top(sample):
    top = analyse(sample, resamples=20, ks=(5, 61))["scores"]["good"]["top"]
    assert [one["value"] is None for one in top["precision"]] == [False, True]
    assert top["regret"][1]["reason"] == "fewer than 61 networks"
    assert top["chance"][1] is None


def test_the_ceiling_is_of_both_reliabilities(found):
    score = found["scores"]["good"]
    product = score["reliability"]["of_mean"] * found["reference"]["reliability"]["of_mean"]
    assert score["ceiling"] == pytest.approx(np.sqrt(product))
    assert 0 < score["reliability"]["icc"]["value"] < score["reliability"]["of_mean"] < 1


def test_pairs_are_as_many_as_resamples_can_tell(found, sample):
    judged = len(sample.scores) - len(sample.baselines)
    assert len(found["pairs"]) == judged * (judged - 1) // 2 + judged * len(sample.baselines)
    assert found["intervals"]["resamples_of_pairs"] == 40 * len(found["pairs"])
    by_name = {(one["a"], one["b"]): one for one in found["pairs"]}
    assert by_name["noise", "k"]["better"] == "b"
    assert by_name["good", "constant"]["p"] is None
