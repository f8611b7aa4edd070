"""How a published data set becomes splits, and whether its files are the published ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from evo_core.data import Splits
from evo_core.errors import EvoError
from evo_data.cifar import read_batch, read_names
from evo_data.idx import read_images
from evo_data.prepared import Content, Labels, Part, checksum, open_splits, prepared
from evo_data.sets import Batch, PublishedSet

Images = npt.NDArray[np.uint8]


def load_splits(
    one: PublishedSet, root: Path | None, *, validation: float, size: int = 0
) -> Splits:
    """Give the splits; validation is cut from the training samples, always alike.

    Args:
        one: The data set.
        root: The folder that holds its files.
        validation: The share of the training samples that is held out for validation.
        size: The side in pixels that images are shrunk to; 0 leaves them as published.

    Raises:
        EvoError: If files are missing or damaged, or the size does not divide the published one.
    """
    side = one.shape[-1]
    if size and side % size:
        fitting = ", ".join(str(n) for n in range(1, side + 1) if side % n == 0)
        raise EvoError(f"{one.name} can not be shrunk from {side} to {size} pixels; take {fitting}")
    root = _given(one, root)
    batches = _present(one, root)
    sums = _sums(one, root)
    make = partial(_content, one, root, batches, sums, size or side)
    settings = f"size={size}" if size else ""
    return open_splits(prepared(one.name, sums, settings, make), validation=validation)


def shrunk(images: Images, size: int) -> Images:
    """Average blocks of pixels, rounded to whole values.

    Args:
        images: Bytes ``[N, C, H, H]``.
        size: The side of what is given; it divides H.
    """
    count, channels, side, _ = images.shape
    if side == size:
        return images
    block = side // size
    blocks = images.reshape(count, channels, size, block, size, block)
    small: Images = np.rint(blocks.mean((3, 5), dtype=np.float32)).astype(np.uint8)
    return small


def check_files(one: PublishedSet, root: Path | None) -> dict[str, str]:
    """Compare the files that are there with the publisher's checksums.

    Returns:
        By path below the data root, ``"ok"`` or ``"differs"``.

    Raises:
        EvoError: If one can not be read.
    """
    published = one.files
    sums = _sums(one, _given(one, root))
    return {path: "ok" if published[path] == md5 else "differs" for path, md5 in sums.items()}


def _given(one: PublishedSet, root: Path | None) -> Path:
    if root is None:
        raise EvoError(
            f"{one.name} needs its files; name the folder that holds {one.folder}/ with "
            f"--data-root, or fetch them: evo data download {one.name} --data-root DIR"
        )
    return root


def _sums(one: PublishedSet, root: Path) -> dict[str, str]:
    return {path: checksum(root / path) for path in one.files if (root / path).is_file()}


def _present(one: PublishedSet, root: Path) -> tuple[Batch, ...]:
    """Give the training batches that are there.

    Raises:
        EvoError: If files are missing that no partial copy can do without.
    """
    here = root / one.folder
    present = tuple(
        batch for batch in one.train if all((here / file).is_file() for file in batch.files)
    )
    needed = [*one.test.files, *one.meta]
    needed += [] if present else [file for batch in one.train for file in batch.files]
    missing = [file for file in needed if not (here / file).is_file()]
    if missing:
        raise EvoError(
            f"{one.name} needs {', '.join(sorted(missing))} in {here}; put them there, or "
            f"fetch them: evo data download {one.name} --data-root {root}"
        )
    return present


def _content(
    one: PublishedSet, root: Path, batches: tuple[Batch, ...], sums: Mapping[str, str], size: int
) -> Content:
    parts = [_read(one, root, batch) for batch in batches]
    images = [shrunk(images, size) for images, _ in parts]
    labels = np.concatenate([given for _, given in parts])
    test_images, test_labels = _read(one, root, one.test)
    shape = (one.shape[0], size, size)
    return Content(
        train=Part(labels, shape, images),
        test=Part(test_labels, shape, [shrunk(test_images, size)]),
        classes=one.classes,
        names=_names(one, root),
        partial=_partial(one, batches, (len(labels), len(test_labels)), sums),
    )


def _read(one: PublishedSet, root: Path, batch: Batch) -> tuple[Any, Labels]:
    paths = [root / one.folder / file for file in batch.files]
    images, given = _read_files(one, paths, batch.samples)
    if not 0 <= min(given) <= max(given) < one.classes:
        raise EvoError(
            f"{paths[-1]} holds labels from {min(given)} to {max(given)}, but {one.name} has "
            f"the classes 0 to {one.classes - 1}; it may be damaged, get it anew"
        )
    return images, np.asarray(given, np.int64)


def _read_files(one: PublishedSet, paths: Sequence[Path], most: int) -> tuple[Any, Any]:
    if one.labels:
        return read_batch(paths, one.shape, most, one.labels)
    return read_images(paths, one.shape, most)


def _names(one: PublishedSet, root: Path) -> tuple[str, ...]:
    if not isinstance(one.names, str):
        return one.names
    (file,) = one.meta
    names = read_names(root / one.folder / file, one.names)
    if len(names) != one.classes:
        raise EvoError(f"{root / one.folder / file} names {len(names)} classes; get it anew")
    return names


def _partial(
    one: PublishedSet, batches: tuple[Batch, ...], counts: tuple[int, int], sums: Mapping[str, str]
) -> str:
    """Say what sets the files apart from those that were published."""
    texts = []
    if len(batches) < len(one.train):
        texts += [f"{len(batches)} of {len(one.train)} training batches"]
    whole = sum(batch.samples for batch in batches), one.test.samples
    for what, count, published in zip(("training", "test"), counts, whole, strict=True):
        if count < published:
            texts += [f"{count:,} of {published:,} {what} samples"]
    other = [Path(path).name for path, md5 in sums.items() if one.files[path] != md5]
    texts += [f"not the published {', '.join(other)}"] if other else []
    return "; ".join(texts)
