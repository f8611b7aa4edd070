"""Charts of a search as matplotlib figures, and how figures are written to files.

No chart uses pyplot or changes a global setting. All numbers must be finite: a chart neither skips
nor marks None or NaN, so the caller leaves such generations out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from evo_core.drawing.routes import spread
from evo_core.errors import EvoError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito's palette, for readers of every colour vision, neighbours apart.
PALETTE = (
    "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#999999"
)  # fmt: skip
BLUE, INK, SOFT, LINE = "#0072B2", "#222B36", "#6B7685", "#E3E7EC"
SIZE = (6.4, 3.6)
ROOM = 0.07  # the share of the height that a direct label needs
RIGHT = 0.02  # the share of the width that is left free, so that no line ends on the frame


def fitness_chart(
    generations: Sequence[int],
    best: Sequence[float],
    median: Sequence[float],
    low: Sequence[float],
    high: Sequence[float],
    name: str,
    goal: str,
) -> Figure:
    """Draw how a fitness moves over the generations; all numbers are finite, and one will do.

    All lines are straight between generations, so that none crosses another where no number does.

    Args:
        generations: The numbers of the generations, rising.
        best: The best so far.
        median: The median of the population.
        low: The lower quartile of the population.
        high: The upper quartile of the population.
        name: The name of the fitness.
        goal: ``"max"`` or ``"min"``; told to the reader.
    """
    figure, axes = _canvas(generations, "", name)
    better = {"max": "higher is better", "min": "lower is better"}.get(goal, goal)
    axes.set_title(f"{name}  ({better})", loc="left", color=INK, fontsize=11, parse_math=False)
    if len(generations) == 1:
        axes.vlines(generations, low, high, color=BLUE, alpha=0.22, lw=9, label="middle half")
    else:
        axes.fill_between(generations, low, high, color=BLUE, alpha=0.16, lw=0, label="middle half")
    mark = "o" if len(generations) == 1 else ""
    axes.plot(generations, median, color=BLUE, lw=1.6, marker=mark, label="median")
    axes.plot(generations, best, color="#D55E00", lw=2, marker=mark, label="best so far")
    axes.grid(axis="y", color=LINE, lw=0.8)
    axes.margins(y=0.08)
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(
        handles[::-1],
        labels[::-1],
        loc="outside lower center",
        ncols=3,
        frameon=False,
        fontsize=9,
    )
    return figure


def curves_chart(
    epochs: Sequence[int], train: Sequence[float], validation: Sequence[float], title: str
) -> Figure:
    """Draw the accuracy on the train and validation splits over the epochs of a training."""
    figure, axes = _canvas(epochs, title, "accuracy", "epoch")
    mark = "o" if len(epochs) == 1 else ""
    axes.plot(epochs, train, color=BLUE, lw=1.6, marker=mark, label="train")
    axes.plot(epochs, validation, color="#D55E00", lw=2, marker=mark, label="validation")
    axes.grid(axis="y", color=LINE, lw=0.8)
    axes.margins(y=0.08)
    figure.legend(loc="outside lower center", ncols=2, frameon=False, fontsize=9)
    return figure


def share_chart(
    generations: Sequence[int],
    shares: Mapping[str, Sequence[float]],
    title: str,
    ylabel: str,
) -> Figure:
    """Draw how often each choice occurs, as stacked areas; one generation will do.

    Args:
        generations: The numbers of the generations, rising.
        shares: The series of each choice, in the order from bottom to top; a generation adds up
            to 1 if the choices are all there are.
        title: The title.
        ylabel: What the shares are shares of.
    """
    figure, axes = _canvas(generations, title, ylabel)
    colours = {name: PALETTE[index % len(PALETTE)] for index, name in enumerate(shares)}
    last, first = generations[-1], generations[0]
    left, right = (first - 0.25, last + 0.25) if first == last else (first, last)
    spots: list[tuple[float, str]] = []
    floor = [0.0] * len(generations)
    for index, (name, series) in enumerate(shares.items()):
        ceiling = [base + share for base, share in zip(floor, series, strict=True)]
        xs, lows, highs = list(map(float, generations)), floor, ceiling
        if first == last:
            xs, lows, highs = [left, right], floor * 2, ceiling * 2
        hatch = "//" if index >= len(PALETTE) else None
        axes.fill_between(
            xs, lows, highs, color=colours[name], ec="white", lw=0.8, hatch=hatch, alpha=0.9
        )
        spots.append(((floor[-1] + ceiling[-1]) / 2, name))
        floor = ceiling
    top = max(1.0, *floor) if max(floor) > 0.5 else max(floor) or 1.0
    axes.set_ylim(0, top)
    axes.set_xlim(left, right)
    _name_areas(axes, spots, colours, top)
    return figure


def save(figure: Figure, path: Path) -> None:
    """Write a figure as .svg or .png, told by the suffix; the same figure gives the same SVG.

    Raises:
        EvoError: If the suffix is another one, or the file can not be written.
    """
    from matplotlib import rc_context

    suffix = path.suffix.lower()
    if suffix not in {".svg", ".png"}:
        raise EvoError(f"can not draw to {path}; take a name that ends in .svg or .png")
    metadata = {"Date": None} if suffix == ".svg" else None
    try:
        with rc_context({"svg.hashsalt": "evo"}):
            figure.savefig(path, format=suffix[1:], dpi=150, bbox_inches="tight", metadata=metadata)
    except OSError as error:
        raise EvoError(f"can not write {path}: {error.strerror or error}") from None


def _canvas(
    generations: Sequence[int], title: str, ylabel: str, xlabel: str = "generation"
) -> tuple[Figure, Axes]:
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    figure = Figure(figsize=SIZE, layout="constrained", facecolor="white")
    axes = figure.add_subplot()
    axes.set_title(title, loc="left", color=INK, fontsize=11, parse_math=False)
    axes.set_xlabel(xlabel, color=SOFT)
    axes.set_ylabel(ylabel, color=SOFT, parse_math=False)
    axes.tick_params(color=LINE, labelcolor=SOFT, labelsize=9)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(LINE)
    if len(generations) == 1:
        axes.set_xticks(list(generations))
        axes.set_xlim(generations[0] - 1, generations[0] + 1)
    else:
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        first, last = generations[0], generations[-1]
        axes.set_xlim(first, last + RIGHT * (last - first))
    return figure, axes


def _name_areas(
    axes: Axes, spots: list[tuple[float, str]], colours: Mapping[str, str], top: float
) -> None:
    """Write the name of each area beside its right end, moved apart where areas are thin."""
    gap = ROOM * top
    heights = spread([height for height, _ in spots], [gap] * (len(spots) - 1))
    heights = within(heights, gap, top)
    for (area, name), height in zip(spots, heights, strict=True):
        axes.annotate(
            name,
            (1, area),
            (1.05, height),
            xycoords=axes.get_yaxis_transform(),
            textcoords=axes.get_yaxis_transform(),
            va="center",
            fontsize=9,
            color=INK,
            parse_math=False,
            annotation_clip=False,
            arrowprops={
                "arrowstyle": "-",
                "color": colours[name],
                "lw": 2,
                "shrinkA": 2,
                "shrinkB": 0,
                "relpos": (0, 0.5),
            },
        )


def within(heights: list[float], gap: float, top: float) -> list[float]:
    """Shift labels back between 0 and the top, and keep them apart while there is room."""
    given = [max(height, index * gap + gap / 2) for index, height in enumerate(heights)]
    count = len(given)
    return [
        min(height, top - (count - 1 - index) * gap - gap / 2) for index, height in enumerate(given)
    ]
