"""The top of a score against all ways to break its ties, one after the other."""

from itertools import permutations

import numpy as np
import pytest
from sklearn.metrics import ndcg_score

from evo_core.comparing.curves import grid, picked, regret_curve
from evo_core.comparing.tops import Places, ndcg, precision, regret_and_rank

X = np.array([3.0, 1, 3, 2, 1, 1, 3])
Y = np.array([0.5, 0.9, 0.7, 0.7, 0.1, 0.9, 0.7])
CASES = [(X, Y), (X, -Y), (Y, X), (np.zeros(7), Y), (np.arange(7.0), Y), (Y, Y)]
KS = range(1, 8)


def orders(values):
    """All ways to sort from the best down."""
    found = permutations(range(len(values)))
    return np.array([order for order in found if (np.diff(values[list(order)]) <= 0).all()])


def places(x, y):
    one = np.ones((1, len(x)))
    return Places.of(x, one), Places.of(y, one)


@pytest.mark.parametrize(("x", "y"), CASES)
@pytest.mark.parametrize("k", KS)
def test_precision_is_the_mean_over_all_ways_to_break_ties(x, y, k):
    tops_x = np.stack([np.isin(np.arange(7), order[:k]) for order in orders(x)]).mean(axis=0)
    tops_y = np.stack([np.isin(np.arange(7), order[:k]) for order in orders(y)])
    slow = np.mean([(tops_x * top).sum() / k for top in tops_y])
    assert precision(*places(x, y), k)[0] == pytest.approx(slow)


@pytest.mark.parametrize(("x", "y"), CASES)
@pytest.mark.parametrize("k", KS)
def test_regret_and_rank_are_means_over_all_ways_to_break_ties(x, y, k):
    best = np.array([y[order[:k]].max() for order in orders(x)])
    ranks = [1 + (y > one).sum() for one in best]
    regret, rank = regret_and_rank(*places(x, y), k)
    assert regret[0] == pytest.approx(np.mean(y.max() - best), abs=1e-12)
    assert rank[0] == pytest.approx(np.mean(ranks))


@pytest.mark.parametrize(("x", "y"), CASES)
@pytest.mark.parametrize("k", [None, 1, 3])
def test_ndcg_is_that_of_scikit_learn_on_ranks(x, y, k):
    relevance = np.array([(y < one).sum() + ((y == one).sum() - 1) / 2 for one in y]) / 6
    assert ndcg(*places(x, y), k)[0] == pytest.approx(ndcg_score([relevance], [x], k=k))


@pytest.mark.parametrize("k", [1, 3, 10])
def test_resamples_are_networks_drawn_again(k):
    rng = np.random.default_rng(2)
    x, y = rng.integers(6, size=20).astype(float), rng.integers(9, size=20).astype(float)
    counts = rng.multinomial(20, np.full(20, 0.05), 25).astype(float)
    by_x, by_y = Places.of(x, counts), Places.of(y, counts)
    measures = (
        precision,
        ndcg,
        lambda *a: regret_and_rank(*a)[0],
        lambda *a: regret_and_rank(*a)[1],
    )
    found = [measure(by_x, by_y, k) for measure in measures]
    for row, drawn in enumerate(counts.astype(int)):
        at = np.repeat(np.arange(20), drawn)
        alone = [measure(*places(x[at], y[at]), k)[0] for measure in measures]
        np.testing.assert_allclose([each[row] for each in found], alone, atol=1e-10)


def test_precision_by_chance_is_k_of_n():
    assert precision(*places(np.zeros(50), np.arange(50.0)), 10)[0] == pytest.approx(0.2)


def test_nothing_can_be_told_of_a_constant_reference():
    assert np.isnan(ndcg(*places(np.arange(5.0), np.ones(5))))[0]


@pytest.mark.parametrize("m", [1, 2, 4, 6, 7])
def test_who_is_picked_of_m_at_random(m):
    rng = np.random.default_rng(3)
    wins = np.zeros(7)
    for _ in range(20_000):
        some = rng.permutation(7)[:m]  # in random order, so the first of the best is a random one
        wins[some[np.argmax(X[some])]] += 1
    np.testing.assert_allclose(picked(X, m), wins / wins.sum(), atol=0.015)


def test_the_regret_curve_starts_at_random_and_ends_at_the_best_of_the_score():
    rng = np.random.default_rng(4)
    y = rng.normal(size=101)
    x = y + rng.normal(size=101)
    curve = regret_curve(x, y)
    assert curve["scored"] == grid(101)
    assert curve["mean"][0] == pytest.approx(y.max() - y.mean())
    assert curve["median"][0] == pytest.approx(y.max() - np.median(y))
    last = y.max() - y[np.argmax(x)]
    assert [curve[name][-1] for name in ("mean", "median", "low", "high")] == pytest.approx(
        [last] * 4
    )
    assert regret_curve(y, y)["mean"][-1] == 0
    assert (np.diff(regret_curve(y, y)["mean"]) < 0).all()


def test_the_regret_curve_of_nothing():
    assert regret_curve(np.array([]), np.array([]))["scored"] == []
