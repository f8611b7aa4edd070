"""Arrays of images in a ``.npz`` archive, read piece by piece and never unpickled."""

from __future__ import annotations

import math
import warnings
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from evo_core.errors import EvoError
from evo_data.damage import reading
from evo_data.prepared import Content, Labels, Part

_INPUTS = ("inputs", "images", "train_inputs", "train_images", "x_train")
_LABELS = ("labels", "train_labels", "y_train")
_TEST_INPUTS = ("test_inputs", "test_images", "x_test")
_TEST_LABELS = ("test_labels", "y_test")
_RATIO = 1100  # deflate packs no better
_SAMPLE = 2**26  # numbers of one sample
_SAMPLES = 10**8
_CLASSES = 10_000
_PIECE = 2**22  # numbers read at once


@dataclass(frozen=True, slots=True)
class _Array:
    """An array in the archive as its header describes it."""

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]


def read_archive(path: Path) -> Content:
    """Find the samples of an archive.

    Images are ``[N, H, W]``, ``[N, C, H, W]`` or ``[N, H, W, C]``, events ``[N, T, C, H, W]``.
    Bytes are scaled by 1/255, other numbers taken as they are.

    Raises:
        EvoError: If it holds no such arrays, or is damaged.
    """
    with reading(path, "an archive of arrays"), zipfile.ZipFile(path) as archive:
        held = [name.removesuffix(".npy") for name in archive.namelist()]
        train = _pair(path, archive, _the(path, held, _INPUTS), _the(path, held, _LABELS))
        test = None
        if set(held) & {*_TEST_INPUTS, *_TEST_LABELS}:
            names = _the(path, held, _TEST_INPUTS), _the(path, held, _TEST_LABELS)
            test = _pair(path, archive, *names)
    if test and (test.shape, test.dtype) != (train.shape, train.dtype):
        raise EvoError(
            f"{path} holds training samples of {train.shape} {train.dtype}, but test samples of "
            f"{test.shape} {test.dtype}"
        )
    labels = [part.labels for part in (train, test) if part]
    is_bytes = train.dtype == "uint8"
    classes = 1 + max(int(one.max()) for one in labels)
    return Content(train, test, classes, scale=1 / 255 if is_bytes else 1.0)


def _the(path: Path, held: Sequence[str], names: Sequence[str]) -> str:
    """Give the one name of several that an archive has."""
    found = [name for name in names if name in held]
    if len(found) != 1:
        raise EvoError(
            f"{path} must hold exactly one of the arrays {', '.join(names)}; it holds "
            f"{', '.join(held[:10]) or 'none'}"
        )
    return found[0]


def _pair(path: Path, archive: zipfile.ZipFile, inputs: str, labels: str) -> Part:
    array, classes = _header(archive, inputs), _read_labels(archive, labels)
    if array.shape[0] != len(classes):
        raise ValueError(f"{inputs} has {array.shape[0]:,} samples, {labels} {len(classes):,}")
    if array.dtype.kind not in "fiub" or not 3 <= len(array.shape) <= 5:
        raise ValueError(f"{inputs} has the shape {array.shape} and the type {array.dtype}")
    if not 0 < math.prod(array.shape[1:]) <= _SAMPLE:
        raise ValueError(f"{inputs} has samples of the shape {array.shape[1:]}")
    shape = _oriented(np.empty((0, *array.shape[1:]))).shape[1:]
    dtype = "uint8" if array.dtype == np.uint8 else "float32"
    return Part(classes, shape, _pieces(path, array), dtype)


def _pieces(path: Path, array: _Array) -> Iterator[npt.NDArray[Any]]:
    """Give the samples of an array, a few at a time."""
    rows = max(1, _PIECE // math.prod(array.shape[1:]))
    with (
        reading(path, "an archive of arrays"),
        zipfile.ZipFile(path) as archive,
        archive.open(f"{array.name}.npy") as stream,
    ):
        _read_header(stream)
        for begin in range(0, array.shape[0], rows):
            shape = (min(rows, array.shape[0] - begin), *array.shape[1:])
            piece = _oriented(_take(stream, shape, array.dtype))
            if piece.dtype.kind == "f" and not np.isfinite(piece).all():
                raise EvoError(f"{array.name} in {path} holds NaN or infinity")
            yield piece
        stream.read(1)  # so that the end is reached, and the checksum compared


def _oriented(images: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Put the channels where they belong: ``[N, C, H, W]``."""
    if images.ndim == 3:
        return images[:, None]
    if images.ndim == 4 and images.shape[3] in (1, 2, 3, 4) and images.shape[1] > 4:
        return images.transpose(0, 3, 1, 2)
    return images


def _read_labels(archive: zipfile.ZipFile, name: str) -> Labels:
    array = _header(archive, name)
    if array.shape not in ((array.shape[0],), (array.shape[0], 1)) or array.dtype.kind not in "fiu":
        raise ValueError(f"{name} has the shape {array.shape} and the type {array.dtype}")
    if not 0 < array.shape[0] <= _SAMPLES:
        raise ValueError(f"{name} has {array.shape[0]:,} labels")
    with archive.open(f"{name}.npy") as stream:
        _read_header(stream)
        given = _take(stream, array.shape, array.dtype).reshape(-1)
        stream.read(1)
    labels = given.astype(np.int64)
    if (labels != given).any() or not 0 <= labels.min() <= labels.max() < _CLASSES:
        raise ValueError(f"{name} holds something else than classes from 0 to {_CLASSES - 1}")
    return labels


def _header(archive: zipfile.ZipFile, name: str) -> _Array:
    """Read what an array claims to be, and refuse what it can not be."""
    info = archive.getinfo(f"{name}.npy")
    if info.file_size > _RATIO * (info.compress_size + 1):
        raise ValueError(
            f"{name} claims {info.file_size:,} bytes, packed into {info.compress_size:,}"
        )
    with archive.open(info) as stream:
        shape, dtype = _read_header(stream)
        begin = stream.tell()
    size = math.prod(shape) * dtype.itemsize
    if not shape or size != info.file_size - begin:
        raise ValueError(
            f"{name} claims the shape {shape}, but has {info.file_size - begin:,} bytes"
        )
    return _Array(name, shape, dtype)


def _read_header(stream: IO[bytes]) -> tuple[tuple[int, ...], np.dtype[Any]]:
    version = np.lib.format.read_magic(stream)
    read = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }[version]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of headers written by Python 2
        shape, fortran, dtype = read(stream)
    if fortran:
        raise ValueError("it lies in Fortran order; save it through numpy.ascontiguousarray")
    if dtype.hasobject:
        raise ValueError("it holds Python objects, which are never unpickled")
    return shape, dtype


def _take(stream: IO[bytes], shape: tuple[int, ...], dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    size = math.prod(shape) * dtype.itemsize
    content = stream.read(size)
    if len(content) < size:
        raise ValueError("it ends too soon")
    return np.frombuffer(content, dtype).reshape(shape)
