"""DVS128 Gesture (Amir et al., 2017): AEDAT 3.1 recordings, cut where their labels say."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from evo_core.data import Splits
from evo_core.errors import EvoError
from evo_data.aedat import SENSOR, read_aedat3
from evo_data.events import EventFiles, Events, Recordings, amount, need_root, read_bytes
from evo_data.prepared_frames import framed

CLASSES = 11
COMPLETE = {"train": (98, "training"), "test": (24, "test")}  # recordings of about 12 gestures
EXPECTED = "the original recordings NAME.aedat, NAME_labels.csv, trials_to_{train,test}.txt"
_LARGEST_TEXT = 2**20
_LATEST = 2**62  # microseconds

Gesture = tuple[int, int, int]  # class from 0, start and end in microseconds


def load(options: Any, root: Path | None) -> Splits:
    """Load DVS128 Gesture as frames of events, one sample for each labelled gesture.

    Raises:
        EvoError: If files are missing or damaged.
    """
    return framed("dvs128-gesture", find(need_root("dvs128-gesture", root, EXPECTED)), options)


def find(root: Path) -> EventFiles:
    """Look for the recordings in ``root``, or in the folder ``DvsGesture`` of it.

    A recording that is listed but not there makes a partial copy.

    Raises:
        EvoError: If lists or labels are missing or damaged, or nothing is there to train with.
    """
    candidates = (root / "DvsGesture", root)
    folder = next((one for one in candidates if (one / "trials_to_train.txt").is_file()), root)
    halves, files, partials = {}, [], []
    for half, (complete, what) in COMPLETE.items():
        listed = folder / f"trials_to_{half}.txt"
        if not listed.is_file():
            raise EvoError(f"dvs128-gesture: {listed} is missing; it expects {EXPECTED}")
        found = [folder / name for name in _names(listed) if (folder / name).is_file()]
        gestures = [read_labels(_labels_of(path)) for path in found]
        partials.append(amount(len(found), complete, f"{what} recordings"))
        files += [listed, *found, *map(_labels_of, found)]
        labels = np.array([one[0] for each in gestures for one in each], np.int64)
        halves[half] = Recordings(labels, partial(_read, found, gestures))
    if not len(halves["train"].labels):
        listed = folder / "trials_to_train.txt"
        raise EvoError(f"dvs128-gesture: no recording that {listed} names is there; get them again")
    return EventFiles(
        folder=folder,
        files=tuple(files),
        sensor=SENSOR,
        classes=CLASSES,
        train=halves["train"],
        test=halves["test"],
        partial=" and ".join(text for text in partials if text),
    )


def read_labels(path: Path) -> list[Gesture]:
    """Read which gestures a recording has.

    The lines after the first are ``class,start,end``: classes from 1, times in microseconds.

    Raises:
        EvoError: If the file can not be read or is damaged.
    """
    gestures = []
    for number, line in enumerate(_lines(path)[1:], 2):
        try:
            label, start, end = (int(value) for value in line.split(","))
        except ValueError:
            raise _bad_line(path, number) from None
        if not (1 <= label <= CLASSES and 0 <= start < end <= _LATEST):
            raise _bad_line(path, number)
        gestures.append((label - 1, start, end))
    if not gestures:
        raise EvoError(f"{path} is damaged: it has no gestures; get it again")
    return gestures


def _bad_line(path: Path, number: int) -> EvoError:
    return EvoError(
        f"{path} is damaged: line {number} is no class of 1 to {CLASSES} with start and end; get "
        "it again"
    )


def _names(path: Path) -> list[str]:
    """Read the names of the recordings of a half."""
    names = _lines(path)
    for name in names:
        if not name.endswith(".aedat") or "/" in name or "\\" in name or not name.isprintable():
            raise EvoError(f"{path} is damaged: {name[:40]!r} is no recording; get it again")
    if len(set(names)) < len(names):
        raise EvoError(f"{path} is damaged: it names a recording twice; get it again")
    return names


def _lines(path: Path) -> list[str]:
    """Read the lines that are not empty."""
    try:
        text = read_bytes(path, _LARGEST_TEXT).decode("ascii")
    except UnicodeDecodeError:
        raise EvoError(f"{path} is damaged: it is no plain text; get it again") from None
    return [line.strip() for line in text.splitlines() if line.strip()]


def _labels_of(recording: Path) -> Path:
    return recording.with_name(f"{recording.stem}_labels.csv")


def _read(paths: Sequence[Path], gestures: Sequence[Sequence[Gesture]]) -> Iterator[Events]:
    for path, each in zip(paths, gestures, strict=True):
        events = read_aedat3(path)
        for label, start, end in each:
            gesture = events.between(start, end)
            if not len(gesture):
                raise EvoError(
                    f"{path} is damaged: it has no events of the gesture {label + 1} that its "
                    f"labels put at {start} us; get it again"
                )
            yield gesture
