"""Frames of events: every event counted once, in the frame, polarity and pixel it belongs to."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evo_data.events import Events
from evo_data.frames import integrate

COUNTS = st.integers(1, 400)
STEPS = st.integers(1, 20)
SPLITS = st.sampled_from(["number", "time"])


def recording(n, seed=0, length=10_000, side=32):
    rng = np.random.default_rng(seed)
    x, y = rng.integers(0, side, (2, n)).astype(np.int16)
    t = np.sort(rng.integers(0, length, n))
    return Events(t, x, y, rng.integers(0, 2, n).astype(np.uint8))


def plain(events, side, frames, split_by):
    """Count events one by one, as the definition says."""
    counts = np.zeros((frames, 2, side, side), int)
    n, first = len(events), int(events.t[0])
    span = (int(events.t[-1]) - first) // frames
    for i in range(n):
        each, place = (n // frames, i) if split_by == "number" else (span, int(events.t[i]) - first)
        step = frames - 1 if each == 0 else min(place // each, frames - 1)
        counts[step, events.p[i], events.y[i], events.x[i]] += 1
    return counts


@given(COUNTS, STEPS, SPLITS, st.integers(0, 9))
def test_frames_count_every_event_where_the_definition_puts_it(n, frames, split_by, seed):
    events = recording(n, seed)
    made = integrate(events, (32, 32), frames=frames, split_by=split_by)
    assert made.dtype == np.uint8
    assert np.array_equal(made, plain(events, 32, frames, split_by))


@given(COUNTS, STEPS)
def test_frames_by_number_hold_as_many_events_each_and_the_last_the_rest(n, frames):
    made = integrate(recording(n), (32, 32), frames=frames, split_by="number")
    sums = made.sum((1, 2, 3), dtype=int)
    assert set(sums[:-1]) <= {n // frames}
    assert sums.sum() == n


def test_a_stretch_of_time_without_events_is_an_empty_frame():
    events = recording(4)
    events.t[:] = [0, 1, 98, 100]
    made = integrate(events, (32, 32), frames=4, split_by="time")
    assert made.sum((1, 2, 3)).tolist() == [2, 0, 0, 2]


def test_events_of_one_instant_are_in_the_last_frame():
    events = recording(9)
    events.t[:] = 7
    made = integrate(events, (32, 32), frames=3, split_by="time")
    assert made.sum((1, 2, 3)).tolist() == [0, 0, 9]


@given(COUNTS, st.sampled_from([1, 2, 4, 8, 16, 32]), SPLITS)
def test_pooling_adds_up_the_counts_of_neighbouring_pixels(n, size, split_by):
    events, block = recording(n), 32 // size
    full = integrate(events, (32, 32), frames=3, split_by=split_by)
    pooled = full.reshape(3, 2, size, block, size, block).sum((3, 5))
    made = integrate(events, (32, 32), frames=3, split_by=split_by, size=size)
    assert np.array_equal(made, np.minimum(pooled, 255))


@pytest.mark.parametrize("size", [5, 12, 31])
def test_sizes_that_do_not_divide_that_of_the_camera_lose_no_event(size):
    made = integrate(recording(400), (32, 32), frames=3, split_by="number", size=size)
    assert made.shape == (3, 2, size, size)
    assert made.sum(dtype=int) == 400
    assert (made.sum((0, 1)) > 0).mean() > 0.3


def test_counts_stay_at_255():
    zeros = np.zeros(1000, np.int16)
    events = Events(np.arange(1000), zeros, zeros, zeros.astype(np.uint8))
    made = integrate(events, (32, 32), frames=3, split_by="number")
    assert made[:, 0, 0, 0].tolist() == [255, 255, 255]
    assert made.sum(dtype=int) == 3 * 255
