"""A contact sheet: what the samples of a data set look like."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from evo_core.data import Splits
from evo_core.drawing.charts import INK

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Picture = npt.NDArray[np.floating[Any]]
_ACROSS = 10  # pictures in a row
_TILES = 100  # pictures in all, or one for each class


def contact_sheet(splits: Splits, title: str) -> Figure:
    """Draw training samples class by class; of events, the first frames of one for each class."""
    from matplotlib.figure import Figure

    tiles = _tiles(splits)
    rows = -(-len(tiles) // _ACROSS)
    figure = Figure(figsize=(_ACROSS, 1.25 * rows + 0.5), layout="constrained", facecolor="white")
    figure.suptitle(title, color=INK, fontsize=12, parse_math=False)
    axes = list(figure.subplots(rows, _ACROSS, squeeze=False).flat)
    for place in axes:
        place.set_axis_off()
    for place, (name, picture) in zip(axes, tiles, strict=False):
        place.imshow(picture, vmin=0, vmax=1, cmap="gray", interpolation="nearest")
        place.set_title(name, fontsize=7, color=INK, parse_math=False)
    return figure


def _tiles(splits: Splits) -> list[tuple[str, Picture]]:
    train = splits.train
    names = splits.names or tuple(map(str, range(splits.classes)))
    events = train.inputs.ndim == 5
    each = 1 if events else max(1, _TILES // splits.classes)
    tiles = []
    for label, name in enumerate(names[:_TILES]):
        rows = np.flatnonzero(train.labels == label)[:each]
        for sample in train.take(rows).scaled():
            frames = sample[:_ACROSS] if events else [sample]
            blank = [np.zeros_like(sample[0])] * (_ACROSS - len(frames)) if events else []
            tiles += [(name, _picture(frame)) for frame in [*frames, *blank]]
    return tiles


def _picture(frame: npt.NDArray[Any]) -> Picture:
    """Make ``[C, H, W]`` a picture ``[H, W]`` or ``[H, W, 3]`` from 0 to 1."""
    frame = frame.astype(np.float32)
    low, high = min(0.0, float(frame.min())), max(1.0, float(frame.max()))
    frame = (frame - low) / (high - low)
    if len(frame) == 3:
        return frame.transpose(1, 2, 0)
    if len(frame) == 2:  # polarities: off is red, on is green
        return np.stack([frame[0], frame[1], np.zeros_like(frame[0])], axis=-1)
    return np.asarray(frame[0] if len(frame) == 1 else frame.mean(0))
