"""Noise: its size is what the level says, and the same draws serve all levels."""

from __future__ import annotations

import numpy as np
import pytest

from evo_core.data import Samples
from evo_core.evaluating.corruption import corrupted, input_range, kept_spikes
from evo_core.evaluating.question import Condition

GREY = Samples(np.full((50, 2, 20, 20), 128, np.uint8), np.zeros(50, np.int64), scale=1 / 255)
SPAN = (0.0, 1.0)
PLACES = GREY.inputs.size  # 40,000: a share has a standard error of at most 0.0025


def noisy(kind, level, samples=GREY, span=SPAN):
    return corrupted(samples, Condition(kind, level), span, np.random.default_rng(3)).frames(1)[0]


@pytest.mark.parametrize("level", [0.05, 0.5, 1.0])
def test_salt_and_pepper_change_that_share_to_the_ends(level):
    seen = noisy("salt-pepper", level)
    changed = seen != np.float32(128 / 255)
    assert set(np.unique(seen[changed])) == {0, 1}
    assert abs(changed.mean() - level) < 5 * 0.0025
    assert abs((seen == 1).mean() - level / 2) < 5 * 0.0025


def test_gaussian_noise_has_the_standard_deviation_of_its_level():
    seen = noisy("gaussian", 0.1)
    assert seen.std() == pytest.approx(0.1, rel=0.02)
    assert seen.mean() == pytest.approx(128 / 255, abs=0.003)


def test_gaussian_noise_is_in_units_of_the_input_range_and_clipped_to_it():
    wide = Samples(GREY.inputs.astype(np.float32), GREY.labels)
    seen = noisy("gaussian", 0.1, wide, (0.0, 255.0))
    assert seen.std() == pytest.approx(25.5, rel=0.02)
    assert noisy("gaussian", 3.0).min() == 0
    assert noisy("gaussian", 3.0).max() == 1


def test_shot_noise_counts_photons():
    """The variance of a value is the value times that of the top."""
    dim = Samples(np.full((50, 2, 20, 20), 0.25), GREY.labels)
    seen = noisy("shot", 0.1, dim)
    assert np.allclose(seen * 100, np.rint(seen * 100), atol=1e-4)
    assert seen.std() == pytest.approx(0.1 * 0.25**0.5, rel=0.02)


def test_more_salt_and_pepper_changes_what_less_did():
    less, more = noisy("salt-pepper", 0.1), noisy("salt-pepper", 0.3)
    changed = less != np.float32(128 / 255)
    assert np.array_equal(less[changed], more[changed])


def test_more_gaussian_noise_is_the_same_noise_scaled():
    less, more = (noisy("gaussian", level) - np.float32(128 / 255) for level in (0.02, 0.04))
    assert np.allclose(more, 2 * less, atol=1e-6)


def test_what_few_lost_spikes_take_more_take_as_well():
    few, many = (kept_spikes((40, 500), share, np.random.default_rng(3)) for share in (0.2, 0.6))
    assert (many <= few).all()
    assert abs(many.mean() - 0.4) < 5 * (0.4 * 0.6 / 20_000) ** 0.5


def test_each_event_is_lost_with_the_same_chance():
    counts = np.random.default_rng(0).poisson(2.0, (20, 3, 2, 16, 16)).astype(np.uint8)
    events = Samples(counts, np.zeros(20, np.int64))
    seen = corrupted(events, Condition("drop-events", 0.3), SPAN, np.random.default_rng(1)).inputs
    assert (seen <= counts).all()
    error = (0.3 * 0.7 / counts.sum()) ** 0.5
    assert abs(seen.sum() / counts.sum() - 0.7) < 5 * error


def test_the_input_range_is_that_of_what_a_network_sees():
    assert input_range(Samples(np.arange(4).reshape(1, 1, 2, 2), np.zeros(1, int), 0.5)) == (0, 1.5)
