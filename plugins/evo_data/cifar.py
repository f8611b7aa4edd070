"""CIFAR-10 and CIFAR-100 in their version for Python: pickled batches.

A batch is a dictionary with ``data``, bytes ``[N, 3072]`` of which each row is the red, then the
green, then the blue channel of an image of 32x32, row by row, and a list of N labels
(A. Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009, and its web page).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from evo_core.errors import EvoError
from evo_data.pickled import read_pickle

_BYTES = 4096  # at most, for a sample: 3072 of the image, its labels and its file name
_STEPS = 16  # at most, for a sample: instructions of the pickle
_REST = 100_000  # what a batch may have besides


def read_batch(
    files: Sequence[Path], shape: tuple[int, ...], most: int, key: str
) -> tuple[npt.NDArray[np.uint8], Any]:
    """Read one batch.

    Args:
        files: One file.
        shape: Channels, height and width of an image.
        most: How many images there may be.
        key: Which labels to take, e.g. ``"fine_labels"``.

    Returns:
        Images ``[N, C, H, W]`` and labels ``[N]``.

    Raises:
        EvoError: If it is no such file.
    """
    (path,) = files
    batch = read_pickle(path, largest=_BYTES * most + _REST, longest=_STEPS * most + _REST)
    data, labels = batch.get("data"), batch.get(key)
    if not isinstance(data, np.ndarray) or data.dtype != np.uint8:
        raise EvoError(f"{path} is no batch of images: it has no array of bytes named 'data'")
    if data.ndim != 2 or data.shape[1] != np.prod(shape) or not 0 < len(data) <= most:
        raise EvoError(f"{path} is no batch of images: 'data' has the shape {data.shape}")
    labels = labels.tolist() if isinstance(labels, np.ndarray) else labels
    if not isinstance(labels, list) or not all(type(label) is int for label in labels):
        raise EvoError(f"{path} is no batch of images: {key!r} is no list of classes")
    if len(labels) != len(data):
        raise EvoError(f"{path} holds {len(data):,} images, but {len(labels):,} labels")
    return data.reshape(-1, *shape), labels


def read_names(path: Path, key: str) -> tuple[str, ...]:
    """Read what the classes are called.

    Raises:
        EvoError: If the file does not say so.
    """
    names = read_pickle(path, largest=_REST, longest=_REST).get(key)
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise EvoError(f"{path} has no list of class names {key!r}")
    return tuple(names)
