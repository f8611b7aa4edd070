"""Statistics over seeds: against enumeration, scipy and worked numbers."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from evo_core.comparing.searches.curves import MOST_POINTS, curve_of
from evo_core.comparing.searches.stats import exchange, pairs_of, sign_flip, spread_of

numbers = st.integers(-20, 20).map(lambda n: n / 8)  # sums are exact, so ties are ties


def enumerated_flips(differences):
    observed = abs(sum(differences))
    sums = [
        abs(sum(sign * one for sign, one in zip(signs, differences, strict=True)))
        for signs in itertools.product((-1, 1), repeat=len(differences))
    ]
    return sum(one >= observed for one in sums) / len(sums)


def enumerated_exchanges(a, b):
    both = [*a, *b]
    rest = [
        np.mean(taken := [both[i] for i in chosen]) - (sum(both) - sum(taken)) / len(b)
        for chosen in itertools.combinations(range(len(both)), len(a))
    ]
    observed = np.mean(a) - np.mean(b)
    above = np.mean([one >= observed - 1e-12 for one in rest])
    below = np.mean([one <= observed + 1e-12 for one in rest])
    return min(1.0, 2 * min(above, below))


@settings(deadline=None, max_examples=40)
@given(st.lists(numbers, min_size=1, max_size=8))
def test_sign_flips_are_enumerated(differences):
    assert sign_flip(differences) == pytest.approx(enumerated_flips(differences))


def test_sign_flips_agree_with_scipy():
    differences = np.array([0.4, 0.1, 0.3, -0.1, 0.25, 0.6])
    found = stats.permutation_test((differences,), np.mean, permutation_type="samples")
    assert sign_flip(differences) == pytest.approx(found.pvalue)


@pytest.mark.parametrize("n", range(1, 7))
def test_n_equal_signs_give_the_smallest_p(n):
    assert sign_flip([1.0 + i for i in range(n)]) == pytest.approx(2 / 2**n)


def test_many_pairs_are_drawn_alike_and_near_the_t_test():
    differences = np.random.default_rng(3).normal(0.4, 1, 25)
    p = sign_flip(differences)
    assert p == sign_flip(differences)
    assert p != sign_flip(differences, seed=1)
    assert p == pytest.approx(stats.ttest_1samp(differences, 0).pvalue, abs=0.01)


@settings(deadline=None, max_examples=40)
@given(
    st.lists(numbers, min_size=1, max_size=5),
    st.lists(numbers, min_size=2, max_size=5),
)
def test_exchanges_are_enumerated(a, b):
    assert exchange(a, b) == pytest.approx(enumerated_exchanges(a, b))


def test_the_interval_of_a_mean_is_that_of_scipy():
    values = [0.81, 0.85, 0.79, 0.90]
    found = spread_of([*values, None])
    low, high = stats.t.interval(0.95, 3, np.mean(values), stats.sem(values))
    assert found["n"] == 4
    assert (found["low"], found["high"]) == pytest.approx((low, high))
    assert found["sd"] == pytest.approx(np.std(values, ddof=1))


def test_one_value_has_no_interval_and_none_no_mean():
    assert spread_of([0.5]) == {"n": 1, "mean": 0.5, "sd": None, "low": None, "high": None}
    assert spread_of([None])["mean"] is None


def test_equal_values_have_an_interval_without_width():
    found = spread_of([2.0, 2.0, 2.0])
    assert (found["low"], found["high"]) == (2.0, 2.0)


def test_a_pair_is_compared_on_its_common_seeds():
    a = {0: 0.9, 1: 0.8, 2: 0.7, 7: 0.1}
    b = {0: 0.8, 1: 0.6, 2: None, 7: 0.2, 9: 5.0}
    (pair,) = pairs_of({"a": a, "b": b}, "max")
    assert pair["paired"]
    assert pair["seeds"] == [0, 1, 7]
    assert pair["differences"] == pytest.approx([0.1, 0.2, -0.1])
    assert pair["p"] == pytest.approx(enumerated_flips(pair["differences"]))
    assert pair["smallest_p"] == 0.25
    found = stats.ttest_1samp(pair["differences"], 0).confidence_interval(0.95)
    assert (pair["low"], pair["high"]) == pytest.approx(tuple(found))
    assert pair["ahead"] == "a"


def test_less_is_better_where_the_goal_is_min():
    (pair,) = pairs_of({"a": {0: 3.0}, "b": {0: 2.0}}, "min")
    assert pair["ahead"] == "b"


def test_without_common_seeds_groups_are_exchanged():
    a, b = {0: 1.0, 1: 2.0, 2: 4.0}, {3: 3.0, 4: 5.0, 5: 6.0, 6: 8.0}
    (pair,) = pairs_of({"a": a, "b": b}, "max")
    first, second = list(a.values()), list(b.values())
    assert not pair["paired"]
    assert pair["p"] == pytest.approx(enumerated_exchanges(first, second))
    assert pair["smallest_p"] == pytest.approx(2 / math.comb(7, 3))
    assert pair["mann_whitney_p"] == pytest.approx(stats.mannwhitneyu(first, second).pvalue)
    welch = stats.ttest_ind(first, second, equal_var=False).confidence_interval(0.95)
    assert (pair["low"], pair["high"]) == pytest.approx(tuple(welch))


def test_a_few_common_seeds_of_many_are_not_paired():
    a = {seed: float(seed) for seed in range(6)}
    b = {seed: float(seed) for seed in range(5, 11)}
    assert not pairs_of({"a": a, "b": b}, "max")[0]["paired"]


def test_a_group_without_values_is_not_tested():
    (pair,) = pairs_of({"a": {0: None}, "b": {0: 1.0}}, "max")
    assert (pair["p"], pair["difference"], pair["ahead"]) == (None, None, None)


def test_curves_are_summed_up_where_every_seed_has_a_value():
    found = curve_of([[None, 1.0, 2.0, 5.0], [0.0, 3.0, 4.0], [0.0, 2.0, 2.0, 2.0]])
    assert found["evaluated"] == [2, 3]
    assert found["median"] == [2.0, 2.0]
    assert found["low"] == [1.5, 2.0]
    assert found["high"] == [2.5, 3.0]


def test_a_seed_that_found_nothing_leaves_no_curve():
    assert curve_of([[None, None], [1.0, 2.0]])["evaluated"] == []


def test_long_curves_keep_their_ends():
    curve = [float(i) for i in range(1000)]
    found = curve_of([curve])
    assert len(found["evaluated"]) == MOST_POINTS
    assert (found["evaluated"][0], found["evaluated"][-1]) == (1, 1000)
    assert found["median"] == [point - 1.0 for point in found["evaluated"]]
