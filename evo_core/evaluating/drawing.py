"""The figures of an evaluation, drawn from its result; the same result gives the same bytes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
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
from evo_core.evaluating.confusion import confusion
from evo_core.evaluating.labels import percent, short_names
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
_HIGH = 0.5  # where all are above, the axis of accuracy over time begins below the lowest
_ROW = 0.21  # inches of a population


def draw_evaluation(result: EvaluateResult) -> list[Drawn]:
    """Draw every figure that the result has numbers for; networks have short names there."""
    names = short_names([one.checkpoint for one in result.checkpoints])
    named = zip(result.checkpoints, names, strict=True)
    result = replace(
        result, checkpoints=tuple(replace(one, checkpoint=name) for one, name in named)
    )
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
        f"{one.checkpoint} from {percent(one.clean)} to "
        + ", ".join(f"{percent(one.curve(kind)[-1])} ({kind})" for kind in kinds)
        for one in result.checkpoints
    )
    caption = "Accuracy against the level of noise; bands are 95 % intervals."
    return Drawn("robustness", figure, f"Accuracy under noise: {told}.", caption)


def over_time(result: EvaluateResult) -> Drawn | None:
    """Draw accuracy against the number of time steps, those of the training among them."""
    if STEPS not in result.checkpoints[0].curves():
        return None
    figure, axes = chart(5.2, 3.3)
    _curves(axes, result, STEPS)
    curves = [_points(one, STEPS) for one in result.checkpoints]
    shown = sorted({point.steps for curve in curves for point in curve})
    axes.set_xscale("log", base=2)
    axes.set_xticks(shown, [str(steps) for steps in shown], minor=False)
    axes.minorticks_off()
    for steps in sorted({one.steps for one in result.checkpoints}):
        axes.axvline(steps, color=SOFT, lw=1, ls=(0, (4, 3)), zorder=0)
    lowest = min(min(_band(curve)[0]) for curve in curves)
    if lowest > _HIGH:
        axes.set_ylim(lowest - 0.05, 1.005)
    chance = "" if lowest > _HIGH else "; dotted: chance"
    axes.set_xlabel(f"time steps shown (dashed: trained with{chance})", color=SOFT, fontsize=9)
    axes.set_ylabel("accuracy", color=SOFT, fontsize=9)
    handles, names = axes.get_legend_handles_labels()
    if len(names) > 1:
        add_legend(figure, handles, names, loc="outside lower center", ncols=2)
    ends = "; ".join(
        f"{one.checkpoint} {percent(curve[0])} after {curve[0].steps}, "
        f"{percent(curve[-1])} after {curve[-1].steps}"
        for one, curve in zip(result.checkpoints, curves, strict=True)
    )
    caption = "Accuracy against the time steps shown; bands are 95 % intervals."
    return Drawn("timesteps", figure, f"Accuracy against time steps: {ends}.", caption)


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


def _points(one: CheckpointResult, kind: str) -> list[Point]:
    """Give the points of a curve; one over time steps has clean samples, under T of training."""
    points = [*one.curve(kind)]
    if kind == STEPS and one.steps not in {point.steps for point in points}:
        points.append(one.clean)
    return sorted(points, key=lambda point: point.steps) if kind == STEPS else points


def _curves(axes: Axes, result: EvaluateResult, kind: str) -> None:
    curves = []
    for number, one in enumerate(result.checkpoints):
        points = _points(one, kind)
        levels = [point.steps if kind == STEPS else point.condition.level for point in points]
        colour = COLOURS[number % len(COLOURS)]
        dashes = "-" if number < len(COLOURS) else DASHES[number // len(COLOURS) % len(DASHES)]
        ys = [point.accuracy.value or 0.0 for point in points]
        mark = MARKERS[number % len(MARKERS)]
        curves.append(Curve(one.checkpoint, levels, ys, colour, dashes, mark, _band(points)))
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
