"""What a data set on this machine holds, and whether it is what its publisher gave."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from evo_core.binding import Binder
from evo_core.components import Dataset, load
from evo_core.config import RunConfig
from evo_core.data import Samples, Splits
from evo_core.loading import data_root, load_data

Checksums = Literal["ok", "differs", "unknown"]


@dataclass(frozen=True, slots=True)
class Inspection:
    """A data set as it was found.

    Attributes:
        name: Its canonical text.
        splits: The samples.
        files: What is known of each file, by its path: ``"ok"`` or ``"differs"``.
        balance: How many samples each class has, in ``"train"`` (before any are held out for
            validation) and in ``"test"``.
    """

    name: str
    splits: Splits
    files: Mapping[str, str]
    balance: Mapping[str, tuple[int, ...]]

    @property
    def checksums(self) -> Checksums:
        """Whether all files are the published ones."""
        if not self.files:
            return "unknown"
        return "differs" if "differs" in self.files.values() else "ok"

    def to_json(self) -> dict[str, Any]:
        """Write what was found as JSON types."""
        return {
            "name": self.name,
            "splits": {part: sum(counts) for part, counts in self.balance.items()},
            "classes": self.splits.classes,
            "balance": {part: list(counts) for part, counts in self.balance.items()},
            "checksums": self.checksums,
            "partial": bool(self.splits.partial),
        }


def inspect_data(binder: Binder, config: RunConfig) -> Inspection:
    """Load the data set of a configuration, whole or partial, count it and check its files.

    Raises:
        EvoError: If files are missing or damaged.
    """
    data = binder.bind(Dataset, config.data)
    splits = load_data(binder, config)
    check = data.record.check
    files = load(check)(data.options, data_root(config)) if check is not None else {}
    train = zip(
        _counts(splits.train, splits.classes),
        _counts(splits.validation, splits.classes),
        strict=True,
    )
    balance = {
        "train": tuple(sum(pair) for pair in train),
        "test": _counts(splits.test, splits.classes),
    }
    return Inspection(data.text, splits, files, balance)


def _counts(samples: Samples, classes: int) -> tuple[int, ...]:
    return tuple(np.bincount(samples.labels, minlength=classes).tolist())
