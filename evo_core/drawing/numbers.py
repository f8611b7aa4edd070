"""A chart of the numbers that a Development tells over the epochs of a training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from evo_core.drawing.charts import INK, LINE, PALETTE, SIZE, SOFT
from evo_core.train_results import grouped

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_NAMED = 8  # lines with a name of their own; more can not be told apart
_ROOM = 0.04  # above and below shares, so that no line lies on the frame


def numbers_chart(
    epochs: Sequence[int], numbers: Mapping[str, Sequence[float]], title: str
) -> Figure:
    """Draw a panel for each first word of the names, with a line for each number.

    Where all numbers are shares, from 0 to 1, all panels show that whole range.

    Args:
        epochs: The numbers of the epochs, rising; one will do.
        numbers: A series of finite numbers for each name; there is at least one.
        title: The title.
    """
    from matplotlib.figure import Figure

    panels = grouped(numbers)
    are_shares = all(0 <= value <= 1 for series in numbers.values() for value in series)
    width, height = SIZE
    figure = Figure(
        figsize=(width, 1 + (height - 1) * len(panels)), layout="constrained", facecolor="white"
    )
    figure.suptitle(title, x=0.02, ha="left", color=INK, fontsize=11, parse_math=False)
    every = figure.subplots(len(panels), 1, sharex=True, squeeze=False)[:, 0]
    for axes, (name, series) in zip(every, panels.items(), strict=True):
        _panel(axes, epochs, name, series)
        if are_shares:
            axes.set_ylim(-_ROOM, 1 + _ROOM)
    every[-1].set_xlabel("epoch", color=SOFT)
    return figure


def _panel(
    axes: Axes, epochs: Sequence[int], name: str, series: Mapping[str, Sequence[float]]
) -> None:
    mark = "o" if len(epochs) == 1 else ""
    few = len(series) <= _NAMED
    for index, (rest, values) in enumerate(series.items()):
        colour = PALETTE[index % len(PALETTE)]
        axes.plot(
            epochs, values, color=colour, lw=1.6 if few else 0.9, marker=mark, label=rest or name
        )
    axes.set_ylabel(name, color=SOFT, parse_math=False)
    axes.grid(axis="y", color=LINE, lw=0.8)
    axes.margins(y=0.08)
    axes.tick_params(color=LINE, labelcolor=SOFT, labelsize=9)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(LINE)
    if few:
        axes.legend(frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))
