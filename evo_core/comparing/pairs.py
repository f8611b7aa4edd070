"""Which of two scores ranks better: a paired bootstrap, and Holm's correction over all pairs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np

from evo_core.comparing.correlations import spearman, spearmans
from evo_core.comparing.measures import View
from evo_core.comparing.resampling import Bootstrap, defined, interval
from evo_core.comparing.sample import Floats, Mask

_PER_PAIR, _MOST = 40, 40_000
_LEVEL = 0.05
_SHAKY = "undefined in more than a tenth of the resamples"
Pair = tuple[str, str]


def enough(resamples: int, pairs: int) -> int:
    """Give how many resamples the pairs need: 40 for each, or no difference could survive Holm.

    The smallest p of R resamples is 2 / (R + 1), and Holm multiplies it by the number of pairs.
    """
    return max(resamples, min(_PER_PAIR * pairs, _MOST))


def which_pairs(scores: Sequence[str], baselines: Sequence[str]) -> list[Pair]:
    """Pair all scores that are no baselines with each other, and each with each baseline."""
    judged = [name for name in scores if name not in baselines]
    against = [name for name in scores if name in baselines]
    return [*combinations(judged, 2), *((name, base) for name in judged for base in against)]


def compare(
    columns: Mapping[str, Floats], y: Floats, pairs: Sequence[Pair], bootstrap: Bootstrap
) -> list[dict[str, Any]]:
    """Compare the strength of correlation, abs(Spearman), of each pair of columns [N] with y [N].

    Both of a pair are seen on the networks where both are defined, in the same resamples, each with
    the sign that its correlation has there (taking the absolute value in every resample would
    favour scores that tell nothing).
    """
    groups: dict[bytes, tuple[Mask, list[Pair]]] = {}
    for pair in pairs:
        mask = defined(columns[pair[0]], columns[pair[1]], y)
        groups.setdefault(mask.tobytes(), (mask, []))[1].append(pair)
    found: dict[Pair, dict[str, Any]] = {}
    for mask, members in groups.values():
        names = dict.fromkeys(name for pair in members for name in pair)
        strengths = _strengths({name: columns[name][mask] for name in names}, y[mask], bootstrap)
        found |= {
            pair: _difference(*pair, strengths[pair[0]], strengths[pair[1]]) for pair in members
        }
    return _adjusted([found[pair] for pair in pairs])


def holm(ps: Sequence[float]) -> list[float]:
    """Adjust p-values by Holm's step-down method (Holm 1979).

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    adjusted, largest = [0.0] * len(ps), 0.0
    for rank, at in enumerate(np.argsort(ps, kind="stable")):
        largest = max(largest, min(1.0, (len(ps) - rank) * ps[at]))
        adjusted[at] = largest
    return adjusted


def p_value(differences: Floats) -> float:
    """Give the two-sided p of differences [R]: 2 (1 + how many lie on the rarer side) / (1 + R)."""
    fewer = min((differences <= 0).sum(), (differences >= 0).sum())
    return float(min(1.0, 2 * (1 + fewer) / (1 + len(differences))))


def _strengths(
    columns: Mapping[str, Floats], y: Floats, bootstrap: Bootstrap
) -> dict[str, tuple[float, Floats] | str]:
    """Give abs(Spearman) of each column and its bootstrap distribution, or why there is none."""
    reasons = {name: View(x, y, bootstrap).reason for name, x in columns.items()}
    usable = {name: x for name, x in columns.items() if not reasons[name]}
    found: dict[str, tuple[float, Floats] | str] = {n: why for n, why in reasons.items() if why}
    if usable:
        drawn = bootstrap.distributions(lambda counts: spearmans(usable, y, counts), (len(y),))
        for name, x in usable.items():
            value = float(spearman(x, y, np.ones((1, len(y))))[0])
            found[name] = (abs(value), drawn[name] if value >= 0 else -drawn[name])
    return found


def _difference(
    a: str, b: str, one: tuple[float, Floats] | str, other: tuple[float, Floats] | str
) -> dict[str, Any]:
    empty = {
        "difference": None,
        "low": None,
        "high": None,
        "p": None,
        "p_holm": None,
        "better": None,
    }
    for name, side in ((a, one), (b, other)):
        if isinstance(side, str):
            return {"a": a, "b": b, **empty, "reason": f"{name}: {side}"}
    assert not isinstance(one, str)
    assert not isinstance(other, str)
    drawn = one[1] - other[1]
    low, high = interval(drawn)
    if low is None:
        return {"a": a, "b": b, **empty, "reason": _SHAKY}
    drawn = drawn[np.isfinite(drawn)]
    value = one[0] - other[0]
    return {
        "a": a,
        "b": b,
        **empty,
        "difference": value,
        "low": low,
        "high": high,
        "p": p_value(drawn),
    }


def _adjusted(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    tested = [pair for pair in found if pair["p"] is not None]
    for pair, p in zip(tested, holm([pair["p"] for pair in tested]), strict=True):
        pair["p_holm"] = p
        if p < _LEVEL:
            pair["better"] = "a" if pair["difference"] > 0 else "b"
    return found
