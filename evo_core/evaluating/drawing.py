"""The figures of an evaluation, drawn from its result; the same result gives the same bytes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from evo_core.comparing.figures_looks import (
    ACROSS,
    COLOURS,
    DASHES,
    MARKERS,
    Curve,
    Drawn,
    add_legend,
    chart,
    cut,
    draw_curves,
    entitle,
    panels,
    plain,
)
from evo_core.drawing.charts import INK, LINE, SOFT
from evo_core.evaluating.question import DROP, STEPS
from evo_core.evaluating.results import CheckpointResult, EvaluateResult, Point

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_AXES = {
    "gaussian": "standard deviation / input range",
    "salt-pepper": "share of values",
    "shot": "standard deviation at the top",
    DROP: "chance that a spike is lost",
}
_NAMED = 20  # classes up to which a confusion matrix has numbers and names
_HIGH = 0.5  # where all are above, the axis of accuracy over time begins below the lowest
_ROW = 0.21  # inches of a population


def draw_evaluation(result: EvaluateResult) -> list[Drawn]:
    """Draw every figure that the result has numbers for."""
    drawn = [robustness(result), over_time(result), confusion(result), rates(result)]
    return [one for one in drawn if one is not None]


def robustness(result: EvaluateResult) -> Drawn | None:
    """Draw accuracy against the level of each kind of noise, one panel for each."""
    kinds = [kind for kind in result.checkpoints[0].curves() if kind != STEPS]
    if not kinds:
        return None
    across = min(ACROSS, len(kinds))
    rows = -(-(len(result.checkpoints) + 1) // across)  # of the legend; one name more, for chance
    figure, axes = panels(len(kinds), lines=0, foot=0.5, legend=0.05 + 0.17 * rows)
    for number, (kind, panel) in enumerate(zip(kinds, axes, strict=True)):
        entitle(panel, kind)
        _curves(panel, result, kind)
        panel.set_xlabel(_AXES[kind], color=SOFT, fontsize=8)
        if number % ACROSS == 0:
            panel.set_ylabel("accuracy", color=SOFT, fontsize=8)
    _legend(figure, axes[0], across)
    told = "; ".join(
        f"{one.checkpoint} from {_percent(one.clean)} to "
        + ", ".join(f"{_percent(one.curve(kind)[-1])} ({kind})" for kind in kinds)
        for one in result.checkpoints
    )
    caption = "Accuracy against the level of noise; bands are 95 % intervals."
    return Drawn("robustness", figure, f"Accuracy under noise: {told}.", caption)


def over_time(result: EvaluateResult) -> Drawn | None:
    """Draw accuracy against the number of time steps."""
    if STEPS not in result.checkpoints[0].curves():
        return None
    figure, axes = chart(5.2, 3.3)
    _curves(axes, result, STEPS)
    shown = sorted({point.steps for point in result.checkpoints[0].curve(STEPS)})
    axes.set_xscale("log", base=2)
    axes.set_xticks(shown, [str(steps) for steps in shown], minor=False)
    axes.minorticks_off()
    for steps in sorted({one.steps for one in result.checkpoints}):
        axes.axvline(steps, color=SOFT, lw=1, ls=(0, (4, 3)), zorder=0)
    lowest = min(min(_band(one.curve(STEPS))[0]) for one in result.checkpoints)
    if lowest > _HIGH:
        axes.set_ylim(lowest - 0.05, 1.005)
    chance = "" if lowest > _HIGH else "; dotted: chance"
    axes.set_xlabel(f"time steps shown (dashed: trained with{chance})", color=SOFT, fontsize=9)
    axes.set_ylabel("accuracy", color=SOFT, fontsize=9)
    handles, names = axes.get_legend_handles_labels()
    if len(names) > 1:
        add_legend(figure, handles, names, loc="outside lower center", ncols=2)
    ends = "; ".join(
        f"{one.checkpoint} {_percent(one.curve(STEPS)[0])} after {one.curve(STEPS)[0].steps}, "
        f"{_percent(one.curve(STEPS)[-1])} after {one.curve(STEPS)[-1].steps}"
        for one in result.checkpoints
    )
    caption = "Accuracy against the time steps shown; bands are 95 % intervals."
    return Drawn("timesteps", figure, f"Accuracy against time steps: {ends}.", caption)


def confusion(result: EvaluateResult) -> Drawn:
    """Draw the confusion matrix of each network: the share of each true class that was taken so."""
    from matplotlib.figure import Figure

    count, across = len(result.checkpoints), min(3, len(result.checkpoints))
    down = -(-count // across)
    size = (0.3 + 3.5 * across, 0.2 + 3.6 * down)
    figure = Figure(figsize=size, layout="constrained", facecolor="white")
    places = figure.subplots(down, across, squeeze=False).ravel()
    for axes, one in zip(places, result.checkpoints, strict=False):
        _matrix(axes, one, result.facts["names"])
    for axes in places[count:]:
        axes.set_visible(False)
    told = "; ".join(
        f"{one.checkpoint} is right about {_percent(one.clean)}" for one in result.checkpoints
    )
    caption = "Rows are true classes, columns what they were taken for; shades are shares of a row."
    return Drawn("confusion", figure, f"Confusion matrices: {told}.", caption)


def rates(result: EvaluateResult) -> Drawn | None:
    """Draw the firing rate of each population, a panel for each network."""
    from matplotlib.figure import Figure

    firing = [one for one in result.checkpoints if one.rates]
    if not firing:
        return None
    heights = [0.55 + _ROW * len(one.rates) for one in firing]
    figure = Figure(figsize=(6.8, 0.35 + sum(heights)), layout="constrained", facecolor="white")
    places = figure.subplots(len(firing), 1, squeeze=False, height_ratios=heights, sharex=True)
    for axes, one in zip(places[:, 0], firing, strict=True):
        _rates_panel(plain(axes), one)
    figure.axes[-1].set_xlim(0, 1.05 * max(max(one.rates.values()) for one in firing) or 1)
    figure.axes[-1].set_xlabel("spikes per neuron, sample and time step", color=SOFT, fontsize=9)
    told = "; ".join(f"{one.checkpoint} {one.rate:.3f} on average" for one in firing)
    caption = "Mean over samples and time steps; populations in the order of the network."
    return Drawn("rates", figure, f"Firing rates of populations: {told}.", caption)


def _curves(axes: Axes, result: EvaluateResult, kind: str) -> None:
    curves = [
        Curve(
            one.checkpoint,
            [point.condition.level for point in one.curve(kind)],
            [point.accuracy.value or 0.0 for point in one.curve(kind)],
            COLOURS[number % len(COLOURS)],
            "-" if number < len(COLOURS) else DASHES[number // len(COLOURS) % len(DASHES)],
            MARKERS[number % len(MARKERS)],
            _band(one.curve(kind)),
        )
        for number, one in enumerate(result.checkpoints)
    ]
    draw_curves(axes, curves)
    axes.set_ylim(0, 1.02)
    axes.grid(axis="y", color=LINE, lw=0.8)
    chance = 1 / result.facts["classes"]
    axes.axhline(chance, color=SOFT, lw=0.9, ls=(0, (1, 2)), zorder=0)


def _band(points: Sequence[Point]) -> tuple[list[float], list[float]]:
    lows = [point.accuracy.low or 0.0 for point in points]
    return lows, [1.0 if point.accuracy.high is None else point.accuracy.high for point in points]


def _legend(figure: Figure, axes: Axes, across: int) -> None:
    from matplotlib.lines import Line2D

    handles, names = axes.get_legend_handles_labels()
    chance = Line2D([], [], color=SOFT, lw=0.9, ls=(0, (1, 2)))
    where = {"loc": "lower left", "ncols": across, "handlelength": 3}
    add_legend(figure, [*handles, chance], [*names, "chance"], **where)


def _matrix(axes: Axes, one: CheckpointResult, names: Sequence[str]) -> None:
    shares = [[count / max(1, sum(row)) for count in row] for row in one.confusion]
    classes = range(len(shares))
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    axes.set_title(cut(one.checkpoint, 40), fontsize=9, color=INK, loc="left", parse_math=False)
    axes.set_xlabel(f"taken for, {_percent(one.clean)} right", color=SOFT, fontsize=8)
    axes.set_ylabel("true class", color=SOFT, fontsize=8)
    axes.tick_params(color=LINE, labelcolor=SOFT, labelsize=7, length=0)
    axes.spines[:].set_visible(False)
    if len(shares) > _NAMED:
        return
    labels = [cut(name, 12) for name in names] or [str(number) for number in classes]
    axes.set_xticks(classes, labels, rotation=90 if names else 0)
    axes.set_yticks(classes, labels)
    for row in classes:
        for column in classes:
            if count := one.confusion[row][column]:
                colour = "white" if shares[row][column] > 0.5 else INK
                axes.text(
                    column, row, str(count), ha="center", va="center", fontsize=6, color=colour
                )


def _rates_panel(axes: Axes, one: CheckpointResult) -> None:
    rows = range(len(one.rates))
    values = list(one.rates.values())
    axes.hlines(rows, 0, values, color=COLOURS[0], lw=1.4)
    axes.plot(values, rows, "o", color=COLOURS[0], ms=4, clip_on=False, zorder=3)
    axes.set_yticks(rows, [cut(_short(name), 34) for name in one.rates], fontsize=7)
    for label in axes.get_yticklabels():
        label.set_parse_math(False)
    axes.set_ylim(len(values) - 0.4, -0.6)
    axes.grid(axis="x", color=LINE, lw=0.8)
    axes.set_title(cut(one.checkpoint, 60), fontsize=9, color=INK, loc="left", parse_math=False)


def _short(population: str) -> str:
    """Leave out the settings of a neuron model."""
    return population.partition("[")[0]


def _percent(point: Point) -> str:
    return f"{100 * (point.accuracy.value or 0.0):.1f} %"
