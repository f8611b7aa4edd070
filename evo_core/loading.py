"""From the name of a data set and its root to its samples."""

from __future__ import annotations

from pathlib import Path

from evo_core.binding import Binder
from evo_core.components import Dataset, load
from evo_core.config import RunConfig
from evo_core.data import Splits
from evo_core.errors import EvoError


def data_root(config: RunConfig) -> Path | None:
    """Give the folder with the files of the data set; None if none was named.

    Raises:
        EvoError: If it is neither a folder nor an archive of arrays.
    """
    root = Path(config.data_root) if config.data_root is not None else None
    if root is not None and not (root.is_dir() or (root.suffix == ".npz" and root.is_file())):
        raise EvoError(f"the data root {root} is no folder")
    return root


def load_data(binder: Binder, config: RunConfig) -> Splits:
    """Load the data set of a configuration, whole or partial.

    Raises:
        EvoError: If its files are missing or damaged.
    """
    data = binder.bind(Dataset, config.data)
    splits: Splits = load(data.record.load)(data.options, data_root(config))
    return splits


def check_partial(splits: Splits, config: RunConfig) -> None:
    """Refuse data that are not the whole published data set, unless they are allowed.

    Raises:
        EvoError: If they are not.
    """
    if splits.partial and not config.allow_partial:
        raise EvoError(
            f"{config.data} in {config.data_root} is not the whole published data set: "
            f"{splits.partial}; complete it, or take it as it is with --allow-partial, and every "
            "report says so"
        )
