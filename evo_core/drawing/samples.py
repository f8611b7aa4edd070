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
    height, width, _ = tiles[0][1].shape
    rows, above, beside = -(-len(tiles) // _ACROSS), height // 3 + 1, width // 10 + 1
    sheet = np.ones((rows * (height + above), _ACROSS * (width + beside), 3), np.float32)
    size = (_ACROSS, _ACROSS * sheet.shape[0] / sheet.shape[1] + 0.5)
    figure = Figure(figsize=size, layout="constrained", facecolor="white")
    axes = figure.add_subplot()
    axes.set_title(title, color=INK, fontsize=12, parse_math=False)
    axes.set_axis_off()
    for place, (name, picture) in enumerate(tiles):
        top = place // _ACROSS * (height + above) + above
        left = place % _ACROSS * (width + beside)
        sheet[top : top + height, left : left + width] = picture
        where = (left + width / 2, top - above / 6)
        axes.text(*where, name, fontsize=7, color=INK, ha="center", parse_math=False)
    axes.imshow(sheet, interpolation="nearest")
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
    """Make ``[C, H, W]`` a picture ``[H, W, 3]`` from 0 to 1."""
    frame = frame.astype(np.float32)
    low, high = min(0.0, float(frame.min())), max(1.0, float(frame.max()))
    frame = (frame - low) / (high - low)
    if len(frame) == 2:  # polarities: off is red, on is green
        frame = np.stack([*frame, np.zeros_like(frame[0])])
    elif len(frame) != 3:
        frame = np.repeat(frame.mean(0, keepdims=True), 3, axis=0)
    return frame.transpose(1, 2, 0)
