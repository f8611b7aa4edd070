"""What is found at the top of a score: expected over all ways to break its ties, exactly.

A stable sort would break ties by the order of the networks, which is arbitrary. Here each order of
tied networks is as likely as any other. As in :mod:`evo_core.comparing.correlations`, a resample is
a row of counts [R, n], and larger is better for the score x [n] and the reference y [n].
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

from evo_core.comparing.sample import Floats


@dataclass(frozen=True, slots=True)
class Places:
    """Where networks stand by some values [n] in each resample.

    Args:
        values: What they are ranked by [n].
        counts: How often each was drawn [R, n].
        better: How many draws are better than each network [R, n].
        level: How many draws are level with it, its own included [R, n].
    """

    values: Floats
    counts: Floats
    better: Floats
    level: Floats

    @classmethod
    def of(cls, values: Floats, counts: Floats) -> Places:
        """Count who is better and who is level."""
        better = counts @ (values[:, None] > values[None, :]).astype(np.float64)
        level = counts @ (values[:, None] == values[None, :]).astype(np.float64)
        return cls(values, counts, better, level)

    def inside(self, k: int) -> Floats:
        """Give the probability [R, n] that a draw of each network is among the top k."""
        return np.asarray(np.clip((k - self.better) / np.maximum(self.level, 1), 0.0, 1.0))

    def relevance(self) -> Floats:
        """Give the average rank [R, n], 0 for the worst place and 1 for the best."""
        total = self.counts.sum(axis=1, keepdims=True)
        return np.asarray(1 - (self.better + (self.level - 1) / 2) / np.maximum(total - 1, 1))


def precision(x: Places, y: Places, k: int) -> Floats:
    """Give which share of the top k by x is among the top k by y [R]; by chance it is k / n.

    Ties of both are broken at random, independently.
    """
    shared = np.einsum("rn,rn,rn->r", x.counts, x.inside(k), y.inside(k))
    return np.asarray(shared / k)


def regret_and_rank(x: Places, y: Places, k: int) -> tuple[Floats, Floats]:
    """Tell of the best by y among the top k by x, in each resample [R].

    Returns:
        Its regret, the best y of all less its own, and its rank by y: 1 + how many have a better y.
    """
    order = np.argsort(-y.values, kind="stable")
    chances = _best(x, order, k)
    drawn = np.where(y.counts > 0, y.values, -np.inf)
    regret = drawn.max(axis=1) - np.asarray(chances @ y.values[order])
    return regret, np.einsum("rn,rn->r", chances, 1 + y.better[:, order])


def ndcg(x: Places, y: Places, k: int | None = None) -> Floats:
    """Give the normalised discounted cumulative gain [R] (Jaervelin & Kekaelaeinen 2002).

    The gain is the relevance, linear; the discount is log2(1 + place), and places after k count
    nothing. The relevance is the average rank by y, 0 for the worst place and 1 for the best, so
    that it means the same for every reference. NaN where all y are equal.
    """
    relevance = y.relevance()
    total = y.counts.sum(axis=1, keepdims=True)
    varied = (np.where(y.counts > 0, y.level, 0) < total).all(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(varied, _gain(x, relevance, k) / _gain(y, relevance, k), np.nan)


def _gain(places: Places, relevance: Floats, k: int | None) -> Floats:
    """Sum relevance over discount [R]: tied networks share the discounts of their places."""
    discounts = 1 / np.log2(np.arange(int(places.counts.sum(axis=1).max())) + 2)
    if k is not None:
        discounts[k:] = 0
    summed = np.concatenate(([0.0], np.cumsum(discounts)))
    first = places.better.astype(np.intp)
    last = first + places.level.astype(np.intp)
    shared = (summed[last] - summed[first]) / np.maximum(places.level, 1)
    return np.asarray(np.einsum("rn,rn,rn->r", places.counts, relevance, shared))


def _best(x: Places, order: NDArray[np.intp], k: int) -> Floats:
    """Give the probability [R, n] that a network, in order of y, is the best among the top k by x.

    The top k holds all draws better than the k-th, and m at random of the g level with it: none of
    the c best of those g by y is among the m with probability C(g - c, m) / C(g, m).
    """
    better, level, drawn = (part[:, order] for part in (x.better, x.level, x.counts))
    surely = np.cumsum(np.where(better + level <= k, drawn, 0), axis=1)
    border = (better < k) & (better + level > k) & (drawn > 0)
    g = np.where(border, level, 0).max(axis=1, keepdims=True)
    m = np.where(border, k - better, 0).max(axis=1, keepdims=True)
    c = np.cumsum(np.where(border, drawn, 0), axis=1)
    none = np.where(surely > 0, 0.0, without(g, m, c))
    before = np.concatenate((np.ones((len(drawn), 1)), none[:, :-1]), axis=1)
    return before - none


def without(g: Floats, m: Floats, c: Floats) -> Floats:
    """Give C(g - c, m) / C(g, m): m of g at random hold none of c; 0 where too few are left."""
    log = _log_factorials(int(np.max(g)))
    of, some, kept = (part.astype(np.intp) for part in (g, m, g - c))
    left = kept - some
    logs = log[kept] - log[np.maximum(left, 0)] - log[of] + log[of - some]
    return np.where(left < 0, 0.0, np.exp(logs))


def _log_factorials(largest: int) -> Floats:
    return np.asarray(gammaln(np.arange(largest + 1) + 1.0))
