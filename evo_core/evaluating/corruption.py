"""What happens to inputs before a network sees them; the same generator gives the same draws.

One draw serves all levels of gaussian noise, of salt and pepper and of lost spikes, so the points
of a curve differ by their level, and as little as can be by chance: the same normal numbers are
scaled, and a stronger level of the others changes what a weaker one did, and more. Counts (photons,
events that are kept) are drawn for each level: numpy takes another number of random bits for each.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from evo_core.data import Samples
from evo_core.evaluating.question import DROP, STEPS, Condition

Array = npt.NDArray[Any]


def input_range(samples: Samples) -> tuple[float, float]:
    """Give the lowest and the highest value that a network sees of some samples."""
    ends = float(samples.inputs.min()), float(samples.inputs.max())
    low, high = (np.float32(end) * np.float32(samples.scale) for end in ends)
    return float(low), float(high)


def corrupted(
    samples: Samples, condition: Condition, span: tuple[float, float], rng: np.random.Generator
) -> Samples:
    """Show samples under a condition; spikes that an encoding makes are not there yet.

    Args:
        samples: Images ``[B, C, H, W]``, or frames of events ``[B, T, C, H, W]``.
        condition: The condition.
        span: The input range of the data, lowest and highest.
        rng: Where noise is drawn from.
    """
    events = samples.inputs.ndim == 5
    if condition.kind == STEPS and events:
        return Samples(samples.inputs[:, : int(condition.level)], samples.labels, samples.scale)
    if condition.kind == DROP and events:
        kept = _kept_events(samples.inputs, condition.level, rng)
        return Samples(kept, samples.labels, samples.scale)
    make = _NOISE.get(condition.kind)
    if make is None:
        return samples
    low, high = span
    width = (high - low) or 1.0
    units = (samples.scaled().astype(np.float32) - low) / width
    noisy = low + width * make(units, condition.level, rng)
    return Samples(noisy.clip(low, high).astype(np.float32), samples.labels)


def kept_spikes(shape: tuple[int, ...], share: float, rng: np.random.Generator) -> Array:
    """Draw which spikes of an encoded batch stay, 0 or 1, if a share of them is lost."""
    return (rng.random(shape, np.float32) >= share).astype(np.float32)


def _kept_events(counts: Array, share: float, rng: np.random.Generator) -> Array:
    """Lose each event of frames of counts with the same chance."""
    kept = counts.astype(np.float32)
    there = counts > 0
    kept[there] = rng.binomial(counts[there].astype(np.int64), 1 - share)
    return kept


def _gaussian(units: Array, level: float, rng: np.random.Generator) -> Array:
    normal: Array = rng.standard_normal(units.shape, np.float32)
    return units + np.float32(level) * normal


def _salt_pepper(units: Array, level: float, rng: np.random.Generator) -> Array:
    place = rng.random(units.shape, np.float32)
    salted = np.where(place >= 1 - level / 2, np.float32(1), units)
    return np.where(place < level / 2, np.float32(0), salted)


def _shot(units: Array, level: float, rng: np.random.Generator) -> Array:
    photons: Array = rng.poisson(units.clip(0, 1).astype(np.float64) / level**2)
    return (photons * level**2).astype(np.float32)


_NOISE = {"gaussian": _gaussian, "salt-pepper": _salt_pepper, "shot": _shot}
