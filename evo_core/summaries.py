"""The runs below a folder, one line each."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evo_core.errors import EvoError
from evo_core.folder import is_held
from evo_core.store import Store


@dataclass(frozen=True, slots=True)
class RunSummary:
    """A line of ``evo runs``."""

    folder: Path
    status: str
    started: str = "-"
    space: str = "-"
    fitness: str = "-"
    data: str = "-"
    generations: int = 0
    evaluated: int = 0
    best: float | None = None


def summaries(parent: Path) -> Iterator[RunSummary]:
    """Describe every run directly below a folder, and those of the sweeps there, by name.

    The status of a run that can not be read, e.g. one of another version of evo, tells the reason.
    """
    for path in sorted([*parent.glob("[!.]*/run.sqlite"), *parent.glob("[!.]*/seed-*/run.sqlite")]):
        try:
            with contextlib.closing(Store.open(path.parent)) as store:
                summary = _summary(path.parent, store)
        except (EvoError, sqlite3.DatabaseError, KeyError, TypeError) as error:
            summary = RunSummary(path.parent, f"damaged: {error}")
        yield summary


def _summary(folder: Path, store: Store) -> RunSummary:
    result = store.fact("result") or {}
    complete = store.generations()
    last = complete[-1].report if complete else None
    return RunSummary(
        folder=folder,
        status=_status(folder, result),
        started=store.fact("started"),
        space=store.fact("space"),
        fitness=",".join(one["name"] for one in store.fact("objectives")),
        data=f"{store.fact('data')}{' (partial)' if store.fact('data_partial') else ''}",
        generations=len(complete),
        evaluated=result.get("evaluated", last.counts.evaluated if last else 0),
        best=last.best if last else None,
    )


def _status(folder: Path, result: Mapping[str, Any]) -> str:
    if is_held(folder):
        return "running"
    return str(result.get("status", "killed"))
