"""Searches as a comparison reads them: run folders and sweeps, put into groups.

Reading runs nothing that lies in a folder. A group is one search under several seeds.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evo_core.binding import parse_reference
from evo_core.comparing.searches.settings import Settings, data_of, settings_of
from evo_core.config import RunConfig
from evo_core.errors import EvoError
from evo_core.evaluation import Candidate, Evaluation, Objective
from evo_core.folder import is_held
from evo_core.provenance import Lock
from evo_core.results import RunResult
from evo_core.store import Store
from evo_core.stored import config_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """A run that is done.

    Attributes:
        folder: Its folder.
        config: Its configuration.
        settings: What decided the search apart from its seed.
        lock: The code that made it.
        partial: What its data lack; empty for whole ones.
        result: What it found.
        curve: The best first objective after 1, 2, ... evaluations; None before the first.
    """

    folder: Path
    config: RunConfig
    settings: Settings
    lock: Lock
    partial: str
    result: RunResult
    curve: tuple[float | None, ...]

    @property
    def strategy(self) -> str:
        """The name of its strategy, without options."""
        return parse_reference(self.config.strategy)[0]


@dataclass(frozen=True, slots=True)
class Group:
    """One search under several seeds, by seed."""

    name: str
    searches: tuple[Search, ...]

    @property
    def first(self) -> Search:
        """Any of the searches: all have the same settings."""
        return self.searches[0]

    @property
    def is_control(self) -> bool:
        """Whether it is random search."""
        return self.first.strategy == "random"


def read_groups(paths: Sequence[Path]) -> list[Group]:
    """Read run folders and sweeps: a sweep is a group, and so are runs that differ in seed alone.

    Raises:
        EvoError: If one is no run, is not done or is named twice, if there are fewer than two
            groups, or if their data differ.
    """
    sweeps: list[tuple[Path, list[Search]]] = []
    loose: dict[str, list[Search]] = {}
    for path in paths:
        if not (path / "run.sqlite").is_file() and any(path.glob("seed-*/run.sqlite")):
            folders = sorted(one.parent for one in path.glob("seed-*/run.sqlite"))
            sweeps.append((path, [read_search(folder) for folder in folders]))
        else:
            search = read_search(path)
            key = json.dumps([search.settings, search.lock], sort_keys=True, default=str)
            loose.setdefault(key, []).append(search)
    found = [*sweeps, *((_place(searches), searches) for searches in loose.values())]
    for path, searches in found:
        _check_one_search(path, searches)
    _check_named_once(searches for _, searches in found)
    if len(found) < 2:
        raise EvoError(
            "a comparison takes at least two searches that differ in more than their seed; "
            "name two run folders or sweeps"
        )
    found.sort(key=lambda one: _position(one[1], paths))
    names = _names([path for path, _ in found])
    groups = [
        Group(name, tuple(sorted(searches, key=lambda one: one.config.seed)))
        for name, (_, searches) in zip(names, found, strict=True)
    ]
    _check_data(groups)
    return groups


def read_search(folder: Path) -> Search:
    """Read a run that is done.

    Raises:
        EvoError: If it is no run folder, or not done.
    """
    with closing(Store.open(folder)) as store:
        result = store.result()
        if result is None or result.status != "done":
            raise EvoError(_unfinished(folder, result))
        config = config_of(store)
        return Search(
            folder=folder,
            config=config,
            settings=settings_of(config),
            lock=store.fact("lock") or {},
            partial=store.fact("data_partial") or "",
            result=result,
            curve=best_so_far(store.evaluated(), result.objectives),
        )


def best_so_far(
    pairs: Iterable[tuple[Candidate, Evaluation]], objectives: tuple[Objective, ...]
) -> tuple[float | None, ...]:
    """Give the best first objective of what can be selected, after each evaluation, by id.

    Repeats of a network and candidates that violate a constraint were not evaluated.
    """
    best: float | None = None
    curve = []
    for _, one in pairs:
        if one.copied_from is not None or one.status == "infeasible":
            continue
        values = one.values(objectives)
        if values is not None:
            sign = objectives[0].sign
            best = values[0] if best is None else sign * max(sign * best, sign * values[0])
        curve.append(best)
    return tuple(curve)


def _unfinished(folder: Path, result: RunResult | None) -> str:
    if is_held(folder):
        return f"{folder} is still running; wait until it has ended"
    how = "was killed" if result is None else f"is not done, it ended as {result.status}"
    return f"{folder} {how}; go on with it: evo resume {folder}"


def _check_one_search(path: Path, searches: Sequence[Search]) -> None:
    seeds = [one.config.seed for one in searches]
    twice = next((seed for seed in seeds if seeds.count(seed) > 1), None)
    if twice is not None:
        same = [str(one.folder) for one in searches if one.config.seed == twice]
        raise EvoError(f"{' and '.join(same)} are the same search under the same seed {twice}")
    odd = next((one for one in searches if one.settings != searches[0].settings), None)
    if odd is not None:
        raise EvoError(f"{path} is no sweep: {odd.folder} was run with other settings")


def _check_named_once(groups: Iterable[Sequence[Search]]) -> None:
    folders = [one.folder.resolve() for searches in groups for one in searches]
    for folder in folders:
        if folders.count(folder) > 1:
            raise EvoError(f"{folder} is named twice; name each search once")


def _check_data(groups: Sequence[Group]) -> None:
    first = groups[0]
    for other in groups[1:]:
        if _data(other.first) != _data(first.first):
            data = [f"{one.first.config.data} ({one.name})" for one in (first, other)]
            raise EvoError(
                f"these searches were run on different data, {' and '.join(data)}; "
                "compare searches on the same data with the same options"
            )


def _data(search: Search) -> tuple[dict[str, Any], str]:
    return data_of(search.settings), search.partial


def _place(searches: Sequence[Search]) -> Path:
    """Name loose runs after the folder that holds them, if they are the seeds of a sweep."""
    folders = [one.folder for one in searches]
    parents = {folder.parent for folder in folders}
    seeds = len(folders) > 1 and all(folder.name.startswith("seed-") for folder in folders)
    return folders[0].parent if seeds and len(parents) == 1 else folders[0]


def _position(searches: Sequence[Search], paths: Sequence[Path]) -> int:
    folder = searches[0].folder
    return next(i for i, path in enumerate(paths) if path in (folder, folder.parent))


def _names(places: Sequence[Path]) -> list[str]:
    """Name each group after its folder, or its path where folders share a name."""
    short = [place.resolve().name for place in places]
    return [
        str(place) if short.count(name) > 1 else name
        for name, place in zip(short, places, strict=True)
    ]
