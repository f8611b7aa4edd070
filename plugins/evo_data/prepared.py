"""The prepared copy of a data set: arrays on disk, made once, mapped into memory by every worker.

A copy lies in a folder of its own below :func:`cache_root`, named after the checksum of the files
that it was made of. It appears whole or not at all, so that several processes may make it at once.

Training samples are kept in such an order that every stretch from the start is balanced as the
whole: the validation samples are the first of them, whatever their share, and never copied.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from evo_core.data import Samples, Splits
from evo_core.errors import EvoError
from evo_core.seeds import generator

FORMAT = 1  # of the arrays; another number makes every copy anew
Labels = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Part:
    """Samples on their way to the disk, in the order of their files.

    Attributes:
        labels: Classes ``[N]``.
        shape: The shape of one sample.
        chunks: The inputs ``[n, *shape]`` piece by piece, N samples in all.
        dtype: Their type.
    """

    labels: Labels
    shape: tuple[int, ...]
    chunks: Iterable[npt.NDArray[Any]]
    dtype: str = "uint8"


@dataclass(frozen=True, slots=True)
class Content:
    """What a prepared copy holds.

    Attributes:
        train: The training samples, before any are held out.
        test: The official test samples; None if there are none.
        classes: How many classes there are.
        names: What they are called; may be empty.
        partial: See :class:`evo_core.data.Splits`.
        scale: See :class:`evo_core.data.Samples`.
    """

    train: Part
    test: Part | None
    classes: int
    names: tuple[str, ...] = ()
    partial: str = ""
    scale: float = 1 / 255


def cache_root() -> Path:
    """Give the folder of all prepared copies: ``EVO_CACHE``, or the user's cache folder."""
    import platformdirs

    given = os.environ.get("EVO_CACHE")
    return Path(given) if given else Path(platformdirs.user_cache_dir("evo")) / "data"


def checksum(path: Path) -> str:
    """Give the MD5 sum of a file, which is what publishers state.

    Raises:
        EvoError: If it can not be read.
    """
    try:
        with path.open("rb") as file:
            new = hashlib.md5(usedforsecurity=False)
            return hashlib.file_digest(file, lambda: new).hexdigest()
    except OSError as error:
        raise EvoError(f"{path} can not be read: {error.strerror}") from None


def prepared(
    name: str, sums: Mapping[str, str], settings: str, make: Callable[[], Content]
) -> Path:
    """Give the folder of the prepared copy of a data set; make it if there is none.

    Args:
        name: The data set.
        sums: The checksums of the files it is made of, by their paths below the data root.
        settings: What else decides the arrays, as text.
        make: Reads the files.

    Raises:
        EvoError: If the files can not be read, or the copy can not be written.
    """
    key = json.dumps([FORMAT, name, settings, sorted(sums.items())])
    folder = cache_root() / f"{name}-{hashlib.sha256(key.encode()).hexdigest()[:24]}"
    if not folder.is_dir():
        content = make()
        with _aside(folder) as aside:
            _write(aside, content)
    return folder


def open_splits(folder: Path, *, validation: float, test: float = 0.0) -> Splits:
    """Map a prepared copy into memory.

    Args:
        folder: The copy.
        validation: The share of the training samples that is held out for validation.
        test: The share that is held out for the test, where there is no official one.

    Raises:
        EvoError: If it is damaged, or a split would be empty.
    """
    try:
        about = json.loads((folder / "about.json").read_text(encoding="utf-8"))
        whole = _open(folder, "train", about["scale"])
        official = _open(folder, "test", about["scale"]) if about["test"] else None
        names, classes, partial = tuple(about["names"]), about["classes"], about["partial"]
    except (OSError, ValueError, KeyError, TypeError, EOFError) as error:
        raise EvoError(
            f"the prepared copy {folder} is damaged: {error}; delete that folder, it is made anew"
        ) from None
    kept = 0 if official else int(len(whole) * test)
    held = kept + int(len(whole) * validation)
    if not (kept or official) or not kept < held < len(whole):
        raise EvoError(f"{len(whole)} samples are too few for a train, validation and test split")
    return Splits(
        train=whole.take(slice(held, None)),
        validation=whole.take(slice(kept, held)),
        test=official or whole.take(slice(kept)),
        classes=classes,
        names=names,
        partial=partial,
    )


def stratified_order(labels: Labels) -> npt.NDArray[np.intp]:
    """Order samples at random, always alike, each stretch from the start balanced as the whole.

    Among any first samples, classes of equal size differ by one at most, others have nearly their
    share.
    """
    order = generator(0, "split").permutation(len(labels))
    drawn = labels[order]
    by_class = np.argsort(drawn, kind="stable")
    counts = np.bincount(drawn)
    first = np.repeat(np.cumsum(counts) - counts, counts)
    place = np.empty(len(labels))
    place[by_class] = (np.arange(len(labels)) - first + 0.5) / np.repeat(counts, counts)
    return np.asarray(order[np.argsort(place, kind="stable")])


def _open(folder: Path, part: str, scale: float) -> Samples:
    inputs = np.load(folder / f"{part}-inputs.npy", mmap_mode="r", allow_pickle=False)
    labels = np.load(folder / f"{part}-labels.npy", allow_pickle=False)
    return Samples(np.asarray(inputs), labels, scale)


def _write(folder: Path, content: Content) -> None:
    parts = {"train": content.train} | ({"test": content.test} if content.test else {})
    for name, part in parts.items():
        _write_part(folder, name, part, shuffled=name == "train")
    about = {
        "test": content.test is not None,
        "classes": content.classes,
        "names": content.names,
        "partial": content.partial,
        "scale": content.scale,
    }
    (folder / "about.json").write_text(json.dumps(about), encoding="utf-8")


def _write_part(folder: Path, name: str, part: Part, *, shuffled: bool) -> None:
    count = len(part.labels)
    order = stratified_order(part.labels) if shuffled else np.arange(count)
    place = np.argsort(order)  # of each sample of the files
    inputs = np.lib.format.open_memmap(
        folder / f"{name}-inputs.npy", "w+", np.dtype(part.dtype), (count, *part.shape)
    )
    _reserve(folder / f"{name}-inputs.npy")
    begin = 0
    for chunk in part.chunks:
        inputs[place[begin : begin + len(chunk)]] = chunk
        begin += len(chunk)
    assert begin == count
    inputs.flush()
    np.save(folder / f"{name}-labels.npy", part.labels[order])


def _reserve(path: Path) -> None:
    """Take the room that a mapped file needs, which else would be missed only while it is filled.

    Raises:
        OSError: If there is not enough.
    """
    if hasattr(os, "posix_fallocate"):
        with path.open("r+b") as file:
            os.posix_fallocate(file.fileno(), 0, path.stat().st_size)


@contextlib.contextmanager
def _aside(folder: Path) -> Iterator[Path]:
    """Give a folder to be filled that takes its name when it is full, unless another was faster.

    Raises:
        EvoError: If it can not be written.
    """
    aside = folder.parent / f".{folder.name}-{secrets.token_hex(4)}"
    try:
        aside.mkdir(parents=True)
        try:
            yield aside
            _take_place(aside, folder)
        finally:
            shutil.rmtree(aside, ignore_errors=True)
    except OSError as error:
        raise EvoError(
            f"the prepared copy {folder} can not be written: {error.strerror or error}; name a "
            "folder that can in EVO_CACHE"
        ) from None


def _take_place(aside: Path, folder: Path) -> None:
    try:
        aside.rename(folder)
    except OSError:
        if not folder.is_dir():
            raise
