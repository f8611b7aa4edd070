"""What a score is worth in a random search: score m networks, train the best of them only."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import gammaln

from evo_core.comparing.sample import Floats
from evo_core.comparing.tops import Places

BAND = 0.8
_STEPS = (1, 2, 3, 5, 7)


def regret_curve(x: Floats, y: Floats) -> dict[str, Any]:
    """Give the regret of the best by x [n] among m networks at random, for m from 1 to n.

    The regret is the best reference y [n] of all less that of the network picked. Its distribution
    over all subsets and all ways to break ties is exact: the one in place j by x is the best of m
    with probability C(n - j, m - 1) / C(n, m).

    Returns:
        ``scored`` (the m), ``mean``, ``median``, ``low`` and ``high``: the central 80 % of subsets.
    """
    scored = grid(len(x))
    regrets = np.sort(y.max() - y) if len(y) else y
    order = np.argsort(-y, kind="stable")
    rows = []
    for m in scored:
        chances = picked(x, m)[order]
        summed = np.cumsum(chances) / chances.sum()
        at = [np.searchsorted(summed, q - 1e-12) for q in (0.5, (1 - BAND) / 2, (1 + BAND) / 2)]
        rows.append((chances @ regrets, *regrets[np.minimum(at, len(x) - 1)]))
    columns = zip(*rows, strict=True) if rows else ([], [], [], [])
    named = zip(("mean", "median", "low", "high"), columns, strict=True)
    return {"scored": scored, "band": BAND} | {name: [float(one) for one in c] for name, c in named}


def picked(x: Floats, m: int) -> Floats:
    """Give the probability [n] that each network is the best by x [n] of m drawn at random."""
    n = len(x)
    worse = n - np.arange(1, n + 1)
    left = np.maximum(worse - (m - 1), 0)
    logs = gammaln(worse + 1) - gammaln(left + 1) - gammaln(m)
    logs -= gammaln(n + 1) - gammaln(n - m + 1) - gammaln(m + 1)
    by_place = np.where(worse >= m - 1, np.exp(logs), 0.0)
    summed = np.concatenate(([0.0], np.cumsum(by_place)))
    places = Places.of(x, np.ones((1, n)))
    better, level = places.better[0].astype(np.intp), places.level[0].astype(np.intp)
    return np.asarray((summed[better + level] - summed[better]) / level)


def grid(n: int) -> list[int]:
    """Give 1, 2, 3, 5, 7, 10, 20, ... up to n, and n.

    >>> grid(25)
    [1, 2, 3, 5, 7, 10, 20, 25]
    """
    steps = {step * 10**power for power in range(len(str(n))) for step in _STEPS}
    return sorted({step for step in steps if step < n} | ({n} if n else set()))
