"""N-MNIST (Orchard et al., 2015): the original ``.bin`` recordings, in folders or in the zips."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from evo_core.data import Splits
from evo_core.errors import EvoError
from evo_data.events import (
    BAD_ZIP,
    EventFiles,
    Events,
    Recordings,
    amount,
    need_root,
    ordered,
    read_bytes,
)
from evo_data.prepared import checksum
from evo_data.prepared_frames import framed

SENSOR = (34, 34)
COMPLETE = {"Train": (60_000, "training"), "Test": (10_000, "test")}
EXPECTED = "Train.zip and Test.zip, or the folders Train and Test"
PUBLISHED = {  # MD5 sums
    "Train.zip": "20959b8e626244a1b502305a9e6e2031",
    "Test.zip": "69ca8762b2fe404d9b9bad1103e97832",
}
LARGEST = 2**23  # bytes of a recording; the published ones have about 20,000
_OVERFLOW_ROW, _OVERFLOW = 240, 2**13  # an event in this row says that the clock has gone round
_NAME = re.compile(r"(?:^|/)(\d)/(\d{1,9})\.bin$")

_PACKED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)

Found = list[tuple[int, int, Any]]  # number and digit of each recording, and what to read


def load(options: Any, root: Path | None) -> Splits:
    """Load N-MNIST as frames of events.

    Raises:
        EvoError: If files are missing or damaged.
    """
    return framed("nmnist", find(need_root("nmnist", root, EXPECTED)), options)


def check(options: Any, root: Path | None) -> dict[str, str]:
    """Compare the zips with the publisher's checksums; there are none of unpacked recordings.

    Returns:
        By path below the data root, ``"ok"`` or ``"differs"``; nothing unless both are zips.

    Raises:
        EvoError: If files are missing or can not be read.
    """
    root = need_root("nmnist", root, EXPECTED)
    files = find(root).files
    if {path.name for path in files} != set(PUBLISHED):
        return {}
    return {
        path.relative_to(root).as_posix(): "ok"
        if checksum(path) == PUBLISHED[path.name]
        else "differs"
        for path in files
    }


def find(root: Path) -> EventFiles:
    """Look for the recordings in ``root``, or in the folder ``NMNIST`` of it.

    Raises:
        EvoError: If they are not there.
    """
    folder = next((one for one in (root / "NMNIST", root) if _source(one, "Train")), root)
    halves, files, partials = {}, [], []
    for half, (complete, what) in COMPLETE.items():
        source = _source(folder, half)
        if source is None:
            raise EvoError(
                f"nmnist: {folder} has neither {half}.zip nor the folder {half}; it expects "
                f"{EXPECTED}"
            )
        found = _zipped(source) if source.is_file() else _unzipped(source)
        numbers = [number for number, _, _ in found]
        partials.append(amount(len(found), complete, f"{what} recordings", numbers))
        files += [source] if source.is_file() else [path for _, _, path in found]
        labels = np.array([digit for _, digit, _ in found], np.int64)
        halves[half] = Recordings(labels, partial(_read, source, [one for _, _, one in found]))
    return EventFiles(
        folder=folder,
        files=tuple(files),
        sensor=SENSOR,
        classes=10,
        train=halves["Train"],
        test=halves["Test"],
        partial=" and ".join(text for text in partials if text),
    )


def decode(data: bytes, source: str) -> Events:
    """Read the events of a recording.

    Each takes five bytes: x, y, then one bit of polarity and 23 bits of time in microseconds. As in
    the publisher's reader, an event in row 240 only says that the clock has gone round.

    Raises:
        EvoError: If the bytes are no recording.
    """
    if len(data) % 5:
        raise EvoError(f"{source} is damaged: {len(data)} bytes are no events of 5; get it again")
    raw = np.frombuffer(data, np.uint8).reshape(-1, 5).astype(np.int64)
    x, y, high, middle, low = raw.T
    round_again = y == _OVERFLOW_ROW
    t = ((high & 127) << 16 | middle << 8 | low) + np.cumsum(round_again) * _OVERFLOW
    seen = ~round_again
    return ordered(source, t[seen], x[seen], y[seen], high[seen] >> 7, SENSOR)


def _source(folder: Path, half: str) -> Path | None:
    """Give the folder or the zip of a half, if there is any."""
    if (folder / half).is_dir():
        return folder / half
    archive = folder / f"{half}.zip"
    return archive if archive.is_file() else None


def _unzipped(folder: Path) -> Found:
    return _recordings(folder, [(path.as_posix(), path) for path in folder.glob("*/*.bin")])


def _zipped(path: Path) -> Found:
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except BAD_ZIP as error:
        raise _damaged(path, error) from None
    for entry in entries:
        if entry.file_size > LARGEST or entry.compress_type not in _PACKED:
            raise EvoError(f"{path} is damaged: odd entry {entry.filename!r}; get it again")
    return _recordings(path, [(entry.filename, entry) for entry in entries])


def _recordings(source: Path, named: list[tuple[str, Any]]) -> Found:
    """Sort what is named like a recording, ``digit/number.bin``, by number.

    Raises:
        EvoError: If there is nothing of that kind.
    """
    found = [
        (int(match[2]), int(match[1]), one) for name, one in named if (match := _NAME.search(name))
    ]
    if not found:
        raise EvoError(f"{source} holds no recordings DIGIT/NUMBER.bin; get it again")
    return sorted(found, key=lambda one: one[:2])


def _read(source: Path, recordings: list[Any]) -> Iterator[Events]:
    if source.is_dir():
        for path in recordings:
            yield decode(read_bytes(path, LARGEST), str(path))
        return
    try:
        with zipfile.ZipFile(source) as archive:
            for entry in recordings:
                with archive.open(entry) as packed:
                    data = packed.read(LARGEST)  # no more, whatever the entry unpacks to
                yield decode(data, f"{source}: {entry.filename}")
    except BAD_ZIP as error:
        raise _damaged(source, error) from None


def _damaged(path: Path, error: BaseException) -> EvoError:
    reason = " ".join(str(error).split()) or type(error).__name__
    return EvoError(f"{path} is damaged: {reason}; get it again")
