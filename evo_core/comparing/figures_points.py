"""Figures of single networks: each score against the reference, and under each seed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from evo_core.comparing.figures_looks import (
    Drawn,
    add_legend,
    cut,
    entitle,
    in_words,
    panels,
    short_numbers,
)
from evo_core.comparing.reading import Analysis, everything, spearman
from evo_core.comparing.sample import Floats, Sample
from evo_core.drawing.charts import BLUE, INK, LINE, SOFT

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Normalize

CHANCE = "#D55E00"
MANY = 500  # networks: more are drawn as pixels, also in an SVG
WATCHED = 8  # networks of which the seeds are shown


def draw_scatter(analysis: Analysis, sample: Sample) -> Drawn:
    """Draw every score against the reference, coloured by params; crosses are at chance level."""
    names = everything(analysis)
    figure, axes = panels(len(names), lines=2, legend=0.7)
    sizes = sample.means("params") if "params" in sample.values else None
    scale = _scale(sizes)
    for place, (panel, name) in enumerate(zip(axes, names, strict=True)):
        _scatter(panel, sample, name, sizes, scale)
        raw = analysis["scores"][name]["raw"]
        rho, tau = in_words(raw["spearman"]), in_words(raw["kendall"])
        entitle(panel, name, [f"Spearman {rho}", f"tau-b {tau}"])
        if place % 4 == 0:
            label = cut(sample.reference, 26)
            panel.set_ylabel(label, color=SOFT, fontsize=8.5, parse_math=False)
    _legend(figure, sizes, scale, bool(sample.at_chance().any()))
    return Drawn("scatter", figure, _said(analysis), _caption(sample, sizes is not None))


def draw_seeds(analysis: Analysis, sample: Sample) -> Drawn | None:
    """Draw the values of a few networks under each seed; None if no score has several seeds."""
    names = [
        name
        for name in everything(analysis)
        if analysis["scores"][name]["reliability"]["icc"]["value"] is not None
        and analysis["scores"][name]["reliability"]["networks"] >= 2
    ]
    if not names:
        return None
    figure, axes = panels(len(names), lines=1, foot=0.2)
    for panel, name in zip(axes, names, strict=True):
        rows = _watched(sample, name)
        _violins(panel, sample.values[name][rows])
        reliability = analysis["scores"][name]["reliability"]
        entitle(panel, name, [f"intraclass ratio {in_words(reliability['icc'])}"])
    reference = sample.reference
    caption = (
        f"Values of up to {WATCHED} networks under each seed, from the worst (left) to the best "
        f"by {reference}. Where the seeds of one network spread as far as the networks differ, "
        "the score is mostly noise and its intraclass ratio is low."
    )
    alt = f"Values over seeds of a few networks, one panel for each of {len(names)} scores."
    return Drawn("seeds", figure, alt, caption)


def _scatter(
    axes: Axes, sample: Sample, name: str, sizes: Floats | None, scale: Normalize | None
) -> None:
    xs, ys = sample.means(name), sample.means(sample.reference)
    both = np.isfinite(xs) & np.isfinite(ys)
    if not both.any():
        axes.text(
            0.5, 0.5, "no value", transform=axes.transAxes, ha="center", color=SOFT, fontsize=9
        )
        axes.set(xticks=[], yticks=[])
        return
    xs = _spread_out(axes, xs, both, ["lower is better"] * (sample.goals[name] == "min"))
    chance = sample.at_chance()
    flat = bool(both.sum() > MANY)
    colours: Any = BLUE if sizes is None else sizes[both & ~chance]
    look: dict[str, Any] = {"s": 16, "alpha": 0.85, "lw": 0.3, "edgecolors": "white"}
    shade: dict[str, Any] = {"cmap": "viridis", "norm": scale} if sizes is not None else {}
    seen = both & ~chance
    axes.scatter(xs[seen], ys[seen], c=colours, **look, **shade, rasterized=flat)
    seen = both & chance
    if seen.any():
        axes.scatter(xs[seen], ys[seen], marker="x", c=CHANCE, s=20, lw=1.1, rasterized=flat)
    axes.grid(color=LINE, lw=0.6)
    short_numbers(axes.yaxis, ys[both])


def _spread_out(axes: Axes, xs: Floats, both: npt.NDArray[np.bool_], notes: list[str]) -> Floats:
    """Choose an axis on which the networks lie apart: as they are, logarithmic, or by rank."""
    from matplotlib.ticker import MaxNLocator
    from scipy.stats import rankdata

    values = xs[both]
    whole = bool(np.all(values == np.round(values)))
    squashed = np.ptp(np.quantile(values, [0.1, 0.9])) < 0.2 * np.ptp(values)
    if _logarithmic(values):
        axes.set_xscale("log")
        axes.tick_params(which="minor", length=0, labelbottom=False)
    elif squashed:
        xs = np.full(len(xs), np.nan)
        xs[both] = rankdata(values)
        notes = ["by rank", *notes]
        axes.xaxis.set_major_locator(MaxNLocator(4, integer=True))
    else:
        axes.xaxis.set_major_locator(MaxNLocator(6 if whole else 4, integer=whole))
        short_numbers(axes.xaxis, values)
    axes.set_xlabel(", ".join(notes), color=SOFT, fontsize=7.5, labelpad=1)
    return xs


def _logarithmic(values: Floats) -> bool:
    """Tell whether numbers are better seen on a logarithmic axis."""
    return bool(len(values) and values.min() > 0 and values.max() > 20 * values.min())


def _scale(sizes: Floats | None) -> Normalize | None:
    from matplotlib.colors import LogNorm, Normalize

    if sizes is None or not np.isfinite(sizes).any():
        return None
    low, high = float(np.nanmin(sizes)), float(np.nanmax(sizes))
    kind = LogNorm if low > 0 and high > 3 * low else Normalize
    return kind(low, high)


def _legend(figure: Any, sizes: Floats | None, scale: Normalize | None, chance: bool) -> None:
    """Draw the colours of params, and what a cross is, below the panels."""
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import LogNorm
    from matplotlib.lines import Line2D
    from matplotlib.ticker import EngFormatter, LogLocator

    width, height = figure.get_size_inches()
    if sizes is not None and scale is not None:
        box = (0.75 / width, 0.42 / height, min(2.6, width - 1) / width, 0.12 / height)
        axes = figure.add_axes(box)
        bar = figure.colorbar(ScalarMappable(scale, "viridis"), axes, orientation="horizontal")
        bar.outline.set_visible(False)
        bar.formatter = EngFormatter(sep="")
        if isinstance(scale, LogNorm):
            wide = np.nanmax(sizes) > 100 * np.nanmin(sizes)
            bar.locator = LogLocator(subs=(1,) if wide else (1, 2, 5))
        bar.minorticks_off()
        axes.tick_params(labelsize=8, labelcolor=SOFT, color=LINE, which="both")
        axes.set_title("params", loc="left", fontsize=8.5, color=INK, pad=3)
    if chance:
        cross = Line2D([], [], ls="", marker="x", color=CHANCE)
        at = (min(3.6, 0.4 * width) / width, 0.3 / height)
        add_legend(figure, [cross], ["at chance level"], loc="lower left", bbox_to_anchor=at)


def _watched(sample: Sample, name: str) -> npt.NDArray[np.int_]:
    """Give networks with values under several seeds, evenly from the worst to the best."""
    seeds = np.isfinite(sample.values[name]).sum(axis=1)
    known = np.flatnonzero((seeds >= 2) & np.isfinite(sample.means(sample.reference)))
    order = known[np.argsort(sample.oriented(sample.reference)[known], kind="stable")]
    places = np.linspace(0, len(order) - 1, min(WATCHED, len(order))).round().astype(int)
    return np.asarray(order[places])


def _violins(axes: Axes, values: Floats) -> None:
    """Draw the values of each network: dots, with a violin behind them where there are five."""
    for place, row in enumerate(values, 1):
        found = row[np.isfinite(row)]
        if len(found) >= 5 and np.ptp(found) > 0:
            violin: Any = axes.violinplot([found], [place], widths=0.8, showextrema=False)
            for body in violin["bodies"]:
                body.set(facecolor=BLUE, alpha=0.25)
        axes.plot([place, place], [found.min(), found.max()], color=BLUE, lw=2.2, alpha=0.3)
        axes.plot([place] * len(found), found, "o", ms=3.2, color=BLUE, mec="white", mew=0.3)
    axes.set_xticks([])
    axes.set_xlim(0.3, max(len(values), 2) + 0.7)
    axes.grid(axis="y", color=LINE, lw=0.6)
    known = values[np.isfinite(values)]
    if _logarithmic(known):
        axes.set_yscale("log")
        axes.tick_params(which="minor", length=0, labelleft=False)
    else:
        short_numbers(axes.yaxis, known)


def _said(analysis: Analysis) -> str:
    first = everything(analysis)[0]
    return (
        f"Scatter plots of {len(analysis['scores'])} scores against "
        f"{analysis['reference']['name']} over {analysis['networks']} networks. Strongest rank "
        f"correlation: {first}, Spearman {in_words(spearman(analysis, first))}."
    )


def _caption(sample: Sample, sized: bool) -> str:
    parts = [f"Each network is a point: a score across, {sample.reference} upwards."]
    parts += ["Colour is the number of parameters."] if sized else []
    parts += ["Crosses are networks at chance level."] if sample.at_chance().any() else []
    return " ".join([*parts, "Means over seeds."])
