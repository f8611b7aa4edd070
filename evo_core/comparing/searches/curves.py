"""Best-so-far curves of several seeds, summed up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

MOST_POINTS = 200


def curve_of(curves: Sequence[Sequence[float | None]]) -> dict[str, list[Any]]:
    """Sum up best-so-far curves: the median and the quartiles over seeds at each evaluation.

    The curve begins where every seed has a value, and ends where the first seed ends, so that each
    point stands for the same seeds.

    Args:
        curves: The best after 1, 2, ... evaluations of each seed, None before there is one.

    Returns:
        ``evaluated`` (at most 200 points), ``median``, ``low`` and ``high``; empty where no
        evaluation is common to all seeds.
    """
    last = min(len(curve) for curve in curves)
    first = max(
        next((i for i, value in enumerate(curve) if value is not None), last) for curve in curves
    )
    if first >= last:
        return {"evaluated": [], "median": [], "low": [], "high": []}
    where = np.unique(np.linspace(first, last - 1, min(last - first, MOST_POINTS)).round())
    points = where.astype(int)
    values = np.array([[curve[point] for point in points] for curve in curves], dtype=np.float64)
    low, median, high = np.quantile(values, (0.25, 0.5, 0.75), axis=0)
    return {
        "evaluated": (points + 1).tolist(),
        "median": median.tolist(),
        "low": low.tolist(),
        "high": high.tolist(),
    }
