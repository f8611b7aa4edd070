"""Bootstrap over networks: a value with its interval, the same draws for all that is compared."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from evo_core.comparing.sample import Floats, Mask
from evo_core.seeds import generator

LEVEL = 0.95
FEWEST = 5  # networks; of fewer no measure is given
METHOD = (
    "percentile bootstrap over networks; equal draws for all scores that are defined for the same "
    "number of networks; none where the measure is undefined in more than a tenth of the resamples"
)
_USABLE = 0.9
_CELLS = 2**18  # resamples x networks handled at once: 2 MB an array, which stays in the cache

Estimate = dict[str, Any]
Measure = Callable[[Floats], Mapping[str, Floats]]
"""From how often each network was drawn in each resample [R, n] to values for each, by name [R]."""


@dataclass(frozen=True, slots=True)
class Bootstrap:
    """How often, and from which seed, networks are drawn."""

    resamples: int
    seed: int

    def estimates(self, measure: Measure, sizes: Sequence[int]) -> dict[str, Estimate]:
        """Give all that is measured, with intervals.

        Args:
            measure: What to measure.
            sizes: How many networks each stratum has; the columns of counts lie stratum by stratum,
                and as many networks of a stratum are drawn as it has. One number: no strata.
        """
        n = sum(sizes)
        values = measure(np.ones((1, n)))
        drawn = self.distributions(measure, sizes)
        return {name: _estimate(float(values[name][0]), drawn[name], n) for name in values}

    def distributions(self, measure: Measure, sizes: Sequence[int]) -> dict[str, Floats]:
        """Give all that is measured in each resample [resamples]."""
        rows = max(1, _CELLS // sum(sizes))
        parts = [
            measure(_draw(self.seed, min(rows, self.resamples - at), tuple(sizes), at))
            for at in range(0, self.resamples, rows)
        ]
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def nothing(n: int, reason: str) -> Estimate:
    """Give the estimate of what has none."""
    return {"value": None, "low": None, "high": None, "n": n, "reason": reason}


def interval(distribution: Floats) -> tuple[float, float] | tuple[None, None]:
    """Give the central 95 % of a bootstrap distribution [R]; none where too much of it is NaN."""
    finite = distribution[np.isfinite(distribution)]
    if len(finite) < _USABLE * len(distribution):
        return None, None
    low, high = np.quantile(finite, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def number(value: float | np.floating[Any]) -> float | None:
    """Write a number for JSON: None where it is not finite."""
    return float(value) if np.isfinite(value) else None


def defined(*columns: Floats) -> Mask:
    """Tell where all columns [N] have a value."""
    return np.asarray(np.isfinite(np.stack(columns)).all(axis=0))


def _estimate(value: float, drawn: Floats, n: int) -> Estimate:
    if not np.isfinite(value):
        return nothing(n, "all values are equal")
    low, high = interval(drawn)
    return {"value": value, "low": low, "high": high, "n": n}


@lru_cache(maxsize=16)
def _draw(seed: int, resamples: int, sizes: tuple[int, ...], at: int) -> Floats:
    """Draw counts [resamples, n]; ``at`` is the number of the first resample."""
    rng = generator(seed, "compare resamples", at, *sizes)
    return np.concatenate([_drawn(rng, resamples, size) for size in sizes], axis=1)


def _drawn(rng: np.random.Generator, resamples: int, size: int) -> Floats:
    chosen = rng.integers(size, size=(resamples, size)) + size * np.arange(resamples)[:, None]
    counts = np.bincount(chosen.ravel(), minlength=resamples * size)
    return counts.reshape(resamples, size).astype(np.float64)
