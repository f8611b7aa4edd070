"""Correlations of resamples against scipy on the networks drawn, one resample after the other."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kendalltau, rankdata, spearmanr, weightedtau

from evo_core.comparing import correlations

ONE = np.ones((1, 12))


def some_values(rng, n, distinct):
    return (
        rng.permutation(n).astype(float) if distinct is None else rng.integers(distinct, size=n) / 7
    )


@pytest.fixture(params=[None, 3, 8], ids=["no ties", "three values", "eight values"])
def drawn(request):
    """Two variables with and without ties, resamples of them as counts, and as indices."""
    rng = np.random.default_rng(5)
    x, y, z = (some_values(rng, 12, request.param) for _ in range(3))
    counts = rng.multinomial(12, np.full(12, 1 / 12), 30).astype(float)
    return x, y, z, counts, [np.repeat(np.arange(12), row.astype(int)) for row in counts]


def expect(found, slow, chosen):
    np.testing.assert_allclose(found, [slow(index) for index in chosen], atol=1e-12)


def test_spearman_of_resamples_is_that_of_the_networks_drawn(drawn):
    x, y, _, counts, chosen = drawn
    found = correlations.spearman(x, y, counts)
    expect(found, lambda at: spearmanr(x[at], y[at]).statistic, chosen)


def test_tau_b_of_resamples(drawn):
    x, y, _, counts, chosen = drawn
    expect(
        correlations.taus(x, y, counts)[0], lambda at: kendalltau(x[at], y[at]).statistic, chosen
    )


def test_weighted_tau_of_resamples(drawn):
    x, y, _, counts, chosen = drawn
    found = correlations.taus(x, y, counts)[1]
    expect(found, lambda at: weightedtau(x[at], y[at]).statistic, chosen)


def test_many_columns_at_once_are_each_one_alone(drawn):
    x, y, z, counts, _ = drawn
    found = correlations.spearmans({"x": x, "z": z}, y, counts)
    for name, column in (("x", x), ("z", z)):
        np.testing.assert_allclose(found[name], correlations.spearman(column, y, counts), atol=1e-6)


def residuals(values, control):
    """What a straight line through the control leaves of the ranks."""
    ranks, by = rankdata(values), rankdata(control)
    slope, intercept = np.polyfit(by, ranks, 1)
    return ranks - slope * by - intercept


def test_partial_correlation_is_that_of_the_residuals_of_ranks(drawn):
    x, y, z, counts, chosen = drawn
    found = correlations.partial_spearman(x, y, z, counts)

    def slow(at):
        return np.corrcoef(residuals(x[at], z[at]), residuals(y[at], z[at]))[0, 1]

    expect(found, slow, chosen)


@pytest.mark.parametrize(
    "function", [np.exp, lambda z: -z, np.floor], ids=["exp", "minus", "floor"]
)
def test_partial_correlation_of_what_orders_as_the_control_does(function):
    rng = np.random.default_rng(1)
    control = np.arange(12.0)
    y = rng.normal(size=12)
    assert np.isnan(correlations.partial_spearman(function(control), y, control, ONE))
    assert np.isnan(correlations.partial_spearman(y, function(control), control, ONE))


@pytest.mark.parametrize("measure", [correlations.spearman, correlations.taus])
def test_constants_have_no_correlation(measure):
    found = measure(np.full(12, 0.3), np.arange(12.0), ONE)
    assert np.isnan(found).all()


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=3, max_size=20))
def test_against_scipy_with_any_ties(pairs):
    x, y = np.array(pairs, dtype=float).T
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        return
    one = np.ones((1, len(x)))
    assert correlations.spearman(x, y, one)[0] == pytest.approx(spearmanr(x, y).statistic)
    tau, weighted = correlations.taus(x, y, one)
    assert tau[0] == pytest.approx(kendalltau(x, y).statistic)
    assert weighted[0] == pytest.approx(weightedtau(x, y).statistic)


def test_the_best_share_keeps_all_ties_of_its_last():
    y = np.array([5.0, 4, 4, 3, 2, 1, 0, 0, 0, 0])
    kept = correlations.best_share(y, np.ones((1, 10)), 0.2)
    assert kept[0].tolist() == [1, 1, 1, 0, 0, 0, 0, 0, 0, 0]
    twice = np.array([[2.0, 1, 0, 3, 0, 1, 1, 1, 1, 0]])
    assert correlations.best_share(y, twice, 0.2)[0].tolist() == [2, 0, 0, 0, 0, 0, 0, 0, 0, 0]
