"""How networks and numbers are written in figures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath

from evo_core.evaluating.results import Point


def short_names(texts: Sequence[str]) -> list[str]:
    """Leave of paths the fewest last parts that tell all of them apart.

    >>> short_names(["../w/runs/conv", "runs/linear/"])
    ['conv', 'linear']
    >>> short_names(["runs/a/seed-0", "runs/b/seed-0", "reference:2fc"])
    ['a/seed-0', 'b/seed-0', 'reference:2fc']
    """
    parts = [PurePath(text).parts or (text,) for text in texts]
    for count in range(1, max(map(len, parts)) + 1):
        names = [str(PurePath(*one[-count:])) for one in parts]
        if len(set(names)) == len(names):
            return names
    return list(texts)


def percent(point: Point) -> str:
    """Write an accuracy as a percentage."""
    return f"{100 * (point.accuracy.value or 0.0):.1f} %"
