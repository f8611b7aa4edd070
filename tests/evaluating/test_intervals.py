"""Intervals: they hold the point, cover the truth, and have a width where nothing was wrong."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from evo_core.evaluating import intervals

RIGHT = st.integers(1, 30).flatmap(
    lambda n: st.integers(1, 4).flatmap(lambda draws: arrays(np.bool_, (draws, n)))
)


@given(RIGHT)
def test_an_interval_of_an_accuracy_holds_it(right):
    found = intervals.accuracy(right)
    assert found.value == pytest.approx(right.mean())
    assert 0 <= found.low <= found.value <= found.high <= 1
    assert found.low < found.high


@given(RIGHT, st.randoms(use_true_random=False))
def test_an_interval_of_a_difference_holds_it(right, random):
    other = np.array([[random.random() < 0.5 for _ in row] for row in right])
    found = intervals.difference(right, other)
    assert found.value == pytest.approx(right.mean() - other.mean())
    assert -1 <= found.low <= found.value <= found.high <= 1
    assert found.low < found.high


def test_one_draw_is_wilsons_interval():
    """The published example of 81 of 263 (Newcombe 1998, Table I)."""
    right = np.arange(263)[None] < 81
    found = intervals.accuracy(right)
    assert (round(found.low, 4), round(found.high, 4)) == (0.2553, 0.3662)


def test_draws_that_are_alike_say_no_more_than_one():
    one = np.random.default_rng(0).random((1, 50)) < 0.7
    again = intervals.accuracy(np.repeat(one, 4, axis=0))
    assert again.low == pytest.approx(intervals.accuracy(one).low)


def test_independent_draws_say_more_than_one():
    many = np.random.default_rng(0).random((5, 200)) < 0.5
    one, five = intervals.accuracy(many[:1]), intervals.accuracy(many)
    assert five.high - five.low < 0.6 * (one.high - one.low)


@pytest.mark.parametrize(("spread", "draws"), [(0.0, 3), (0.4, 3), (1.0, 3), (1.0, 1)])
def test_intervals_cover_the_truth_over_samples_and_draws(spread, draws):
    """Each sample has a chance of its own to be recognised under noise; spread 1: always or never.

    Of 1,500 intervals of 95 %, less than 92.5 % or more than 98.5 % is 4.5 standard errors off.
    """
    rng, held, gaps = np.random.default_rng(1), 0, 0
    for _ in range(1500):
        hard = rng.random(80) < 0.85
        chance = np.where(hard, 0.85 + spread * 0.15, 0.85 - spread * 0.85)
        right, other = (rng.random((draws, 80)) < chance for _ in range(2))
        found, gap = intervals.accuracy(right), intervals.difference(right, other)
        held += found.low <= 0.85 <= found.high
        gaps += gap.low <= 0 <= gap.high
    assert 0.925 < held / 1500 < 0.985
    assert gaps / 1500 > 0.925


def test_a_loss_that_is_not_finite_has_no_estimate():
    assert intervals.loss(np.array([[1.0, np.inf]])).value is None


def test_a_loss_of_one_sample_has_no_interval():
    assert intervals.loss(np.array([[1.0]])).to_json() == {"value": 1.0, "low": None, "high": None}
