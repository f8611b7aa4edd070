"""Figures of a comparison of searches, drawn from what stands in its ``compare.json``.

No figure uses pyplot or changes a global setting; the same report gives the same bytes.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from evo_core.comparing.figures_looks import COLOURS, Drawn, add_legend, plain
from evo_core.comparing.page import number
from evo_core.drawing.charts import INK, LINE, SOFT

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH, ROW = 7.2, 0.62  # inches: of a figure, and of a group or pair in it
CONTROL = "#8A93A0"
Report = Mapping[str, Any]


def draw_searches(report: Report) -> list[Drawn]:
    """Draw every figure that the report has numbers for, in the order in which a page shows them.

    Args:
        report: What :func:`evo_core.comparing.searches.report.report_of` gives.
    """
    drawn = (final(report), differences(report), curves(report))
    return [one for one in drawn if one is not None]


def final(report: Report) -> Drawn | None:
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
    means = "; ".join(f"{name} {number(one['mean'])}" for name, one in groups.items())
    return Drawn(
        "final",
        figure,
        f"{report['by']['name']} by group and seed; means: {means}.",
        "One dot per seed; lines join the same seed. Below, the mean and its 95 % interval.",
    )


def differences(report: Report) -> Drawn | None:
    """Draw the difference of every two groups with its interval, and a line at none."""
    pairs = [pair for pair in report["pairs"] if pair["difference"] is not None]
    if not pairs:
        return None
    figure, axes = _canvas(len(pairs), f"Difference in {report['by']['name']}")
    axes.axvline(0, color=SOFT, lw=1, ls=(0, (4, 3)))
    for row, pair in enumerate(pairs):
        each = pair["differences"]
        axes.plot(each, [row] * len(each), "o", color=COLOURS[0], ms=5, alpha=0.5, mec="white")
        _whisker(axes, pair["difference"], pair["low"], pair["high"], row + 0.2)
    _rows(axes, [f"{pair['a']} \N{MINUS SIGN} {pair['b']}" for pair in pairs])
    axes.set_xlabel("difference of the two, one dot per common seed", color=SOFT)
    told = "; ".join(
        f"{pair['a']} minus {pair['b']} {number(pair['difference'])}" for pair in pairs
    )
    return Drawn(
        "differences",
        figure,
        f"Differences with intervals: {told}.",
        "The mean difference and its 95 % interval, not corrected for how many there are.",
    )


def curves(report: Report) -> Drawn | None:
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
    named = {str(one.get_label()): one for axes in figure.axes for one in axes.lines}
    add_legend(figure, [*named.values()], [*named], loc="outside lower center", ncols=2)
    ends = [
        f"{name} ends at {panel['objective']} {number(one['median'][-1])} after "
        f"{one['evaluated'][-1]}"
        for panel in panels
        for name, one in panel["groups"].items()
        if one["evaluated"]
    ]
    return Drawn(
        "curves",
        figure,
        f"Best so far against networks evaluated: {'; '.join(ends)}.",
        "Median over seeds, and the middle half of them; up to where the first seed ends. This is "
        "what each search saw under its own weights.",
    )


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
        plain(axes).set_title(title, loc="left", color=INK, fontsize=11, parse_math=False)
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
        name: CONTROL if one["control"] else COLOURS[index % len(COLOURS)]
        for index, (name, one) in enumerate(groups.items())
    }


def _axis(what: Mapping[str, Any], key: str = "name") -> str:
    return f"{what[key]} ({'higher' if what['goal'] == 'max' else 'lower'} is better)"


def _short(label: str) -> str:
    """Break a long label into lines, also where it has no spaces."""
    return "\n".join(textwrap.wrap(label, 30, break_long_words=True)) or label
