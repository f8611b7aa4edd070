"""``evo compare --runs``: compare searches by what they found."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from evo_core.cli import print_json
from evo_core.commands.settings import layers
from evo_core.errors import EvoError


def compare_searches(
    runs: tuple[Path, ...],
    *,
    by: str | None,
    out: Path | None,
    as_json: bool,
    allow_plugins: bool,
    quiet: bool,
    **settings: Any,
) -> int:
    """Compare runs and sweeps, write the report and print it in short."""
    from evo_core.api import fresh_folder
    from evo_core.comparing.searches.api import compare_runs

    if not runs:
        raise EvoError("name the searches to compare: evo compare --runs RUN_A RUN_B")
    folder = out or fresh_folder("compare", "runs")
    above = layers(**settings)
    report = compare_runs(runs, by=by, out=folder, layers=above, allow_plugins=allow_plugins)
    if as_json:
        print_json(report)
    elif not quiet:
        _show(report, folder)
    return 0


def _show(report: dict[str, Any], folder: Path) -> None:
    """Print a line for each group, one for each pair, and what to keep in mind."""
    from evo_core.tables import show_table

    by = report["by"]
    show_table(
        ["searches", "seeds", f"{by['name']} ({by['goal']})"],
        [
            [name + " (control)" * one["control"], str(len(one["seeds"])), _mean(one)]
            for name, one in report["groups"].items()
        ],
    )
    click.echo()
    show_table(
        ["pair", "difference", "p", "p, Holm", "better"],
        [
            [
                f"{pair['a']} - {pair['b']}",
                _mean(pair | {"mean": pair["difference"]}),
                _number(pair["p"]),
                _number(pair["p_holm"]),
                pair["better"] or "not shown",
            ]
            for pair in report["pairs"]
        ],
    )
    click.echo()
    for note in report["notes"]:
        click.echo(note)
    click.echo(f"report: {folder / 'compare.html'}")


def _mean(found: dict[str, Any]) -> str:
    if found["mean"] is None:
        return "-"
    if found["low"] is None:
        return f"{found['mean']:.4g}"
    return f"{found['mean']:.4g} [{found['low']:.4g}, {found['high']:.4g}]"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.2g}"
