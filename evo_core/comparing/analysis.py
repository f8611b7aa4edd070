"""What a sample says of each score: one JSON document."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from evo_core.comparing import curves, measures, resampling
from evo_core.comparing.between import between
from evo_core.comparing.measures import View
from evo_core.comparing.pairs import compare, enough, which_pairs
from evo_core.comparing.reliability import noise_ceiling, reliability
from evo_core.comparing.resampling import Bootstrap, Estimate, number
from evo_core.comparing.sample import Floats, Sample
from evo_core.comparing.strata import within_strata

TIES = (
    "Values equal to 12 digits are ties. Spearman: average ranks. Kendall: tau-b. Weighted tau: "
    "ties by the other variable, mean of both directions. Top k and NDCG: expected over all ways "
    "to break ties, of the score and of the reference. Best rank: 1 + the number of networks "
    "that are better. Top 20 %: all tied with the last of them."
)
_CONTROLS = ("params", "macs")
_SPAN = (0.025, 0.975)


def analyse(
    sample: Sample, *, resamples: int = 1000, ks: Sequence[int] = (1, 3, 5, 10), seed: int = 0
) -> dict[str, Any]:
    """Compare all scores of a sample with its reference.

    What is correlated is the mean over the seeds of each network, with the sign that its declared
    goal gives it: a positive correlation says that the score, as declared, points to better
    networks. Undefined values are left out and counted.

    Args:
        sample: Networks and their scores.
        resamples: Bootstrap resamples of each measure; the tests of pairs may take more.
        ks: Of which numbers of networks at the top of a score to tell what they hold.
        seed: Of the bootstrap; the same seed gives the same document.

    Returns:
        JSON types only. What is not defined is None, an estimate then has a ``reason``.
    """
    with threadpool_limits(1):  # the matrices are small: threads would wait for each other
        return _analysed(sample, Bootstrap(resamples, seed), ks)


def _analysed(sample: Sample, bootstrap: Bootstrap, ks: Sequence[int]) -> dict[str, Any]:
    columns = {name: sample.oriented(name) for name in sample.goals}
    pairs = which_pairs(sample.scores, sample.baselines)
    drawn = Bootstrap(enough(bootstrap.resamples, len(pairs)), bootstrap.seed)
    reference = _reference(sample, bootstrap)
    return {
        "networks": len(sample.networks),
        "seeds": int(sample.values[sample.scores[0]].shape[1]),
        "reference": reference,
        "intervals": {
            "level": resampling.LEVEL, "method": resampling.METHOD,
            "resamples": bootstrap.resamples, "resamples_of_pairs": drawn.resamples,
        },
        "tie_rule": TIES,
        "scores": {
            name: _score(sample, name, columns, reference["reliability"], ks, bootstrap)
            for name in sample.scores
        },
        "pairs": compare(columns, columns[sample.reference], pairs, drawn),
        "between": between({name: columns[name] for name in sample.scores}),
        "combined": {},
    }  # fmt: skip


def _reference(sample: Sample, bootstrap: Bootstrap) -> dict[str, Any]:
    name, values = sample.reference, sample.values[sample.reference]
    means = sample.means(name)
    means = means[np.isfinite(means)]
    ceiling, span = noise_ceiling(values, bootstrap)
    return {
        "name": name,
        "goal": sample.goals[name],
        "n": len(means),
        "undefined": sample.undefined.get(name, 0),
        "distinct": len(np.unique(means)),
        "mean": number(means.mean()) if len(means) else None,
        "sd": number(means.std(ddof=1)) if len(means) > 1 else None,
        "min": number(means.min()) if len(means) else None,
        "max": number(means.max()) if len(means) else None,
        "chance_level": sample.chance,
        "chance_networks": int(sample.at_chance().sum()),
        "reliability": reliability(values, bootstrap),
        "noise_ceiling": ceiling,
        "noise_ceiling_interval": span,
    }


def _score(
    sample: Sample,
    name: str,
    columns: Mapping[str, Floats],
    noise: Mapping[str, Any],
    ks: Sequence[int],
    bootstrap: Bootstrap,
) -> dict[str, Any]:
    x, y = columns[name], columns[sample.reference]
    view = View.of(x, y, bootstrap)
    controls = {control: columns.get(control) for control in _CONTROLS}
    raw = measures.rank_measures(view)
    repeats = reliability(sample.values[name], bootstrap)
    guessing = sample.at_chance()
    learning = View.of(x, y, bootstrap, ~guessing)
    rho = raw["spearman"]["value"]
    return {
        "goal": sample.goals[name],
        "baseline": name in sample.baselines,
        "n": len(view.x),
        "undefined": sample.undefined.get(name, 0),
        "distinct": len(np.unique(x[np.isfinite(x)])),
        "direction": _direction(sample.goals[name], raw["spearman"]),
        "raw": raw,
        "without_chance": measures.rank_measures(learning) if guessing.any() else None,
        "given": {
            control: measures.given(x, y, values, control, bootstrap)
            for control, values in controls.items()
        },
        "top20": {"spearman": measures.among_best(view)},
        "top": measures.top_measures(view, ks),
        "oriented_by_data": {"spearman": None if rho is None else abs(rho)},
        "reliability": repeats,
        "ceiling": _ceiling(repeats["of_mean"], noise["of_mean"]),
        "strata": {
            stratum: within_strata(x, y, labels, controls, bootstrap)
            for stratum, labels in sample.strata.items()
        },
        "seconds": _seconds(sample.seconds.get(name)),
        "regret_curve": curves.regret_curve(view.x, view.y),
    }


def _direction(declared: str, rho: Estimate) -> dict[str, Any]:
    """Tell the direction the data show, none where the interval of Spearman's includes 0."""
    low, high = rho["low"], rho["high"]
    if low is None or low <= 0 <= high:
        return {"declared": declared, "measured": None, "agrees": None}
    other = "min" if declared == "max" else "max"
    return {"declared": declared, "measured": declared if low > 0 else other, "agrees": low > 0}


def _ceiling(score: float | None, reference: float | None) -> float | None:
    """Give what correlation noise leaves, were the two one thing: sqrt of both reliabilities."""
    if score is None or reference is None:
        return None
    return float(np.sqrt(max(score, 0.0) * max(reference, 0.0)))


def _seconds(values: Floats | None) -> dict[str, Any]:
    """Give the median over all networks and seeds, and the span of the central 95 % of them."""
    known = np.array([]) if values is None else values[np.isfinite(values)]
    if not known.size:
        return {"median": None, "low": None, "high": None}
    low, high = np.quantile(known, _SPAN)
    return {"median": float(np.median(known)), "low": float(low), "high": float(high)}
