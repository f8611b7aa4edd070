"""How alike scores rank the networks: Spearman's correlations between them, in clustered order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy.cluster.hierarchy import leaves_list, linkage
from scipy.spatial.distance import squareform

from evo_core.comparing.correlations import spearman
from evo_core.comparing.resampling import FEWEST, defined, number
from evo_core.comparing.sample import Floats


def between(columns: Mapping[str, Floats]) -> dict[str, Any]:
    """Correlate all columns [N], each pair where both are defined.

    Returns:
        ``names`` and the matrix ``spearman`` in clustered order (average linkage of 1 - abs(rho),
        leaves ordered so that neighbours are alike), and ``order``: the place of each of ``names``
        among the columns.
    """
    names = list(columns)
    rho = np.array([[_correlation(columns[a], columns[b]) for b in names] for a in names])
    order = _clustered(rho.reshape(len(names), len(names)))
    return {
        "names": [names[at] for at in order],
        "spearman": [[number(rho[row, column]) for column in order] for row in order],
        "order": order,
    }


def _correlation(a: Floats, b: Floats) -> float:
    both = defined(a, b)
    if both.sum() < FEWEST:
        return float("nan")
    return float(spearman(a[both], b[both], np.ones((1, int(both.sum()))))[0])


def _clustered(rho: Floats) -> list[int]:
    if len(rho) < 3:
        return list(range(len(rho)))
    distance = 1 - np.abs(np.nan_to_num(rho))
    np.fill_diagonal(distance, 0)
    tree = linkage(squareform(distance, checks=False), "average", optimal_ordering=True)
    return [int(leaf) for leaf in leaves_list(tree)]
