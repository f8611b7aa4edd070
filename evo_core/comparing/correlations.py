"""Rank correlations of resamples: every measure takes how often each network was drawn.

A resample of n networks is a row of counts, so R resamples are counts [R, n], and a row of ones is
the sample itself. All ranks are average ranks, all ties count as ties, in resamples too, where a
network that was drawn twice ties with itself. A measure is NaN where it is not defined.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evo_core.comparing.sample import Floats

SAME = 1e-9  # how near to 1 a rank correlation with the control is a monotone function of it


def signs(values: Floats) -> Floats:
    """Give sign(values[i] - values[j]) at [j, i]; counts @ signs: centred average ranks, twice."""
    return np.sign(values[None, :] - values[:, None])


def spearman(x: Floats, y: Floats, counts: Floats) -> Floats:
    """Give Spearman's correlation of x [n] and y [n] in each resample [R]."""
    return _pearson(counts @ signs(x), counts @ signs(y), counts)


def spearmans(columns: Mapping[str, Floats], y: Floats, counts: Floats) -> dict[str, Floats]:
    """Give Spearman's correlation of many columns [n] with y [n], by name [R], to six digits.

    In float32, in which ranks are exact: twice as fast, for distributions of many resamples.
    """
    drawn = counts.astype(np.float32)
    ranks = drawn @ signs(y).astype(np.float32)
    return {
        name: _pearson(drawn @ signs(x).astype(np.float32), ranks, drawn)
        for name, x in columns.items()
    }


def taus(x: Floats, y: Floats, counts: Floats) -> tuple[Floats, Floats]:
    """Give Kendall's tau-b and the weighted tau [R].

    A pair of the weighted tau weighs 1/r_i + 1/r_j, with r the rank from the best (1) down; it is
    the mean of ranking by x, ties by y, and of ranking by y, ties by x, as in
    ``scipy.stats.weightedtau`` (Vigna 2015, A weighted correlation index for rankings with ties).
    """
    a, b = signs(x), signs(y)
    sums = tuple(counts @ pairs for pairs in (a * b, a**2, b**2))
    by_x = _tau(sums, _hyperbolic(np.lexsort((-y, -x)), counts))
    by_y = _tau(sums, _hyperbolic(np.lexsort((-x, -y)), counts))
    return _tau(sums, counts), (by_x + by_y) / 2


def partial_spearman(x: Floats, y: Floats, control: Floats, counts: Floats) -> Floats:
    """Give Spearman's correlation given the control [n]: the partial correlation of the ranks [R].

    r = (r_xy - r_xz r_yz) / sqrt((1 - r_xz^2)(1 - r_yz^2)); NaN where x or y is a monotone function
    of the control.
    """
    ranks = [counts @ signs(values) for values in (x, y, control)]
    xy, xz, yz = (_pearson(ranks[i], ranks[j], counts) for i, j in ((0, 1), (0, 2), (1, 2)))
    left = (1 - xz**2) * (1 - yz**2)
    fixed = (np.abs(xz) > 1 - SAME) | (np.abs(yz) > 1 - SAME)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(fixed, np.nan, (xy - xz * yz) / np.sqrt(left))


def best_share(y: Floats, counts: Floats, share: float) -> Floats:
    """Keep the best by y alone in counts [R, n]: that share of each resample, with all ties."""
    better = counts @ (y[:, None] > y[None, :]).astype(np.float64)
    return np.where(better < np.ceil(share * counts.sum(1, keepdims=True)), counts, 0.0)


def _pearson(a: NDArray[Any], b: NDArray[Any], counts: NDArray[Any]) -> Floats:
    """Correlate columns that are centred already [R, n]."""
    weighted = counts * a
    both = np.einsum("rn,rn->r", weighted, b)
    square = np.einsum("rn,rn->r", weighted, a) * np.einsum("rn,rn->r", counts * b, b)
    return _ratio(both, square)


def _tau(sums: tuple[Floats, ...], weights: Floats) -> Floats:
    """Sum the agreement of pairs, each weighing the sum of its two weights."""
    both, first, second = (np.einsum("rn,rn->r", pairs, weights) for pairs in sums)
    return _ratio(both, first * second)


def _ratio(both: Floats, square: Floats) -> Floats:
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = np.where(square > 0, both / np.sqrt(square), np.nan)
    return np.clip(ratio, -1.0, 1.0)


def _hyperbolic(order: NDArray[np.intp], counts: Floats) -> Floats:
    """Give what all draws of a network weigh together [R, n]: 1/r over the ranks r they take."""
    harmonic = np.concatenate(([0.0], np.cumsum(1 / np.arange(1, counts.sum(1).max() + 1))))
    last = np.cumsum(counts[:, order], axis=1).astype(np.intp)
    first = np.concatenate((np.zeros((len(counts), 1), np.intp), last[:, :-1]), axis=1)
    weights = np.empty_like(counts)
    weights[:, order] = harmonic[last] - harmonic[first]
    return weights
