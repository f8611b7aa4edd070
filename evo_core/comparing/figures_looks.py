"""What the figures of a comparison share: panels, axes, lines with names, SVG text.

Everything is drawn on ``Figure`` objects, without pyplot. Sizes are in inches, texts in points.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from io import StringIO
from typing import TYPE_CHECKING, Any

import numpy as np

from evo_core.comparing.sample import Floats
from evo_core.drawing.charts import INK, LINE, PALETTE, SOFT, within
from evo_core.drawing.routes import spread

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

COLOURS = PALETTE[:6]  # yellow is too light for a line, grey is for what stands back
MARKERS = "osD^vP"
DASHES: tuple[Any, ...] = ("--", ":", "-.", (0, (6, 1, 1, 1, 1, 1)))
ACROSS = 4  # panels in a row
_PANEL, _GAP = (2.35, 1.75), 0.42


@dataclass(frozen=True)
class Drawn:
    """A figure with its name for files, and what is said of it."""

    name: str
    figure: Figure
    alt: str
    caption: str

    @cached_property
    def svg(self) -> str:
        """The figure as SVG with its texts as text; the same figure gives the same bytes.

        Its layout is final from then on.
        """
        from matplotlib import rc_context

        text = StringIO()
        with rc_context({"svg.hashsalt": "evo", "svg.fonttype": "none"}):
            self.figure.draw_without_rendering()
            self.figure.set_layout_engine("none")
            self.figure.savefig(text, format="svg", bbox_inches="tight", metadata={"Date": None})
        return text.getvalue()


@dataclass(frozen=True, slots=True)
class Curve:
    """A line with a name at its right end, and perhaps a band."""

    name: str
    xs: Sequence[float]
    ys: Sequence[float]
    colour: str
    dashes: Any = "-"
    marker: str = ""
    band: tuple[Sequence[float], Sequence[float]] | None = None


def panels(
    count: int, *, lines: int, foot: float = 0.42, legend: float = 0.15
) -> tuple[Figure, list[Axes]]:
    """Make a figure of equal panels, ``ACROSS`` in a row.

    Args:
        count: How many.
        lines: The lines below the title of each.
        foot: The room below each, in inches.
        legend: The room below all, in inches.
    """
    from matplotlib.figure import Figure

    columns, rows = min(count, ACROSS), math.ceil(count / ACROSS)
    (wide, high), left, top = _PANEL, 0.7, 0.32 + 0.15 * lines
    width = left + columns * wide + (columns - 1) * _GAP + 0.15
    height = rows * (top + high + foot) + legend
    figure = Figure(figsize=(width, height), facecolor="white")
    axes = []
    for place in range(count):
        row, column = divmod(place, columns)
        x = left + column * (wide + _GAP)
        y = height - row * (top + high + foot) - top - high
        box = (x / width, y / height, wide / width, high / height)
        axes.append(plain(figure.add_axes(box)))
    return figure, axes


def chart(width: float, height: float) -> tuple[Figure, Axes]:
    """Make a figure of one chart that keeps room for what stands around it."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained", facecolor="white")
    return figure, plain(figure.add_subplot())


def plain(axes: Axes) -> Axes:
    """Give axes the looks of all figures."""
    axes.tick_params(color=LINE, labelcolor=SOFT, labelsize=8, length=3)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(LINE)
    axes.set_axisbelow(True)
    return axes


def entitle(axes: Axes, name: str, lines: Sequence[str] = ()) -> None:
    """Write the name of a panel above it, and smaller lines below the name."""
    step = 0.155 / _PANEL[1]
    for row, line in enumerate(reversed(lines)):
        at = (0.0, 1.04 + row * step)
        axes.text(*at, line, transform=axes.transAxes, fontsize=8, color=SOFT, parse_math=False)
    at = (0.0, 1.055 + len(lines) * step)
    text = cut(name, 33)
    axes.text(
        *at, text, transform=axes.transAxes, fontsize=9, color=INK, weight="bold", parse_math=False
    )


def cut(name: str, most: int = 36) -> str:
    """Shorten a long name in its middle, for names that begin alike often end differently."""
    if len(name) <= most:
        return name
    tail = (most - 1) // 2
    return f"{name[: most - 1 - tail]}\N{HORIZONTAL ELLIPSIS}{name[-tail:]}"


def in_words(estimate: dict[str, Any], digits: int = 2) -> str:
    """Write an estimate with its interval, such as ``0.62 [0.50, 0.71]``."""
    from evo_core.comparing.page import number

    if estimate["value"] is None:
        return "undefined"
    value, low, high = (number(estimate[key], digits) for key in ("value", "low", "high"))
    return value if estimate["low"] is None else f"{value} [{low}, {high}]"


def short_numbers(axis: Axis, values: Floats) -> None:
    """Write the numbers of an axis without a factor beside it: 1.5k, 20M, or 1e-05."""
    from matplotlib.ticker import EngFormatter, FormatStrFormatter

    most = float(np.max(np.abs(values), initial=0.0))
    if most >= 1e4:
        axis.set_major_formatter(EngFormatter(sep=""))
    elif 0 < most < 1e-3:
        axis.set_major_formatter(FormatStrFormatter("%.2g"))


def draw_curves(axes: Axes, curves: Sequence[Curve]) -> None:
    """Draw lines and their bands."""
    for curve in curves:
        style: dict[str, Any] = {"color": curve.colour, "ls": curve.dashes, "lw": 1.7}
        mark: dict[str, Any] = {"marker": curve.marker, "ms": 4.5, "mec": "white", "mew": 0.4}
        axes.plot(curve.xs, curve.ys, **style, **mark, label=curve.name, zorder=3)
        if curve.band:
            axes.fill_between(curve.xs, *curve.band, color=curve.colour, alpha=0.13, lw=0, zorder=1)


def name_ends(axes: Axes, curves: Sequence[Curve], size: tuple[float, float]) -> None:
    """Write the name of each line right of a chart of that size, with a thread to its end."""
    low, high = axes.get_ylim()
    gap = 0.185 * (high - low) / (size[1] - 0.9)
    order = sorted(range(len(curves)), key=lambda index: curves[index].ys[-1])
    heights = spread([curves[index].ys[-1] - low for index in order], [gap] * (len(order) - 1))
    heights = within(heights, gap, high - low)
    transform = axes.get_yaxis_transform()
    for index, height in zip(order, heights, strict=True):
        curve = curves[index]
        axes.annotate(
            cut(curve.name, 30),
            (curve.xs[-1], curve.ys[-1]),
            (1.05, low + height),
            xycoords="data",
            textcoords=transform,
            va="center",
            fontsize=8.5,
            color=INK,
            parse_math=False,
            annotation_clip=False,
            arrowprops={
                "arrowstyle": "-", "color": curve.colour, "ls": curve.dashes, "lw": 1.0,
                "alpha": 0.7, "shrinkA": 2, "shrinkB": 2, "relpos": (0, 0.5),
            },
        )  # fmt: skip


def add_legend(figure: Figure, handles: Sequence[Any], labels: Sequence[str], **where: Any) -> None:
    """Add a legend whose names are taken as they are, not as formulas."""
    names = [cut(label, 30) for label in labels]
    look: dict[str, Any] = {"frameon": False, "fontsize": 8.5, "labelcolor": INK}
    for text in figure.legend(handles, names, **look, **where).get_texts():
        text.set_parse_math(False)
