"""CIFAR10-DVS (Li et al., 2017): a folder of AEDAT 2.0 recordings for each class.

The publisher names no test set. As most papers do, the first nine tenths of the recordings of each
class, in the order of their numbers, train and the last tenth tests.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from evo_core.data import Splits
from evo_core.errors import EvoError
from evo_data.aedat import SENSOR, read_aedat2
from evo_data.events import EventFiles, Events, Recordings, amount, need_root
from evo_data.prepared_frames import framed

CLASSES = (
    "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
)  # fmt: skip
COMPLETE = 10_000
EXPECTED = "a folder of .aedat recordings for each class, e.g. airplane/cifar10_airplane_0.aedat"
TRAIN = 0.9  # share of the recordings of a class that train


def load(options: Any, root: Path | None) -> Splits:
    """Load CIFAR10-DVS as frames of events; other DVS128 recordings in class folders too.

    Raises:
        EvoError: If files are missing or damaged.
    """
    return framed("cifar10-dvs", find(need_root("cifar10-dvs", root, EXPECTED)), options)


def find(root: Path) -> EventFiles:
    """Look for the class folders in ``root``, or in the folder ``CIFAR10-DVS`` of it.

    Folders with other names than the classes of CIFAR-10 are classes of their own: such files are
    named as what they are, a partial copy.

    Raises:
        EvoError: If there are none.
    """
    folder = next((one for one in (root / "CIFAR10-DVS", root) if one.is_dir()), root)
    found = {one.name: _recordings(one) for one in sorted(folder.iterdir()) if one.is_dir()}
    found = {name: paths for name, paths in found.items() if paths}
    if not found:
        raise EvoError(f"cifar10-dvs: {folder} has no recordings; it expects {EXPECTED}")
    names = CLASSES if set(found) <= set(CLASSES) else tuple(found)
    cuts = {name: math.ceil(len(paths) * TRAIN) for name, paths in found.items()}
    train = [(names.index(name), path) for name in found for path in found[name][: cuts[name]]]
    test = [(names.index(name), path) for name in found for path in found[name][cuts[name] :]]
    partial_text = amount(len(train) + len(test), COMPLETE, "recordings")
    if names != CLASSES:
        partial_text = f"{len(train) + len(test)} recordings of {', '.join(names)}, no CIFAR10-DVS"
    return EventFiles(
        folder=folder,
        files=tuple(path for _, path in train + test),
        sensor=SENSOR,
        classes=len(names),
        train=_half(train),
        test=_half(test),
        partial=partial_text,
    )


def _recordings(folder: Path) -> list[Path]:
    """Give the recordings of a class, in the order of the numbers in their names."""

    def key(path: Path) -> list[tuple[int, str]]:
        return [
            (int(digits or -1), text) for digits, text in re.findall(r"(\d{1,9})|(\D)", path.name)
        ]

    return sorted(folder.glob("*.aedat"), key=key)


def _half(recordings: Sequence[tuple[int, Path]]) -> Recordings:
    labels = np.array([label for label, _ in recordings], np.int64)
    return Recordings(labels, partial(_read, [path for _, path in recordings]))


def _read(paths: Sequence[Path]) -> Iterator[Events]:
    return map(read_aedat2, paths)
