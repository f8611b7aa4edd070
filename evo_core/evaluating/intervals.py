"""How sure a measured number is: 95 % intervals over test samples and draws of noise together.

Noise is drawn anew for each sample, so the means over its draws are independent numbers, one for
each sample, and their spread holds both: which samples were taken, and what was drawn.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
import numpy.typing as npt

from evo_core.comparing.searches.stats import LEVEL, spread_of

Floats = npt.NDArray[np.float64]
Z = NormalDist().inv_cdf((1 + LEVEL) / 2)
METHOD = (
    "95 %, over samples and draws together, from the mean of each sample over its draws: accuracy "
    "by Wilson's score interval with the effective number of samples, the difference of two "
    "accuracies by the paired interval of Agresti and Min, loss by Student's t"
)


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number with its interval; None where there is none, or it is not finite."""

    value: float | None
    low: float | None
    high: float | None

    def to_json(self) -> dict[str, float | None]:
        """Write it as JSON types."""
        return {"value": self.value, "low": self.low, "high": self.high}


def accuracy(right: npt.NDArray[Any]) -> Estimate:
    """Estimate an accuracy by Wilson's score interval (1927).

    For n samples and one draw it is the usual one. With several draws n is the number of samples
    shown once that would leave the mean as unsure (Korn and Graubard 1998): p (1 - p) / variance
    of the mean, between n and all that was shown. Where all or none is right, it is n.

    Args:
        right: What was right, ``[draws, n]``, 0 and 1.
    """
    draws, n = right.shape
    means = right.mean(axis=0, dtype=np.float64)
    p = float(means.mean())
    spread = float(means.var())
    most, shown = p * (1 - p), float(n * draws)
    size = shown if most > 0 else float(n)
    if spread > 0:  # it is at most p (1 - p): no numbers from 0 to 1 with that mean spread more
        size = min(shown, n * most / spread)
    centre = (p + Z**2 / (2 * size)) / (1 + Z**2 / size)
    half = Z / (1 + Z**2 / size) * (most / size + Z**2 / (4 * size**2)) ** 0.5
    return Estimate(p, max(0.0, min(p, centre - half)), min(1.0, max(p, centre + half)))


def difference(right: npt.NDArray[Any], other: npt.NDArray[Any]) -> Estimate:
    """Estimate how much more is right than in another network, on the same samples.

    Wald's interval after two samples more, on one of which both agree, and on half a sample each
    one alone is right (Agresti and Min 2005): also of networks that never differed it has a width.

    Args:
        right: What was right, ``[draws, n]``.
        other: The same of the other network; the number of draws may differ.
    """
    gaps = right.mean(axis=0, dtype=np.float64) - other.mean(axis=0, dtype=np.float64)
    size = len(gaps) + 2
    centre = float(gaps.sum()) / size
    variance = (float((gaps**2).sum()) + 1) / size - centre**2
    half = Z * (variance / size) ** 0.5
    return Estimate(float(gaps.mean()), max(-1.0, centre - half), min(1.0, centre + half))


def loss(losses: Floats) -> Estimate:
    """Estimate a mean loss by Student's t over samples.

    Args:
        losses: The loss of each sample, ``[draws, n]``.
    """
    means = losses.mean(axis=0)
    if not np.isfinite(means).all():
        return Estimate(None, None, None)
    found = spread_of(means.tolist())
    return Estimate(found["mean"], found["low"], found["high"])
