"""Data sets as arrays, and a data set made of arrays that are already in memory."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from evo_core.architecture import Task
from evo_core.components import Dataset
from evo_core.errors import EvoError
from evo_core.seeds import generator


@dataclass(frozen=True, slots=True)
class Samples:
    """Inputs with labels.

    Attributes:
        inputs: Images ``[N, C, H, W]``, any numeric type, values of about 0 to 1; or frames of
            events ``[N, T, C, H, W]``, one frame for each time step.
        labels: Classes ``[N]``, whole numbers from 0.
        scale: What a network sees is the inputs times this; e.g. 1/255 for bytes, which so stay
            bytes in memory.

    Raises:
        EvoError: If the shapes do not fit together.
    """

    inputs: npt.NDArray[Any]
    labels: npt.NDArray[np.integer[Any]]
    scale: float = 1.0

    def __post_init__(self) -> None:
        if self.inputs.ndim not in (4, 5):
            raise EvoError(
                "inputs must have the shape (samples, channels, height, width), or (samples, "
                f"steps, channels, height, width) for events, not {self.inputs.shape}"
            )
        if self.inputs.dtype.kind not in "fiub":
            raise EvoError(f"inputs must be real numbers, not {self.inputs.dtype}")
        if self.inputs.dtype.kind == "f" and not np.isfinite(self.inputs).all():
            raise EvoError("inputs hold NaN or infinity; take them out first")
        if self.labels.shape != self.inputs.shape[:1]:
            raise EvoError(
                f"labels must have the shape ({len(self.inputs)},), not {self.labels.shape}"
            )
        if not np.issubdtype(self.labels.dtype, np.integer) or self.labels.min(initial=0) < 0:
            raise EvoError("labels must be whole numbers from 0, one for each class")

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, rows: npt.NDArray[np.integer[Any]] | slice) -> Samples:
        """Give some of the samples: a view for a slice, a copy otherwise."""
        return Samples(self.inputs[rows], self.labels[rows], self.scale)

    def scaled(self) -> npt.NDArray[Any]:
        """Give the inputs times the scale, in float32 unless the scale is 1."""
        if self.scale == 1:
            return self.inputs
        return self.inputs.astype(np.float32) * np.float32(self.scale)

    def frames(self, steps: int) -> npt.NDArray[Any]:
        """Give what a network sees: ``[T, N, C, H, W]``.

        Events come one frame per step; images are shown alike at every step (direct encoding).
        """
        inputs = self.scaled()
        if inputs.ndim == 5:
            return inputs.swapaxes(0, 1)
        return np.broadcast_to(inputs, (steps, *inputs.shape))


@dataclass(frozen=True, slots=True)
class Splits:
    """A data set in three parts; a search never reads ``test``.

    Attributes:
        train: What networks are scored and trained on.
        validation: What they are compared on.
        test: What is measured once, at the very end.
        classes: How many classes there are.
        names: What the classes are called; may be empty.
        partial: What sets it apart from the published data set, e.g. "1 of 5 training batches";
            empty for a whole one.
    """

    train: Samples
    validation: Samples
    test: Samples
    classes: int
    names: tuple[str, ...] = ()
    partial: str = ""

    def task(self, steps: int | None = None) -> Task:
        """Describe the task of classifying it.

        Args:
            steps: Time steps T; by default 4 for images, and as many as there are for events.

        Raises:
            EvoError: If events have another number of steps.
        """
        channels, height, width = self.train.inputs.shape[-3:]
        if self.train.inputs.ndim == 4:
            return Task((channels, height, width), self.classes, steps or 4)
        frames = self.train.inputs.shape[1]
        if steps not in (None, frames):
            raise EvoError(
                f"scoring.steps is {steps}, but the events come in {frames} steps; take --set "
                f"scoring.steps={frames}, or so many frames, e.g. --data 'nmnist[frames={steps}]'"
            )
        return Task((channels, height, width), self.classes, frames)

    def batch(self, size: int, seed: int, number: int) -> Samples:
        """Draw a batch of training samples without replacement, the same for the same numbers.

        Raises:
            EvoError: If there are fewer training samples than ``size``.
        """
        if size > len(self.train):
            raise EvoError(
                f"scoring.batch is {size}, but the data has {len(self.train)} training samples"
            )
        rows = generator(seed, "batch", number).choice(len(self.train), size, replace=False)
        return self.train.take(rows)


def check_encoding(batch: Samples, encoding: str) -> None:
    """Refuse to make spikes of what is no image with values from 0 to 1.

    Raises:
        EvoError: If the encoding does not fit the samples.
    """
    if encoding == "direct":
        return
    if batch.inputs.ndim == 5:
        raise EvoError(
            f"scoring.encoding is {encoding!r}, but the data are events already; take 'direct'"
        )
    seen = batch.frames(1)
    if seen.min() < 0 or seen.max() > 1:
        raise EvoError(
            f"scoring.encoding {encoding!r} makes spikes of values from 0 to 1, but the data go "
            f"from {seen.min():g} to {seen.max():g}; scale them, or take 'direct'"
        )


def array_dataset(
    name: str,
    inputs: npt.ArrayLike,
    labels: npt.ArrayLike,
    *,
    validation: float = 0.2,
    test: float = 0.2,
) -> Dataset:
    """Make a data set of arrays in memory, to be passed to :func:`evo_core.run`.

    Args:
        name: The name to choose it by, ``data=name``.
        inputs: ``[N, C, H, W]``, ``[N, H, W]`` for one channel, or events ``[N, T, C, H, W]``.
        labels: ``[N]``, classes from 0.
        validation: The share of samples held out for validation.
        test: The share held out for the final test.

    Raises:
        EvoError: If the shapes do not fit, or a split would be empty.

    Example:
        >>> images, labels = np.random.rand(50, 8, 8), np.arange(50) % 10
        >>> array_dataset("mine", images, labels).name
        'mine'
    """
    images, classes = np.asarray(inputs), np.asarray(labels)
    if images.ndim == 3:
        images = images[:, None]
    if np.issubdtype(classes.dtype, np.floating) and np.array_equal(classes, classes.round()):
        classes = classes.astype(np.int64)
    samples = Samples(images, classes)
    splits = split(samples, validation=validation, test=test)
    return Dataset(
        name=name,
        summary=f"{len(samples)} samples in memory, {'x'.join(map(str, images.shape[1:]))}",
        load=partial(_given, splits),
        shape=images.shape[-3:],
        classes=splits.classes,
    )


def split(samples: Samples, *, validation: float, test: float) -> Splits:
    """Split samples at random, always in the same way.

    Raises:
        EvoError: If a split would be empty.
    """
    count = len(samples)
    sizes = int(count * validation), int(count * test)
    if min(*sizes, count - sum(sizes)) < 1:
        raise EvoError(f"{count} samples are too few for a train, validation and test split")
    order = generator(0, "split").permutation(count)
    parts = np.split(order, np.cumsum(sizes))
    held_out, final, train = (samples.take(rows) for rows in parts)
    return Splits(train, held_out, final, int(samples.labels.max()) + 1)


def digits(options: object, root: Path | None) -> Splits:
    """Load scikit-learn's digits: 1,797 scans of handwriting, 8x8, 16 grey levels, 10 classes."""
    _no_files("digits", root)
    images, labels = _scans()
    scans = (images.reshape(-1, 1, 8, 8) / 16).astype(np.float32)
    return split(Samples(scans, labels.astype(np.int64)), validation=0.2, test=0.2)


def _scans() -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Give the pixels ``[N, 64]`` and labels ``[N]`` of the digits.

    Read from scikit-learn's file, since importing scikit-learn takes every process, and every
    worker, a second; a release that keeps the file elsewhere is asked itself.
    """
    found = find_spec("sklearn")
    for folder in (found and found.submodule_search_locations) or ():
        file = Path(folder, "datasets", "data", "digits.csv.gz")
        if file.is_file():
            table = np.loadtxt(file, delimiter=",")
            return table[:, :-1], table[:, -1]
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    return images, labels


def _given(splits: Splits, options: object, root: Path | None) -> Splits:
    _no_files("an array in memory", root)
    return splits


def _no_files(what: str, root: Path | None) -> None:
    if root is not None:
        raise EvoError(f"{what} needs no files; leave out --data-root")
