"""Figures of correlations: raw and size-controlled with intervals, and between the scores."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from evo_core.comparing.figures_looks import Drawn, add_legend, chart, cut, in_words
from evo_core.comparing.reading import Analysis, everything, ranked, spearman
from evo_core.drawing.charts import INK, LINE, PALETTE, SOFT

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ROW = 0.46  # inches for one score
_KINDS = 4  # raw, given params, given macs, and the first stratum


def draw_strength(analysis: Analysis) -> Drawn:
    """Draw the correlation of each score, raw and with size and strata held still."""
    names = everything(analysis)
    kinds = _estimates(analysis)
    figure, axes = chart(8.8, ROW * len(names) + 1.3)
    step = 0.72 / len(kinds)
    for place, (kind, estimates) in enumerate(kinds.items()):
        rows = np.arange(len(names)) + (place - (len(kinds) - 1) / 2) * step
        _bars(axes, rows, [estimates[name] for name in names], kind, PALETTE[place], step)
    for row in range(1, len(names), 2):
        axes.axhspan(row - 0.5, row + 0.5, color=LINE, alpha=0.35, lw=0, zorder=0)
    _axis(axes, analysis, names)
    handles, labels = axes.get_legend_handles_labels()
    order = sorted(range(len(labels)), key=lambda place: labels[place] == "noise ceiling")
    handles, labels = ([them[place] for place in order] for them in (handles, labels))
    add_legend(figure, handles, labels, loc="outside upper right", ncols=5)
    level = f"{100 * analysis['intervals']['level']:g} %"
    caption = (
        f"Spearman correlation with {analysis['reference']['name']}, with {level} intervals; "
        "positive where a score points to better networks as it declares. What shrinks to nothing "
        "once size or stratum is held still was size or stratum. A missing bar is undefined."
    )
    first = names[0]
    alt = (
        f"Correlation of {len(names)} scores with {analysis['reference']['name']}: "
        f"{', '.join(kinds)}. Strongest: {first}, {in_words(spearman(analysis, first))}."
    )
    return Drawn("strength", figure, alt, caption)


def draw_between(analysis: Analysis) -> Drawn | None:
    """Draw the rank correlation of every score with every other; None if there are not two."""
    between = analysis["between"]
    names, count = between["names"], len(between["names"])
    if count < 2:
        return None
    cells = [[math.nan if x is None else x for x in row] for row in between["spearman"]]
    matrix = np.array(cells, dtype=float)
    cell = 0.46 if count <= 12 else 0.35
    figure, axes = chart(cell * count + 3.4, cell * count + 2.4)
    edges = np.arange(count + 1) - 0.5
    image = axes.pcolormesh(
        edges, edges, matrix, cmap="RdBu_r", vmin=-1, vmax=1, edgecolors="white", linewidth=0.6
    )
    axes.set(aspect="equal", ylim=(count - 0.5, -0.5))
    labels = [cut(name, 28) for name in names]
    axes.set_xticks(range(count), labels, rotation=55, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(count), labels)
    for text in (*axes.get_xticklabels(), *axes.get_yticklabels()):
        text.set(color=INK, fontsize=8.5, parse_math=False)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    for (row, column), value in np.ndenumerate(matrix):
        _write(axes, row, column, value, 7.5 if count <= 12 else 6.3)
    bar = figure.colorbar(
        image, ax=axes, shrink=min(1.0, 3.0 / (cell * count)), aspect=18, pad=0.02
    )
    bar.outline.set_visible(False)
    bar.ax.tick_params(labelsize=8, labelcolor=SOFT, color=LINE)
    caption = (
        "Spearman correlation between the scores, ordered so that those that rank alike stand "
        "together. A score that is nearly another one brings nothing new."
    )
    return Drawn("between", figure, _pairs_in_words(names, matrix), caption)


def _estimates(analysis: Analysis) -> dict[str, dict[str, Any]]:
    """Give what is drawn of each score, by what it is called."""
    scores = analysis["scores"]
    kinds: dict[str, dict[str, Any]] = {"raw": {}, "given params": {}, "given macs": {}}
    for name, one in scores.items():
        kinds["raw"][name] = one["raw"]["spearman"]
        kinds["given params"][name] = one["given"]["params"]
        kinds["given macs"][name] = one["given"]["macs"]
        for by in list(one["strata"])[:1]:
            kinds.setdefault(f"within {by}", {})[name] = one["strata"][by]["within"]
    return kinds


def _bars(
    axes: Axes, rows: Any, estimates: list[dict[str, Any]], kind: str, colour: str, step: float
) -> None:
    """Draw a bar with its interval for each estimate that there is."""
    there = [
        (row, one) for row, one in zip(rows, estimates, strict=True) if one["value"] is not None
    ]
    at, values = [row for row, _ in there], [one["value"] for _, one in there]
    axes.barh(at, values, height=step * 0.82, color=colour, alpha=0.9, label=kind, lw=0, zorder=2)
    for row, one in there:
        if one["low"] is not None:
            axes.plot([one["low"], one["high"]], [row, row], color=INK, lw=0.9, zorder=3)


def _axis(axes: Axes, analysis: Analysis, names: list[str]) -> None:
    axes.set_yticks(range(len(names)), [cut(name) for name in names])
    for label in axes.get_yticklabels():
        label.set(color=INK, fontsize=9, parse_math=False)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    axes.axvline(0, color=SOFT, lw=0.9, zorder=1)
    axes.grid(axis="x", color=LINE, lw=0.7)
    axes.set_xlabel(
        f"Spearman with {cut(analysis['reference']['name'])}", color=SOFT, parse_math=False
    )
    split = len(ranked(analysis, baselines=False))
    if 0 < split < len(names):
        axes.axhline(split - 0.5, color=SOFT, lw=1)
    ceiling = analysis["reference"]["noise_ceiling"]
    low, high = axes.get_xlim()
    axes.set_xlim(max(-1.02, min(low, -0.1)), min(1.02, max(high, 0.5, ceiling or 0)))
    if ceiling is not None:
        axes.axvline(ceiling, color=INK, lw=1.1, ls=":", label="noise ceiling", zorder=1)


def _write(axes: Axes, row: int, column: int, value: float, size: float) -> None:
    """Write a correlation into its cell, without the 0 before the point."""
    from evo_core.comparing.page import NOTHING, number

    known = not math.isnan(value)
    text = number(float(value), 2).replace("0.", ".") if known else NOTHING
    colour = SOFT if not known else "#FEFEFE" if abs(value) > 0.6 else "#1A1A1A"
    axes.text(column, row, text, ha="center", va="center", fontsize=size, color=colour)


def _pairs_in_words(names: list[str], matrix: Any) -> str:
    off = np.where(np.eye(len(names), dtype=bool), math.nan, np.abs(matrix))
    said = f"Heatmap of the rank correlations between {len(names)} scores."
    if np.isnan(off).all():
        return said
    a, b = np.unravel_index(int(np.nanargmax(off)), off.shape)
    return f"{said} Most alike: {names[a]} and {names[b]}, {matrix[a, b]:.2f}."
