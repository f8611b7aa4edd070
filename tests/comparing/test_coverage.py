"""Whether intervals are honest: simulations in which the truth is known."""

from functools import partial

import numpy as np
import pytest
from scipy.special import ndtr
from scipy.stats import kendalltau, spearmanr

from evo_core.comparing.correlations import spearman, taus
from evo_core.comparing.measures import View, given
from evo_core.comparing.pairs import compare
from evo_core.comparing.reliability import reliability
from evo_core.comparing.resampling import Bootstrap

NETWORKS, REPETITIONS, RESAMPLES = 60, 300, 400


def coverage(draw, estimate, truth):
    """Give how often the interval holds the truth."""
    rng = np.random.default_rng(8)
    found = [estimate(*draw(rng), Bootstrap(RESAMPLES, at)) for at in range(REPETITIONS)]
    return np.mean([one["low"] <= truth <= one["high"] for one in found])


def normal(rho, steps, rng, n=NETWORKS):
    """Draw from a bivariate normal with Spearman's rho; the second in steps, if there are any."""
    r = 2 * np.sin(np.pi * rho / 6)
    x, noise = rng.normal(size=(2, n))
    y = r * x + np.sqrt(1 - r**2) * noise
    return x, np.round(ndtr(y) * steps) / steps if steps else y


def one_measure(measure):
    def estimate(x, y, bootstrap):
        return View(x, y, bootstrap).estimates(lambda c: {"m": measure(x, y, c)}, "m")["m"]

    return estimate


@pytest.mark.parametrize("rho", [0.0, 0.3, 0.7])
def test_intervals_of_spearman_hold_the_truth(rho):
    found = coverage(partial(normal, rho, 0), one_measure(spearman), rho)
    assert 0.90 <= found <= 0.98


@pytest.mark.parametrize("rho", [0.3, 0.7])
def test_intervals_with_tied_accuracies_hold_the_truth(rho):
    many = normal(rho, 8, np.random.default_rng(1), n=200_000)
    found = coverage(partial(normal, rho, 8), one_measure(spearman), spearmanr(*many).statistic)
    assert 0.90 <= found <= 0.98


@pytest.mark.parametrize("steps", [0, 8])
def test_intervals_of_tau_b_hold_the_truth(steps):
    many = normal(0.6, steps, np.random.default_rng(1), n=200_000)
    measure = one_measure(lambda *arguments: taus(*arguments)[0])
    found = coverage(partial(normal, 0.6, steps), measure, kendalltau(*many).statistic)
    assert 0.90 <= found <= 0.98


def test_intervals_given_size_hold_0_for_what_is_only_size():
    def draw(rng):
        size, x, y = rng.normal(size=(3, NETWORKS))
        return x + 2 * size, y - size, size

    found = coverage(draw, lambda x, y, z, bootstrap: given(x, y, z, "params", bootstrap), 0)
    assert 0.90 <= found <= 0.98


def test_intervals_of_reliability_hold_the_truth():
    def draw(rng):
        return (rng.normal(size=(NETWORKS, 1)) + 0.5 * rng.normal(size=(NETWORKS, 3)),)

    found = coverage(draw, lambda values, bootstrap: reliability(values, bootstrap)["icc"], 0.8)
    assert 0.90 <= found <= 0.98


def test_two_scores_that_rank_alike_are_seldom_told_apart():
    rng = np.random.default_rng(8)
    ps = []
    for at in range(REPETITIONS):
        y, first, second = rng.normal(size=(3, NETWORKS))
        columns = {"a": y + first, "b": -y + second}
        ps.append(compare(columns, y, [("a", "b")], Bootstrap(RESAMPLES, at))[0]["p"])
    assert 0.01 <= np.mean(np.array(ps) < 0.05) <= 0.09
