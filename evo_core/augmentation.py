"""The augmentations a recipe may name: what each takes, and what kind of data each is for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any

from annotated_types import Ge, Le

from evo_core.binding import parse_reference, validate
from evo_core.components import option
from evo_core.data import Samples
from evo_core.errors import EvoError, unknown

Share = Annotated[float, Ge(0), Le(1)]


@dataclass(frozen=True, slots=True)
class Crop:
    """Options of ``crop``."""

    padding: Annotated[int, Ge(0), Le(64)] = option(4, "pixels by which the picture moves at most")


@dataclass(frozen=True, slots=True)
class Chance:
    """Options of ``flip``, ``erasing`` and ``event-mix``."""

    probability: Share = option(0.5, "the probability that a sample is changed")


@dataclass(frozen=True, slots=True)
class Roll:
    """Options of ``roll``."""

    pixels: Annotated[int, Ge(0), Le(64)] = option(5, "by which the picture moves at most")


@dataclass(frozen=True, slots=True)
class Rotate:
    """Options of ``rotate``."""

    degrees: Annotated[float, Ge(0), Le(180)] = option(15.0, "largest angle either way")


AUGMENTATIONS: dict[str, type] = {
    "crop": Crop, "flip": Chance, "erasing": Chance,
    "roll": Roll, "rotate": Rotate, "event-mix": Chance,
}  # fmt: skip
_OF_IMAGES, _OF_EVENTS = {"erasing"}, {"roll", "rotate", "event-mix"}


@cache
def read_augmentation(text: str) -> tuple[str, Any]:
    """Read ``name`` or ``name[option=value]``: give the name and its options.

    >>> read_augmentation("crop[padding=2]")
    ('crop', Crop(padding=2))

    Raises:
        EvoError: If there is none of that name, or an option does not fit.
    """
    name, given = parse_reference(text)
    if name not in AUGMENTATIONS:
        raise unknown("augmentation", name, AUGMENTATIONS)
    return name, validate(AUGMENTATIONS[name], given, name)


def check_augmentations(texts: Iterable[str], samples: Samples) -> None:
    """Refuse what is for events on images, and the other way round.

    Raises:
        EvoError: If something does not fit the samples.
    """
    events = samples.inputs.ndim == 5
    barred, seen, other = (
        (_OF_IMAGES, "events", "images") if events else (_OF_EVENTS, "images", "events")
    )
    fitting = ", ".join(name for name in AUGMENTATIONS if name not in barred)
    for text in texts:
        if read_augmentation(text)[0] in barred:
            raise EvoError(
                f"recipe.augment has {text!r}, which is for {other}, but the data are {seen}; "
                f"take of {fitting}"
            )
