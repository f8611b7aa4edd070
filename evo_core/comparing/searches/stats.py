"""Statistics over seeds: intervals of a mean, and tests between two searches. Pure numbers.

With a handful of seeds nothing asymptotic holds, so the tests enumerate: sign flips of paired
differences (Fisher 1935, The Design of Experiments, section 21), and exchanges of whole groups
where the seeds are not the same. Intervals are those of Student's t over seeds, or Welch's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from math import comb
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evo_core.seeds import generator

Floats = NDArray[np.float64]
LEVEL = 0.95
MOST_EXACT = 16  # pairs: all 2^16 flips are tried; beyond that as many as DRAWS
DRAWS = 20_000


def spread_of(values: Sequence[float | None]) -> dict[str, Any]:
    """Sum up the values of several seeds: ``n``, ``mean``, ``sd``, ``low`` and ``high``.

    ``low`` and ``high`` are the 95 % interval of the mean by Student's t with n - 1 degrees of
    freedom; None below two values, as ``sd`` (over n - 1) is. Values that are None are left out.
    """
    known = np.array([value for value in values if value is not None], dtype=np.float64)
    mean = float(known.mean()) if len(known) else None
    if mean is None or len(known) < 2:
        return {"n": len(known), "mean": mean, "sd": None, "low": None, "high": None}
    from scipy.stats import t

    sd = float(known.std(ddof=1))
    half = float(t.ppf((1 + LEVEL) / 2, len(known) - 1)) * sd / len(known) ** 0.5
    return {"n": len(known), "mean": mean, "sd": sd, "low": mean - half, "high": mean + half}


def sign_flip(differences: Sequence[float], seed: int = 0) -> float:
    """Test whether paired differences are symmetric about 0; two-sided p.

    Up to 16 pairs all 2^n flips of signs are tried, so p is exact; beyond that 20,000 draws.

    Args:
        differences: One difference per pair, ``[n]`` with n >= 1.
        seed: The seed of the draws.
    """
    if len(differences) == 1:
        return 1.0
    from scipy.stats import permutation_test

    found = permutation_test(
        (np.asarray(differences, dtype=np.float64),),
        _mean,
        permutation_type="samples",
        vectorized=True,
        n_resamples=2**MOST_EXACT if len(differences) <= MOST_EXACT else DRAWS,
        random_state=generator(seed, "sign-flip"),
    )
    return float(found.pvalue)


def exchange(a: Sequence[float], b: Sequence[float], seed: int = 0) -> float:
    """Test whether two groups without common seeds have one distribution; two-sided p.

    The statistic is the difference of means; all exchanges are tried if there are at most 20,000.

    Args:
        a: The values of one group, ``[n]`` with n >= 1.
        b: The values of the other, ``[m]`` with m >= 1.
        seed: The seed of the draws.
    """
    if min(len(a), len(b)) == 1:  # scipy wants more; the one value is exchanged with each other
        (one,), both = (a, b)[len(a) > 1], [*a, *b]
        sides = sum(value >= one for value in both), sum(value <= one for value in both)
        return min(1.0, 2 * min(sides) / len(both))
    from scipy.stats import permutation_test

    found = permutation_test(
        (np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)),
        _difference,
        permutation_type="independent",
        vectorized=True,
        n_resamples=DRAWS,
        random_state=generator(seed, "exchange"),
    )
    return float(found.pvalue)


def pairs_of(groups: Mapping[str, Mapping[int, float | None]], goal: str) -> list[dict[str, Any]]:
    """Compare every two groups; p is not yet corrected for how many there are.

    Seeds are paired if at least half of those of the smaller group are common: the same
    seed gives two searches the same first networks (in one space) and the same batches. Otherwise
    all seeds are taken, unpaired.

    Args:
        groups: The value of each seed by group; None where there is none.
        goal: ``"max"`` or ``"min"``.
    """
    known = {
        name: {seed: value for seed, value in values.items() if value is not None}
        for name, values in groups.items()
    }
    return [_pair(a, b, known[a], known[b], goal) for a, b in combinations(known, 2)]


def _pair(
    a: str, b: str, of_a: Mapping[int, float], of_b: Mapping[int, float], goal: str
) -> dict[str, Any]:
    common = sorted(of_a.keys() & of_b.keys())
    paired = bool(common) and 2 * len(common) >= min(len(of_a), len(of_b))
    found = _paired(of_a, of_b, common) if paired else _unpaired(of_a, of_b)
    difference = found["difference"]
    ahead = None
    if difference:
        ahead = a if (difference > 0) == (goal == "max") else b
    return (
        {"a": a, "b": b, "paired": paired, "seeds": common if paired else []}
        | found
        | {"ahead": ahead}
    )


def _paired(a: Mapping[int, float], b: Mapping[int, float], seeds: Sequence[int]) -> dict[str, Any]:
    differences = [a[seed] - b[seed] for seed in seeds]
    spread = spread_of(differences)
    return {
        "test": "sign-flip",
        "exact": len(seeds) <= MOST_EXACT,
        "n": [len(seeds), len(seeds)],
        "differences": differences,
        "difference": spread["mean"],
        "low": spread["low"],
        "high": spread["high"],
        "p": sign_flip(differences),
        "smallest_p": min(1.0, max(2 / 2 ** len(seeds), _least(len(seeds) > MOST_EXACT))),
    }


def _unpaired(a: Mapping[int, float], b: Mapping[int, float]) -> dict[str, Any]:
    first, second = list(a.values()), list(b.values())
    ways = comb(len(first) + len(second), len(first))
    found: dict[str, Any] = {
        "test": "exchange",
        "exact": ways <= DRAWS,
        "n": [len(first), len(second)],
        "differences": [],
        "difference": None,
        "low": None,
        "high": None,
        "p": None,
        "mann_whitney_p": None,
        "smallest_p": min(1.0, max(2 / ways, _least(ways > DRAWS))),
    }
    if not first or not second:
        return found
    from scipy.stats import mannwhitneyu

    low, high = _welch(first, second)
    return found | {
        "difference": float(np.mean(first) - np.mean(second)),
        "low": low,
        "high": high,
        "p": exchange(first, second),
        "mann_whitney_p": float(mannwhitneyu(first, second).pvalue),
    }


def _welch(a: Sequence[float], b: Sequence[float]) -> tuple[float | None, float | None]:
    """Give the 95 % interval of the difference of two means (Welch 1947); None below two values."""
    if len(a) < 2 or len(b) < 2:
        return None, None
    from scipy.stats import t

    parts = [float(np.var(one, ddof=1)) / len(one) for one in (a, b)]
    difference = float(np.mean(a) - np.mean(b))
    if sum(parts) == 0:
        return difference, difference
    freedom = sum(parts) ** 2 / sum(
        part**2 / (len(one) - 1) for part, one in zip(parts, (a, b), strict=True)
    )
    half = float(t.ppf((1 + LEVEL) / 2, freedom)) * sum(parts) ** 0.5
    return difference - half, difference + half


def _least(drawn: bool) -> float:
    """Give the smallest two-sided p that draws can show; enumeration shows any."""
    return 2 / (DRAWS + 1) if drawn else 0.0


def _mean(values: Floats, axis: int) -> Floats:
    return np.asarray(values.mean(axis=axis))


def _difference(a: Floats, b: Floats, axis: int) -> Floats:
    return np.asarray(a.mean(axis=axis) - b.mean(axis=axis))
