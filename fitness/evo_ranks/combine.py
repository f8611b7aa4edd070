"""Combine ranks: of fractions in (0, 1], 1 for the best network, make one number for each."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from evo_core.components import Parts

Floats = NDArray[np.float64]


def mean_rank(ranks: Floats, options: Parts) -> Floats:
    """Average the ranks ``[scores, networks]``, in (0, 1]."""
    return np.asarray(ranks.mean(axis=0))


def log_rank(ranks: Floats, options: Parts) -> Floats:
    """Add the logarithms of the ranks ``[scores, networks]``, at most 0.

    A bad place in one score weighs more than a good one elsewhere makes up for (AZ-NAS: Lee & Ham
    2024, arXiv 2403.19232).
    """
    return np.asarray(np.log(ranks).sum(axis=0))
