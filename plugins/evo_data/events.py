"""Event streams, and what a reader tells about the recordings it has found."""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from evo_core.errors import EvoError

Integers = npt.NDArray[np.integer[Any]]
LARGEST = 2**28  # bytes of a recording; the published ones have less

# what the zip reader raises when a file is damaged
BAD_ZIP = (
    zipfile.BadZipFile, zlib.error, struct.error, EOFError, RuntimeError, ValueError,
    OverflowError, OSError,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Events:
    """The events of a recording in the order of time; all arrays have the shape ``[n]``.

    Attributes:
        t: Times in microseconds.
        x: Columns from the left.
        y: Rows from the top.
        p: Polarities, 0 or 1.
    """

    t: npt.NDArray[np.int64]
    x: npt.NDArray[np.int16]
    y: npt.NDArray[np.int16]
    p: npt.NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.t)

    def between(self, start: int, end: int) -> Events:
        """Give the events of ``start <= t < end`` in microseconds."""
        first, last = np.searchsorted(self.t, [start, end])
        part = slice(first, last)
        return Events(self.t[part], self.x[part], self.y[part], self.p[part])


@dataclass(frozen=True, slots=True)
class Recordings:
    """Labelled recordings that are read one after the other, when they are needed.

    Attributes:
        labels: Classes ``[N]``, from 0.
        read: Gives the events of each, in the order of ``labels``.
    """

    labels: npt.NDArray[np.int64]
    read: Callable[[], Iterator[Events]]


@dataclass(frozen=True, slots=True)
class EventFiles:
    """What a reader has found below a data root.

    Attributes:
        folder: The folder that holds the files.
        files: Every file that is read.
        sensor: Height and width of the camera in pixels.
        classes: Number of classes.
        train: The official training recordings.
        test: The official test recordings.
        partial: What there is of a copy that is not complete; empty for a complete one.
    """

    folder: Path
    files: tuple[Path, ...]
    sensor: tuple[int, int]
    classes: int
    train: Recordings
    test: Recordings
    partial: str = ""


def ordered(
    source: str, t: Integers, x: Integers, y: Integers, p: Integers, sensor: tuple[int, int]
) -> Events:
    """Check events and sort them by time; events of equal time stay in order.

    Args:
        source: The name of the recording, for messages.
        t: Times in microseconds.
        x: Columns.
        y: Rows.
        p: Polarities.
        sensor: Height and width of the camera.

    Raises:
        EvoError: If there are no events, or one lies outside the camera.
    """
    height, width = sensor
    if len(t) == 0:
        raise EvoError(f"{source} is damaged: it has no events; get it again")
    if x.min() < 0 or y.min() < 0 or x.max() >= width or y.max() >= height:
        raise EvoError(
            f"{source} is damaged: it has events outside the {width}x{height} pixels of the "
            "camera; get it again"
        )
    arrays = (t.astype(np.int64), x.astype(np.int16), y.astype(np.int16), p.astype(np.uint8))
    if (np.diff(arrays[0]) < 0).any():
        order = np.argsort(arrays[0], kind="stable")
        arrays = tuple(array[order] for array in arrays)  # type: ignore[assignment]
    return Events(*arrays)


def read_bytes(path: Path, largest: int = LARGEST) -> bytes:
    """Read a file that is not larger than it can be.

    Raises:
        EvoError: If it is too large, no file, or can not be read.
    """
    try:
        if not path.is_file():
            raise EvoError(f"{path} is no file; get it again")
        if path.stat().st_size > largest:
            raise EvoError(f"{path} is damaged: it has more than {largest:,} bytes; get it again")
        return path.read_bytes()
    except OSError as error:
        raise EvoError(f"{path} can not be read: {error.strerror}") from None


def need_root(name: str, root: Path | None, expected: str) -> Path:
    """Give the data root.

    Raises:
        EvoError: If there is none; the message says what is expected there.
    """
    if root is None:
        raise EvoError(f"{name} needs its files: give --data-root, a folder with {expected}")
    return root


def amount(found: int, expected: int, what: str, numbers: Sequence[int] = ()) -> str:
    """Say how much there is of what is expected; empty if it is all there.

    >>> amount(3, 60000, "training recordings", [1, 2, 3])
    'first 3 of 60,000 training recordings'

    Args:
        found: How many there are.
        expected: How many a complete copy has.
        what: What is counted.
        numbers: The numbers of those found, if they are numbered from 1.
    """
    if found >= expected:
        return ""
    first = "first " if found and list(numbers) == list(range(1, found + 1)) else ""
    return f"{first}{found:,} of {expected:,} {what}"
