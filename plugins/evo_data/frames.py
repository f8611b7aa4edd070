"""Frames of events: counts over the pixels of the camera, one frame for each time step."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

from evo_data.events import Events

SplitBy = Literal["number", "time"]
MOST = 255  # counts above stay at this


def integrate(
    events: Events, sensor: tuple[int, int], *, frames: int, split_by: SplitBy, size: int = 0
) -> npt.NDArray[np.uint8]:
    """Count the events of each time step, polarity and pixel.

    These are the frames of SpikingJelly's ``integrate_events_by_fixed_frames_number`` (Fang et al.,
    2021, "Incorporating Learnable Membrane Time Constant ..."): with N events and T frames, frame j
    has the events from floor(N/T) j to floor(N/T) (j+1), or those of t0 + dt j <= t < t0 + dt (j+1)
    with dt = floor((t1 - t0) / T); the last frame has the rest too. Two things differ: counts above
    255 stay at 255, and a stretch of time without events gives an empty frame.

    Args:
        events: The events of a recording.
        sensor: Height and width of the camera.
        frames: The number of frames T.
        split_by: Whether each has as many events, or as much time.
        size: Height and width to add up the counts of neighbouring pixels to; 0 keeps all pixels.

    Returns:
        Counts ``[T, 2, H, W]``; channel 0 has polarity 0.
    """
    (height, width), x, y = sensor, events.x.astype(np.int64), events.y.astype(np.int64)
    if size:
        x, y = x * size // width, y * size // height
        height = width = size
    step = _by_number(len(events), frames) if split_by == "number" else _by_time(events.t, frames)
    place = ((step * 2 + events.p) * height + y) * width + x
    shape = (frames, 2, height, width)
    counts = np.bincount(place, minlength=int(np.prod(shape)))
    return np.minimum(counts, MOST).astype(np.uint8).reshape(shape)


def _by_number(count: int, frames: int) -> npt.NDArray[np.int64]:
    """Give the frame of each event: as many events in each."""
    each = count // frames
    if each == 0:
        return np.full(count, frames - 1)
    return np.minimum(np.arange(count) // each, frames - 1)


def _by_time(t: npt.NDArray[np.int64], frames: int) -> npt.NDArray[np.int64]:
    """Give the frame of each event: as much time in each."""
    each = int(t[-1] - t[0]) // frames
    if each == 0:
        return np.full(len(t), frames - 1)
    step: npt.NDArray[np.int64] = np.minimum((t - t[0]) // each, frames - 1)
    return step
