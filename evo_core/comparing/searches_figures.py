"""Figures of a comparison of searches, drawn from what stands in its ``compare.json``.

No figure uses pyplot or changes a global setting; the same report gives the same bytes.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evo_core.drawing.charts import INK, LINE, PALETTE, SOFT, save

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH, ROW = 7.2, 0.62  # inches: of a figure, and of a group or pair in it
CONTROL = "#8A93A0"
Report = Mapping[str, Any]


def write_figures(folder: Path, report: Report) -> dict[str, str]:
    """Write every figure that the report has numbers for, as SVG and PNG.

    Args:
        folder: An existing folder.
        report: What :func:`evo_core.comparing.searches_report.report_of` gives.

    Returns:
        The SVG documents by name: ``final``, ``differences``, ``curves``.

    Raises:
        EvoError: If a file can not be written.
    """
    from matplotlib import rc_context

    drawn = {"final": final(report), "differences": differences(report), "curves": curves(report)}
    texts = {}
    for name, figure in drawn.items():
        if figure is None:
            continue
        with rc_context({"svg.fonttype": "none"}):  # words stay words: searchable, and read aloud
            save(figure, folder / f"{name}.svg")
        save(figure, folder / f"{name}.png")
        texts[name] = (folder / f"{name}.svg").read_text(encoding="utf-8")
    return texts


def final(report: Report) -> Figure | None:
    """Draw the value of each seed by group, equal seeds joined, and the mean with its interval."""
    groups = report["groups"]
    if not any(one["n"] for one in groups.values()):
        return None
    figure, axes = _canvas(len(groups), f"{report['by']['name']} of the best network")
    colours = _colours(groups)
    _join_seeds(axes, list(groups.values()))
    for row, (name, one) in enumerate(groups.items()):
        values = [value for value in one["values"] if value is not None]
        axes.plot(
            values, [row] * len(values), "o", color=colours[name], ms=6, alpha=0.75, mec="white"
        )
        if one["mean"] is not None:
            _whisker(axes, one["mean"], one["low"], one["high"], row + 0.24)
    labels = [f"{name} (control)" if one["control"] else name for name, one in groups.items()]
    _rows(axes, labels)
    axes.set_xlabel(_axis(report["by"]), color=SOFT, parse_math=False)
    return figure


def differences(report: Report) -> Figure | None:
    """Draw the difference of every two groups with its interval, and a line at none."""
    pairs = [pair for pair in report["pairs"] if pair["difference"] is not None]
    if not pairs:
        return None
    figure, axes = _canvas(len(pairs), f"Difference in {report['by']['name']}")
    axes.axvline(0, color=SOFT, lw=1, ls=(0, (4, 3)))
    for row, pair in enumerate(pairs):
        each = pair["differences"]
        axes.plot(each, [row] * len(each), "o", color=PALETTE[0], ms=5, alpha=0.5, mec="white")
        _whisker(axes, pair["difference"], pair["low"], pair["high"], row + 0.2)
    _rows(axes, [f"{pair['a']} \N{MINUS SIGN} {pair['b']}" for pair in pairs])
    axes.set_xlabel("difference of the two, one dot per common seed", color=SOFT)
    return figure


def curves(report: Report) -> Figure | None:
    """Draw the best so far against evaluations, one panel for each thing that was searched for."""
    panels = [
        one for one in report["curves"] if any(g["evaluated"] for g in one["groups"].values())
    ]
    if not panels:
        return None
    figure, _ = _canvas(4 * len(panels), "", len(panels))
    colours = _colours(report["groups"])
    for axes, panel in zip(figure.axes, panels, strict=True):
        _curves_panel(axes, panel, colours)
    figure.axes[-1].set_xlabel("networks evaluated", color=SOFT)
    named = {_short(str(one.get_label())): one for axes in figure.axes for one in axes.lines}
    figure.legend(
        named.values(),
        named,
        loc="outside lower center",
        ncols=2,
        frameon=False,
        fontsize=9,
        labelcolor=INK,
    )
    return figure


def _curves_panel(axes: Axes, panel: Report, colours: Mapping[str, str]) -> None:
    """Draw median and middle half of the seeds of each group."""
    for name, one in panel["groups"].items():
        x, colour = one["evaluated"], colours[name]
        axes.fill_between(x, one["low"], one["high"], color=colour, step="post", lw=0, alpha=0.18)
        marker = "o" if len(x) == 1 else ""
        axes.plot(x, one["median"], color=colour, lw=2, ds="steps-post", marker=marker, label=name)
    title = f"Best {panel['objective']} so far"
    axes.set_title(title, loc="left", color=INK, fontsize=11, parse_math=False)
    axes.grid(axis="y", color=LINE, lw=0.8)
    axes.set_ylabel(_axis(panel, "objective"), color=SOFT, parse_math=False)


def _canvas(rows: int, title: str, panels: int = 1) -> tuple[Figure, Axes]:
    """Give an empty figure with panels above each other, and its first panel."""
    from matplotlib.figure import Figure

    size = (WIDTH, 1.3 + ROW * rows)
    figure = Figure(figsize=size, layout="constrained", facecolor="white")
    for axes in figure.subplots(panels, squeeze=False)[:, 0]:
        axes.set_title(title, loc="left", color=INK, fontsize=11, parse_math=False)
        axes.tick_params(color=LINE, labelcolor=SOFT, labelsize=9)
        axes.spines[["top", "right"]].set_visible(False)
        axes.spines[["left", "bottom"]].set_color(LINE)
        axes.margins(x=0.06)
    return figure, figure.axes[0]


def _rows(axes: Axes, labels: Sequence[str]) -> None:
    """Name the rows, the first on top."""
    axes.set_yticks(range(len(labels)), [_short(label) for label in labels], color=INK)
    for label in axes.get_yticklabels():
        label.set_parse_math(False)
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(len(labels) - 0.4, -0.6)
    axes.grid(axis="x", color=LINE, lw=0.8)
    axes.set_axisbelow(True)


def _join_seeds(axes: Axes, groups: Sequence[Report]) -> None:
    by_seed = [dict(zip(one["seeds"], one["values"], strict=True)) for one in groups]
    for row, (above, below) in enumerate(pairwise(by_seed)):
        for seed in above.keys() & below.keys():
            if above[seed] is not None and below[seed] is not None:
                axes.plot(
                    [above[seed], below[seed]],
                    [row, row + 1],
                    color=SOFT,
                    alpha=0.4,
                    lw=1,
                    zorder=0.5,
                )


def _whisker(axes: Axes, mean: float, low: float | None, high: float | None, y: float) -> None:
    if low is not None and high is not None:
        axes.plot([low, high], [y, y], color=INK, lw=1.6, solid_capstyle="butt")
    axes.plot([mean], [y], "D", color=INK, ms=5)


def _colours(groups: Mapping[str, Report]) -> dict[str, str]:
    return {
        name: CONTROL if one["control"] else PALETTE[index % (len(PALETTE) - 2)]
        for index, (name, one) in enumerate(groups.items())
    }


def _axis(what: Mapping[str, Any], key: str = "name") -> str:
    return f"{what[key]} ({'higher' if what['goal'] == 'max' else 'lower'} is better)"


def _short(label: str) -> str:
    """Break a long label into lines, also where it has no spaces."""
    return "\n".join(textwrap.wrap(label, 30, break_long_words=True)) or label
