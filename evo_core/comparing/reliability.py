"""How far a score, or the reference, agrees with itself when only the seed changes.

value = mean + seed + network + noise. What a seed does to all networks alike is taken out: it does
not change how they rank. With n_i seeds of network i, S in all, and N values of a networks
(ICC(3,1) of Shrout & Fleiss 1979; Searle 1971 for unequal n_i):

    var_within = MSE, of N - a - (S - 1) degrees of freedom
    var_between = (MSB - MSE) / n0,    n0 = (N - sum n_i^2 / N) / (a - 1)
    icc = var_between / (var_between + var_within)

What is correlated is the mean over the seeds of a network. Its reliability follows from the formula
of Spearman and Brown, with the harmonic mean of the n_i where they differ:

    of_mean = var_between / (var_between + var_within * mean(1 / n_i))

No score can be expected to correlate with a reference above the square root of the reference's
``of_mean``, its noise ceiling. Estimates of var_between below 0 are kept in icc, and are 0 in
ceilings.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from scipy.stats import spearmanr

from evo_core.comparing.resampling import FEWEST, Bootstrap, Estimate, defined, nothing, number
from evo_core.comparing.sample import Floats, level


@dataclass(frozen=True, slots=True)
class Groups:
    """What the analysis of variance needs of each of a networks: how many values, mean, scatter.

    ``lost`` degrees of freedom went into the levels of the seeds.
    """

    sizes: Floats
    means: Floats
    squares: Floats
    lost: int = 0

    @classmethod
    def of(cls, values: Floats) -> Groups:
        """Sum up values [N, S], leaving out levels, NaN and networks that have nothing else.

        All are taken from the first value, so that the components of a constant are 0 exactly.
        """
        levelled, lost = level(np.where(np.isfinite(values), values, np.nan))
        kept = levelled[np.isfinite(values).any(axis=1)]
        there = np.isfinite(kept)
        kept = kept - (kept[there][0] if len(kept) else 0.0)
        sizes = there.sum(axis=1).astype(np.float64)
        means = np.where(there, kept, 0).sum(axis=1) / sizes
        squares = np.where(there, kept - means[:, None], 0) ** 2
        return cls(sizes, means, squares.sum(axis=1), lost)

    @property
    def repeated(self) -> int:
        """How many networks have values under two seeds or more."""
        return int((self.sizes > 1).sum())

    @property
    def reason(self) -> str | None:
        """Why the reliability can not be told, or None."""
        if not self.repeated:
            return "no network has values under two seeds"
        return f"fewer than {FEWEST} networks" if len(self.sizes) < FEWEST else None

    def components(self, counts: Floats) -> tuple[Floats, Floats]:
        """Give var_between and var_within of resamples of the networks [R]."""
        with np.errstate(invalid="ignore", divide="ignore"):
            networks, values = counts.sum(axis=1), counts @ self.sizes
            mean = counts @ (self.sizes * self.means) / values
            spread = (self.means - mean[:, None]) ** 2
            between = np.einsum("rn,n,rn->r", counts, self.sizes, spread) / (networks - 1)
            within = counts @ self.squares / (values - networks - self.lost)
            usual = (values - counts @ self.sizes**2 / values) / (networks - 1)
            return (between - within) / usual, within

    def icc(self, counts: Floats) -> Floats:
        """Give the reliability of a single value [R]."""
        between, within = self.components(counts)
        return _share(between, within)

    def of_mean(self, counts: Floats) -> Floats:
        """Give the reliability of the mean over the seeds that a network has [R]."""
        between, within = self.components(counts)
        return _share(between, within * (counts @ (1 / self.sizes)) / counts.sum(axis=1))


def reliability(values: Floats, bootstrap: Bootstrap) -> dict[str, Any]:
    """Tell how values [N, S] of N networks under S seeds repeat."""
    groups = Groups.of(values)
    size = len(groups.sizes)
    one = np.ones((1, size))
    return {
        "icc": _estimate(groups, bootstrap),
        "of_mean": None if groups.reason else number(groups.of_mean(one)[0]),
        "seed_rho": seed_rho(values),
        "sd_within": number(np.sqrt(groups.components(one)[1][0])),
        "networks": groups.repeated,
    }


def noise_ceiling(values: Floats, bootstrap: Bootstrap) -> tuple[float | None, list[float] | None]:
    """Give the square root of the reliability of the means of values [N, S], and its interval."""
    groups = Groups.of(values)
    if groups.reason:
        return None, None
    size = len(groups.sizes)

    def ceiling(counts: Floats) -> dict[str, Floats]:
        return {"ceiling": np.sqrt(np.maximum(groups.of_mean(counts), 0))}

    found = bootstrap.estimates(ceiling, (size,))["ceiling"]
    return found["value"], None if found["low"] is None else [found["low"], found["high"]]


def seed_rho(values: Floats) -> float | None:
    """Give the mean Spearman correlation between two seeds of values [N, S]."""
    found = []
    for first, second in combinations(values.T, 2):
        both = defined(first, second)
        if both.sum() >= FEWEST:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of constant columns: the correlation is NaN
                found.append(float(spearmanr(first[both], second[both]).statistic))
    finite = [rho for rho in found if np.isfinite(rho)]
    return float(np.mean(finite)) if finite else None


def _estimate(groups: Groups, bootstrap: Bootstrap) -> Estimate:
    size = len(groups.sizes)
    if groups.reason:
        return nothing(size, groups.reason)
    return bootstrap.estimates(lambda counts: {"icc": groups.icc(counts)}, (size,))["icc"]


def _share(between: Floats, noise: Floats) -> Floats:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(between + noise > 0, between / (between + noise), np.nan)
