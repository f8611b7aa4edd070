"""How an analysis is read: which scores come first, and what is left to say of the pairs."""

from __future__ import annotations

from typing import Any

Analysis = dict[str, Any]
Estimate = dict[str, Any]

ALPHA = 0.05


def spearman(analysis: Analysis, name: str) -> Estimate:
    """Give the rank correlation of a score with the reference."""
    found: Estimate = analysis["scores"][name]["raw"]["spearman"]
    return found


def ranked(analysis: Analysis, *, baselines: bool) -> list[str]:
    """Give the baselines, or the other scores: the strongest rank correlation first.

    The sign does not count: a score that points the other way than it declares still tells
    something. Scores without a correlation come last; ties keep the order asked for.
    """
    names = [name for name, one in analysis["scores"].items() if one["baseline"] is baselines]
    return sorted(names, key=lambda name: -abs(spearman(analysis, name)["value"] or 0.0))


def everything(analysis: Analysis) -> list[str]:
    """Give all scores, baselines last."""
    return ranked(analysis, baselines=False) + ranked(analysis, baselines=True)


def headline(analysis: Analysis) -> dict[str, Any]:
    """Say what came out, as JSON types: the best score, the best baseline, and their paired test.

    Returns:
        ``judged``: how many scores are no baselines. ``best`` and ``baseline``: names, or None if
        no such score has a correlation. ``paired``: the entry of ``pairs`` that holds them against
        each other, or None. ``pairs``: how many there are, how many of them differ after
        correction, and the rest.
        ``against``: the scores whose measured direction is not the declared one.
    """
    best, baseline = (_first(analysis, baselines=kind) for kind in (False, True))
    pairs = analysis["pairs"]
    paired = next((pair for pair in pairs if {pair["a"], pair["b"]} == {best, baseline}), None)
    differing = sum(different(pair) for pair in pairs)
    scores = analysis["scores"]
    return {
        "judged": len(ranked(analysis, baselines=False)),
        "best": best,
        "baseline": baseline,
        "paired": paired,
        "pairs": {"all": len(pairs), "different": differing, "rest": len(pairs) - differing},
        "against": [name for name, one in scores.items() if one["direction"]["agrees"] is False],
    }


def different(pair: dict[str, Any]) -> bool:
    """Tell whether two scores differ after correction for many comparisons."""
    return pair["p_holm"] is not None and bool(pair["p_holm"] < ALPHA)


def _first(analysis: Analysis, *, baselines: bool) -> str | None:
    names = ranked(analysis, baselines=baselines)[:1]
    return next((name for name in names if spearman(analysis, name)["value"] is not None), None)
