"""Figures of what a search would get: precision among the first k, and regret against effort."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import comb
from typing import TYPE_CHECKING, Any

import numpy as np

from evo_core.comparing.figures_looks import (
    COLOURS,
    DASHES,
    MARKERS,
    Curve,
    Drawn,
    add_legend,
    chart,
    cut,
    draw_curves,
    name_ends,
)
from evo_core.comparing.reading import Analysis, ranked
from evo_core.comparing.sample import Sample
from evo_core.drawing.charts import INK, LINE, SOFT

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Points = tuple[Sequence[float], Sequence[float], tuple[Sequence[float], Sequence[float]] | None]

SIZE = (9.2, 4.6)
BASE, QUIET = "#7D8894", "#C9D0D8"  # baselines, told apart by their dashes; scores without a name


def draw_precision(analysis: Analysis) -> Drawn | None:
    """Draw which share of the first k by a score is among the best k; None if none has any."""
    loud, quiet = _curves(analysis, _precision)
    if not loud:
        return None
    figure, axes = chart(*SIZE)
    ks = max((curve.xs for curve in loud), key=len)
    chance = [min(1.0, k / analysis["networks"]) for k in ks]
    loud.append(Curve("chance", ks, chance, INK, (0, (1, 1.5))))
    draw_curves(axes, [*quiet, *loud])
    axes.set_xticks(ks)
    axes.set_ylim(-0.02, 1.02)
    _explain(axes, "k", "precision among the first k")
    name_ends(axes, loud, SIZE)
    caption = (
        "Of the k networks that a score puts first, the share that is among the k best by "
        f"{analysis['reference']['name']}. Ties count by their expected share."
    )
    return _drawn("precision", figure, "Precision among the first k", loud, caption, quiet)


def draw_regret(analysis: Analysis) -> Drawn | None:
    """Draw the regret of a score's choice against how many networks it has scored."""
    loud, quiet = _curves(analysis, _regret)
    if not loud:
        return None
    figure, axes = chart(*SIZE)
    reference = analysis["reference"]
    best = reference["max" if reference["goal"] == "max" else "min"]
    blind, xs = abs(best - reference["mean"]), loud[0].xs
    loud.append(Curve("any network (mean)", xs, [blind] * len(xs), INK, (0, (1, 1.5))))
    draw_curves(axes, [*quiet, *loud])
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter("{x:g}")
    _explain(axes, "networks scored", _regret_of(analysis))
    name_ends(axes, loud, SIZE)
    caption = (
        "A score is given so many networks drawn at random and picks one: how far that network is "
        f"from the best of the sample by {reference['name']}. Lines are medians over draws; the "
        "band, of the first score, holds the middle 80 % of them."
    )
    return _drawn("regret", figure, "Regret against the number of networks", loud, caption, quiet)


def draw_regret_seconds(analysis: Analysis, sample: Sample) -> Drawn | None:
    """Draw the regret of a score's choice against the seconds that scoring takes.

    The reference itself is drawn as well: random search that evaluates every network by it.
    """
    loud, quiet = _curves(analysis, _regret_over_time)
    if not loud:
        return None
    figure, axes = chart(*SIZE)
    loud += _searching(sample)
    draw_curves(axes, [*quiet, *loud])
    axes.set_xscale("log")
    _explain(axes, "seconds, one network after the other", _regret_of(analysis))
    handles, labels = axes.get_legend_handles_labels()
    named = slice(len(quiet), None)
    add_legend(figure, handles[named], labels[named], loc="outside right upper", handlelength=3)
    caption = (
        "The same against time: networks scored times the median seconds of one. "
        f"Dotted: random search that evaluates every network by {analysis['reference']['name']}."
    )
    return _drawn("regret-seconds", figure, "Regret against seconds", loud, caption, quiet)


def _curves(
    analysis: Analysis, points: Callable[[dict[str, Any]], Points | None]
) -> tuple[list[Curve], list[Curve]]:
    """Give the lines that get a name, the strongest scores and the baselines, and the rest."""
    loud: list[Curve] = []
    quiet: list[Curve] = []
    scores = analysis["scores"]
    found = {name: points(one) for name, one in scores.items()}
    named = [name for name in ranked(analysis, baselines=False) if found[name]]
    for place, name in enumerate(named):
        xs, ys, band = found[name] or ([], [], None)
        if place < len(COLOURS):
            band = None if place else band
            loud.append(Curve(name, xs, ys, COLOURS[place], "-", MARKERS[place], band))
        else:
            quiet.append(Curve(name, xs, ys, QUIET))
    named = [name for name in ranked(analysis, baselines=True) if found[name]]
    for place, name in enumerate(named):
        xs, ys, _ = found[name] or ([], [], None)
        loud.append(Curve(name, xs, ys, BASE, DASHES[place % len(DASHES)]))
    return loud, quiet


def _precision(one: dict[str, Any]) -> Points | None:
    top = one["top"]
    known = [
        (k, estimate["value"])
        for k, estimate in zip(top["k"], top["precision"], strict=True)
        if estimate["value"] is not None
    ]
    return ([k for k, _ in known], [share for _, share in known], None) if known else None


def _regret(one: dict[str, Any], seconds: float = 1.0) -> Points | None:
    curve = one["regret_curve"]
    if not curve["scored"]:
        return None
    xs = [scored * seconds for scored in curve["scored"]]
    return xs, curve["median"], (curve["low"], curve["high"])


def _regret_over_time(one: dict[str, Any]) -> Points | None:
    seconds = one["seconds"]["median"]
    return _regret(one, seconds) if seconds else None


def _searching(sample: Sample) -> list[Curve]:
    """Give the median regret of the best of m random networks by the reference, against seconds.

    The best of m of N drawn without replacement is worse than the r best of all with the
    probability C(N - r, m) / C(N, m); the median is where that falls to a half.
    """
    means = sample.oriented(sample.reference)
    best_first = np.sort(means[np.isfinite(means)])[::-1]
    seconds = sample.seconds[sample.reference]
    seconds = seconds[np.isfinite(seconds)]
    if not len(seconds) or not np.median(seconds) > 0:
        return []
    count = len(best_first)
    grid = sorted({round(count ** (step / 12)) for step in range(13)})
    regrets = []
    for m in grid:
        ranks = (r for r in range(1, count + 1) if 2 * comb(count - r, m) <= comb(count, m))
        regrets.append(float(best_first[0] - best_first[next(ranks) - 1]))
    xs = [float(m * np.median(seconds)) for m in grid]
    return [Curve(f"random search by {sample.reference}", xs, regrets, INK, (0, (1, 1.5)))]


def _explain(axes: Axes, across: str, upwards: str) -> None:
    axes.set_xlabel(across, color=SOFT)
    axes.set_ylabel(cut(upwards, 44), color=SOFT, parse_math=False)
    axes.tick_params(which="minor", length=0)
    axes.grid(color=LINE, lw=0.7)


def _regret_of(analysis: Analysis) -> str:
    return f"regret ({analysis['reference']['name']})"


def _drawn(
    name: str, figure: Any, what: str, loud: list[Curve], caption: str, quiet: list[Curve]
) -> Drawn:
    names = ", ".join(curve.name for curve in loud)
    if quiet:
        caption += " Grey lines without a name are the other scores."
    return Drawn(name, figure, f"{what}, one line each for {names}.", caption)
