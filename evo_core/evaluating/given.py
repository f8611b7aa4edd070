"""What Python programs give where a list, a text or a number is wanted."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from evo_core.errors import EvoError


def listed(given: Any) -> list[Any]:
    """Give what a list or the like holds; a text, a number or a path alone is a list of one."""
    return list(given) if isinstance(given, Iterable) and not isinstance(given, str) else [given]


def texts(what: str, given: Any) -> list[str]:
    """Give the texts of a list, or a text alone.

    Raises:
        EvoError: If there is anything else.
    """
    found = listed(given)
    for one in found:
        if not isinstance(one, str):
            raise EvoError(f"{what} has {one!r}, which is not a text")
    return found


def number(given: Any) -> float | None:
    """Read a number, or a text that holds one; None for what is neither, True and False too."""
    if isinstance(given, bool | np.bool_):
        return None
    try:
        return float(given)
    except (TypeError, ValueError, OverflowError):
        return None


def whole(given: Any) -> int | None:
    """Read a whole number, also one like 2.0 or a text that holds one; None for anything else."""
    found = number(given)
    if found is None or not found.is_integer():
        return None
    return int(found) if isinstance(given, str) else int(given)  # a float can not hold all seeds


def at_least(least: int, what: str, given: Any) -> int:
    """Read a whole number that is not below ``least``.

    Raises:
        EvoError: If it is below, or no whole number.
    """
    found = whole(given)
    if found is None:
        raise EvoError(f"{what} is {given!r}, which is not a whole number")
    if found < least:
        raise EvoError(f"{what} is {found}; take {least} or more")
    return found
