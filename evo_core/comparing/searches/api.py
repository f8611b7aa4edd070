"""Comparing searches: the same seeds, one thing changed, and what the best of each is worth."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from evo_core.comparing.figures import write_figures
from evo_core.comparing.searches.figures import draw_searches
from evo_core.comparing.searches.final import CACHE, choose, finals
from evo_core.comparing.searches.html import searches_html
from evo_core.comparing.searches.read import read_groups
from evo_core.comparing.searches.report import report_of
from evo_core.config import Layer
from evo_core.errors import EvoError
from evo_core.export import Table
from evo_core.folder import check_closed, write_out

_COLUMNS = (
    "group", "run", "seed", "candidate", "genome", "space", "strategy", "objective", "best",
    "value", "draws", "source", "reason", "evaluated", "seconds",
)  # fmt: skip


def compare_runs(
    paths: Iterable[str | Path],
    *,
    by: str | None = None,
    out: str | Path,
    layers: Sequence[Layer] = (),
    allow_plugins: bool = False,
) -> dict[str, Any]:
    """Compare searches by what their best networks are worth, and write it all into a folder.

    Args:
        paths: Run folders and folders of sweeps. A sweep is a group, and so are runs that differ
            in nothing but their seed; there are at least two groups.
        by: The fitness to compare by, e.g. ``"accuracy[epochs=5]"``. By default the accuracy that
            all have searched for, else ``accuracy``, else the first fitness they share.
        out: A new folder, or that of an earlier comparison: what was evaluated there is not
            evaluated again.
        layers: Settings that win over those of the runs where something is evaluated.
        allow_plugins: Load the plugin files that the runs name.

    Returns:
        What stands in ``compare.json``.

    Raises:
        EvoError: If anything is wrong with what is given; nothing has been written then.

    Example:
        >>> compare_runs(["sweep-rdm", "sweep-random"], out="rdm")  # doctest: +SKIP
    """
    folder = Path(out)
    _check_out(folder)
    groups = read_groups([Path(path) for path in paths])
    searches = [search for group in groups for search in group.searches]
    chosen = choose(searches, by, layers, allow_plugins=allow_plugins)
    values = iter(finals(searches, chosen, folder, layers, allow_plugins=allow_plugins))
    found = {group.name: [next(values) for _ in group.searches] for group in groups}
    report = report_of(groups, chosen, found)
    _write(folder, report)
    return report


def table_of(report: Mapping[str, Any]) -> Table:
    """Give one row per run."""
    rows = [
        tuple(({"group": name} | one | run)[column] for column in _COLUMNS)
        for name, one in report["groups"].items()
        for run in one["runs"]
    ]
    named = (report["by"]["name"] if column == "value" else column for column in _COLUMNS)
    return Table(tuple(named), rows)


def _check_out(folder: Path) -> None:
    """Refuse a folder that holds anything but an earlier comparison.

    Raises:
        EvoError: If it does.
    """
    if not folder.exists():
        return
    ours = ("compare.json", CACHE)
    if not folder.is_dir() or (
        any(folder.iterdir()) and not any((folder / name).is_file() for name in ours)
    ):
        raise EvoError(f"{folder} exists and holds no comparison; choose another --out")
    check_closed(folder)


def _write(folder: Path, report: Mapping[str, Any]) -> None:
    figures = draw_searches(report)
    try:
        write_figures(folder / "figures", figures)
    except OSError as error:
        raise EvoError(f"{folder} can not be written: {error.strerror}") from None
    write_out(folder / "compare.html", searches_html(report, figures))
    write_out(folder / "compare.csv", table_of(report).to_csv())
    text = json.dumps(report, indent=2, allow_nan=False)
    write_out(folder / "compare.json", text + "\n")
