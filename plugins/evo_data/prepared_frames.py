"""Frames on disk: made once for the same files and options, then only mapped into memory.

They lie with the other prepared copies, below :func:`evo_data.prepared.cache_root`.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from evo_core.data import Samples, Splits
from evo_core.errors import EvoError
from evo_core.folder import write_whole
from evo_core.seeds import generator
from evo_data.events import EventFiles, Recordings
from evo_data.frames import integrate
from evo_data.prepared import cache_root

_VERSION = 1  # of what the readers and frames make of the same files
_PARTS = ("train", "validation", "test")


def framed(name: str, files: EventFiles, options: Any) -> Splits:
    """Give the recordings of a data set as frames, memory-mapped from the prepared cache.

    Frames that are not there yet are made first; other processes that want the same ones wait. They
    take their place in the cache when all are made, so none are there by halves.

    Args:
        name: The name of the data set.
        files: What its reader has found.
        options: How the recordings become frames (``FrameOptions``).

    Raises:
        EvoError: If a file is damaged, or the cache can not be written or read.
    """
    import filelock

    if options.size > min(files.sensor):
        raise EvoError(f"{name}.size is {options.size}, but the camera has {min(files.sensor)}")
    cache = cache_root()
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(cache / f"{name}.lock"):
            key = _digest([_VERSION, _content(files, cache), dataclasses.asdict(options)])
            folder = cache / f"{name}-{key}"
            if not folder.is_dir():
                _make(folder, files, options)
    except OSError as error:
        raise EvoError(
            f"frames can not be kept in {cache}: {error.strerror or error}; set EVO_CACHE to a "
            "folder with space"
        ) from None
    train, validation, test = (_mapped(folder, part) for part in _PARTS)
    return Splits(train, validation, test, files.classes, partial=files.partial)


def held_out(labels: npt.NDArray[np.int64], share: float) -> npt.NDArray[np.bool_]:
    """Choose the validation samples: the same share of each class, always the same ones."""
    held = np.zeros(len(labels), bool)
    for label in np.unique(labels):
        rows = np.flatnonzero(labels == label)
        chosen = generator(0, "validation", int(label)).permutation(rows)
        held[chosen[: int(len(rows) * share)]] = True
    return held


def _content(files: EventFiles, cache: Path) -> str:
    """Give a checksum of the files.

    It is computed once as long as places, sizes and times of change stay the same.
    """
    listing = []
    for path in files.files:
        status = path.stat()
        listing.append([str(path.absolute()), status.st_size, status.st_mtime_ns])
    known = cache / "checksums" / _digest(listing)
    if known.is_file():
        return known.read_text(encoding="utf-8")
    digest = hashlib.sha256()
    for path in files.files:
        with path.open("rb") as stream:
            content = hashlib.file_digest(stream, "sha256").hexdigest()
        digest.update(f"{path.relative_to(files.folder).as_posix()} {content}\n".encode())
    known.parent.mkdir(exist_ok=True)
    write_whole(known, digest.hexdigest())
    return digest.hexdigest()


def _digest(parts: Any) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:24]


def _make(folder: Path, files: EventFiles, options: Any) -> None:
    """Fill a folder with frames; it takes its name when it is full."""
    aside = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(aside, ignore_errors=True)  # of a process that was killed
    aside.mkdir()
    try:
        held = held_out(files.train.labels, options.validation)
        train = np.where(held, "validation", "train")
        _write(aside, files.train, ("train", "validation"), train, files.sensor, options)
        test = np.full(len(files.test.labels), "test")
        _write(aside, files.test, ("test",), test, files.sensor, options)
        aside.rename(folder)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _write(
    folder: Path,
    recordings: Recordings,
    parts: tuple[str, ...],
    part_of: npt.NDArray[np.str_],
    sensor: tuple[int, int],
    options: Any,
) -> None:
    """Write the frames and the label of each recording to the part that it belongs to."""
    height, width = (options.size, options.size) if options.size else sensor
    with contextlib.ExitStack() as stack:
        streams = {}
        for part in parts:
            np.save(folder / f"{part}-labels.npy", recordings.labels[part_of == part])
            streams[part] = stack.enter_context((folder / f"{part}.npy").open("wb"))
            shape = (int((part_of == part).sum()), options.frames, 2, height, width)
            header = {"descr": "|u1", "fortran_order": False, "shape": shape}
            np.lib.format.write_array_header_1_0(streams[part], header)
        for part, events in zip(part_of.tolist(), recordings.read(), strict=True):
            frames = integrate(
                events, sensor, frames=options.frames, split_by=options.split_by, size=options.size
            )
            streams[part].write(frames.tobytes())


def _mapped(folder: Path, part: str) -> Samples:
    try:
        frames = np.load(folder / f"{part}.npy", mmap_mode="r")
        return Samples(frames, np.load(folder / f"{part}-labels.npy"))
    except (OSError, ValueError, EOFError, EvoError):
        raise EvoError(f"the prepared frames in {folder} are damaged; remove the folder") from None
