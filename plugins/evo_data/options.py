"""The options of the data sets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge, Gt, Le, Lt

from evo_core.components import option


@dataclass(frozen=True, slots=True)
class PublishedOptions:
    """Options of a data set with an official test set."""

    validation: Annotated[float, Gt(0), Lt(1)] = option(
        0.1, "share of the training samples held out for validation"
    )
    size: Annotated[int, Ge(0)] = option(
        0, "side in pixels that images are shrunk to by averaging; 0 leaves them as published"
    )


@dataclass(frozen=True, slots=True)
class FolderOptions:
    """Options of ``folder``."""

    size: Annotated[int, Ge(0), Le(4096)] = option(
        32, "side in pixels that image files are cut and scaled to; 0 leaves them as they are"
    )
    grey: bool = option(False, "one channel instead of three, of image files")
    validation: Annotated[float, Gt(0), Lt(1)] = option(
        0.1, "share of the training samples held out for validation"
    )
    test: Annotated[float, Gt(0), Lt(1)] = option(
        0.2, "share held out for the test where there is no test part"
    )
