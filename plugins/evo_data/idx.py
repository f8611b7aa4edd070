"""Images and labels in idx files, as MNIST and its kin are published.

An idx file is two zero bytes, the type of its numbers (8: unsigned bytes), the number of its
dimensions, their sizes as big-endian 32-bit numbers, and then the numbers, the last dimension
fastest (Y. LeCun, C. Cortes, C. J. C. Burges, "The MNIST database of handwritten digits").
"""

from __future__ import annotations

import gzip
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from evo_core.errors import EvoError
from evo_data.damage import reading

Bytes = npt.NDArray[np.uint8]


def read_images(files: Sequence[Path], shape: tuple[int, ...], most: int) -> tuple[Bytes, Any]:
    """Read one file of images and one of labels.

    Args:
        files: Both, gzipped idx.
        shape: Channels, height and width of an image.
        most: How many there may be.

    Returns:
        Images ``[N, C, H, W]`` and labels ``[N]``.

    Raises:
        EvoError: If one is no such file, or they do not fit together.
    """
    images = read_idx(files[0], shape[1:], most)
    labels = read_idx(files[1], (), most)
    if len(images) != len(labels):
        raise EvoError(
            f"{files[0]} holds {len(images):,} images, but {files[1]} holds {len(labels):,} labels"
        )
    return images.reshape(-1, *shape), labels


def read_idx(path: Path, shape: tuple[int, ...], most: int) -> Bytes:
    """Read a gzipped idx file of unsigned bytes.

    Args:
        path: The file.
        shape: All dimensions but the first.
        most: How large the first may be; no more is ever unpacked.

    Raises:
        EvoError: If it is no such file.
    """
    with reading(path, "a gzipped idx file"), gzip.open(path) as file:
        head = file.read(4 + 4 * (1 + len(shape)))
        *magic, dimensions = struct.unpack_from("4B", head)
        if magic != [0, 0, 8]:
            raise ValueError("it does not begin as one of unsigned bytes")
        sizes = struct.unpack_from(f">{dimensions}I", head, 4) if dimensions < 8 else ()
        count, *rest = sizes or (0,)
        if tuple(rest) != shape or not 0 < count <= most:
            wanted = "x".join(map(str, (f"1..{most}", *shape)))
            raise ValueError(f"it claims {'x'.join(map(str, sizes))} numbers, not {wanted}")
        size = count * int(np.prod(shape, dtype=int))
        content = file.read(size)
        if len(content) < size or file.read(1):
            raise ValueError(f"it does not hold the {size:,} numbers it claims")
    return np.frombuffer(content, np.uint8).reshape(count, *shape)
