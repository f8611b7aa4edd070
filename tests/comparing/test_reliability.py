"""Variance components against a textbook, a simulation and a slow definition."""

import numpy as np
import pytest

from evo_core.comparing.reliability import Groups, noise_ceiling, reliability, seed_rho
from evo_core.comparing.resampling import Bootstrap

BOOTSTRAP = Bootstrap(200, 0)
# Six targets and four judges: table 2 of Shrout & Fleiss 1979
RATINGS = np.array(
    [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7.0]]
)


def test_the_example_of_shrout_and_fleiss():
    found = reliability(RATINGS, BOOTSTRAP)
    assert found["icc"]["value"] == pytest.approx(0.71, abs=0.005)  # ICC(3,1)
    assert found["of_mean"] == pytest.approx(0.91, abs=0.005)  # ICC(3,4)
    assert found["sd_within"] ** 2 == pytest.approx(1.02, abs=0.005)
    assert found["networks"] == 6


def slow_components(values, lost=0):
    """Sums of squares, network by network."""
    groups = [row[np.isfinite(row)] for row in values if np.isfinite(row).any()]
    everything, a = np.concatenate(groups), len(groups)
    total = len(everything)
    msb = sum(len(g) * (g.mean() - everything.mean()) ** 2 for g in groups) / (a - 1)
    msw = sum(((g - g.mean()) ** 2).sum() for g in groups) / (total - a - lost)
    n0 = (total - sum(len(g) ** 2 for g in groups) / total) / (a - 1)
    return (msb - msw) / n0, msw


def test_networks_may_have_different_numbers_of_seeds():
    rng = np.random.default_rng(0)
    values = rng.normal(size=(9, 1)) + rng.normal(size=(9, 4))
    values[rng.random((9, 4)) < 0.3] = np.nan
    values[0] = np.nan
    groups = Groups.of(values)  # three have all values: too few to tell what a seed does
    found = groups.components(np.ones((1, 8)))
    assert np.ravel(found) == pytest.approx(slow_components(values))
    counts = rng.multinomial(8, np.full(8, 1 / 8), 10).astype(float)
    drawn = np.stack(groups.components(counts), axis=1)
    kept = values[np.isfinite(values).any(axis=1)]
    slow = [slow_components(np.repeat(kept, row.astype(int), axis=0)) for row in counts]
    np.testing.assert_allclose(drawn, slow)


def test_what_a_seed_does_to_all_networks_alike_is_no_noise():
    rng = np.random.default_rng(3)
    values = rng.normal(size=(40, 1)) + 0.3 * rng.normal(size=(40, 3))
    values[15:, 1:] = np.nan
    shifted = values + np.array([0, 50, -20])
    one, other = reliability(values, BOOTSTRAP), reliability(shifted, BOOTSTRAP)
    assert other["icc"]["value"] == pytest.approx(one["icc"]["value"])
    assert other["of_mean"] == pytest.approx(one["of_mean"])
    whole = values[:15] - values[:15].mean(axis=0) + values[:15].mean()
    found = Groups.of(values[:15]).components(np.ones((1, 15)))
    assert np.ravel(found) == pytest.approx(slow_components(whole, lost=2))


@pytest.mark.parametrize("noise", [0.5, 1.0, 2.0])
def test_a_simulation_gives_its_own_variance_components(noise):
    rng = np.random.default_rng(1)
    truth = rng.normal(size=(4000, 1))
    values = truth + noise * rng.normal(size=(4000, 3))
    values[:1000, 1:] = np.nan
    one = np.ones((1, 4000))
    between, within = Groups.of(values).components(one)
    assert between[0] == pytest.approx(1, abs=0.1)
    assert within[0] == pytest.approx(noise**2, rel=0.05)
    expected = 1 / (1 + noise**2 * (0.25 + 0.75 / 3))
    assert Groups.of(values).of_mean(one)[0] == pytest.approx(expected, abs=0.03)


def test_the_noise_ceiling_is_how_well_a_noisy_reference_follows_the_truth():
    rng = np.random.default_rng(2)
    truth = rng.normal(size=(5000, 1))
    values = truth + rng.normal(size=(5000, 3))
    ceiling, (low, high) = noise_ceiling(values, BOOTSTRAP)
    assert ceiling == pytest.approx(np.corrcoef(truth[:, 0], values.mean(axis=1))[0, 1], abs=0.01)
    assert low < ceiling < high < 1


def test_what_never_changes_with_the_seed_is_reliable():
    found = reliability(np.repeat(np.arange(8.0)[:, None], 3, axis=1), BOOTSTRAP)
    assert (found["icc"]["value"], found["of_mean"], found["seed_rho"]) == (1, 1, pytest.approx(1))
    assert found["sd_within"] == 0


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (np.arange(8.0)[:, None], "no network has values under two seeds"),
        (np.full((8, 3), np.nan), "no network has values under two seeds"),
        (np.full((8, 3), 0.1), "all values are equal"),
        (np.arange(6.0).reshape(3, 2), "fewer than 5 networks"),
    ],
    ids=["one seed", "undefined", "constant", "few"],
)
def test_reliability_that_can_not_be_known(values, reason):
    found = reliability(values, BOOTSTRAP)
    assert found["icc"]["value"] is None
    assert found["icc"]["reason"] == reason
    assert found["of_mean"] is None
    assert noise_ceiling(values, BOOTSTRAP) == (None, None)


def test_seed_rho_is_the_mean_over_pairs_of_seeds():
    seeds = np.array([np.arange(6.0), np.arange(6.0) ** 2, -np.arange(6.0)]).T
    assert seed_rho(seeds) == pytest.approx((1 - 1 - 1) / 3)
