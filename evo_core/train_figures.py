"""The figures of a training."""

from __future__ import annotations

import math

from evo_core.train_results import TrainResult


def draw(result: TrainResult) -> None:
    """Draw accuracy and what a Development told, epoch by epoch, in ``figures/``."""
    from evo_core.drawing import curves_chart, numbers_chart, save

    folder = result.folder / "figures"
    folder.mkdir(exist_ok=True)
    title = f"{result.job.target} on {result.job.settings['data']}"
    epochs = [one.epoch for one in result.history]
    figures = {
        "curves": curves_chart(
            epochs,
            [one.train.accuracy for one in result.history],
            [one.validation.accuracy for one in result.history],
            title,
        )
    }
    told = {name: [one.numbers[name] for one in result.history] for name in _finite_numbers(result)}
    if told:
        figures["development"] = numbers_chart(epochs, told, title)
    for name, figure in figures.items():
        for suffix in ("svg", "png"):
            save(figure, folder / f"{name}.{suffix}")


def _finite_numbers(result: TrainResult) -> list[str]:
    """Name the numbers of a Development that are finite in all epochs, as charts need them."""
    every = [one.numbers for one in result.history]
    return [
        name for name in every[0] if all(math.isfinite(one.get(name, math.nan)) for one in every)
    ]
