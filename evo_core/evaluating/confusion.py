"""The confusion matrices of an evaluation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from evo_core.comparing.figures_looks import Drawn, cut
from evo_core.drawing.charts import INK, LINE, SOFT
from evo_core.evaluating.labels import percent
from evo_core.evaluating.results import CheckpointResult, EvaluateResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.image import AxesImage

_NAMED = 20  # classes up to which a confusion matrix has numbers and names


def confusion(result: EvaluateResult) -> Drawn:
    """Draw the confusion matrix of each network: the share of each true class that was taken so."""
    from matplotlib.figure import Figure

    count, across = len(result.checkpoints), min(3, len(result.checkpoints))
    down = -(-count // across)
    size = (1.0 + 3.5 * across, 0.3 + 3.6 * down)
    figure = Figure(figsize=size, layout="constrained", facecolor="white")
    places = figure.subplots(down, across, squeeze=False).ravel()
    for axes in places[count:]:
        axes.set_visible(False)
    images = [
        _matrix(axes, one, result.facts["names"])
        for axes, one in zip(places, result.checkpoints, strict=False)
    ]
    numbers = "; numbers: samples" if result.facts["classes"] <= _NAMED else ""
    bar = figure.colorbar(images[0], ax=places.tolist(), shrink=0.8, aspect=30 * down, pad=0.02)
    bar.set_label(f"share of the true class (row){numbers}", color=SOFT, fontsize=8)
    bar.ax.tick_params(color=LINE, labelcolor=SOFT, labelsize=7)
    bar.outline.set_visible(False)
    told = "; ".join(
        f"{one.checkpoint} is right about {percent(one.clean)}" for one in result.checkpoints
    )
    caption = (
        "Rows are true classes, columns what they were taken for; shades are shares of a row"
        f"{', numbers count samples, over all draws' if numbers else ''}."
    )
    return Drawn("confusion", figure, f"Confusion matrices: {told}.", caption)


def _matrix(axes: Axes, one: CheckpointResult, names: Sequence[str]) -> AxesImage:
    shares = [[count / max(1, sum(row)) for count in row] for row in one.confusion]
    classes = range(len(shares))
    image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    title = f"{cut(one.checkpoint, 28)}: {percent(one.clean)} right"
    axes.set_title(title, fontsize=9, color=INK, loc="left", parse_math=False)
    axes.set_xlabel("predicted class", color=SOFT, fontsize=8)
    axes.set_ylabel("true class", color=SOFT, fontsize=8)
    axes.tick_params(color=LINE, labelcolor=SOFT, labelsize=7, length=0)
    axes.spines[:].set_visible(False)
    if len(shares) > _NAMED:
        return image
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
    return image
