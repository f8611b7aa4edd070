"""``evo runs``: the runs in a folder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, astuple, fields
from pathlib import Path
from typing import TYPE_CHECKING

import click

from evo_core.cli import print_json
from evo_core.commands.settings import as_json
from evo_core.errors import EvoError

if TYPE_CHECKING:
    from evo_core.summaries import RunSummary


@click.command("runs")
@click.argument("folder", default="runs", type=click.Path(path_type=Path))
@click.option("--csv", "as_csv", is_flag=True, help="Print the table as CSV on stdout.")
@as_json
def command(*, folder: Path, as_csv: bool, as_json: bool) -> int:
    """List the runs in FOLDER, by default runs/, and those of the sweeps there."""
    from evo_core.export import Table
    from evo_core.summaries import RunSummary, summaries

    if as_csv and as_json:
        raise EvoError("--csv does not go with --json; leave one of them out")
    if not folder.is_dir():
        raise EvoError(f"there is no folder {folder}; start a run with evo run, or name another")
    found = list(summaries(folder))
    if as_json:
        print_json([{**asdict(one), "folder": str(one.folder)} for one in found])
        return 0
    if as_csv:
        columns = tuple(field.name for field in fields(RunSummary))
        click.echo(Table(columns, [astuple(one) for one in found]).to_csv(), nl=False)
        return 0
    if not found:
        click.echo(f"no runs in {folder}")
        return 0
    _show(found)
    return 0


def _show(found: Sequence[RunSummary]) -> None:
    from evo_core.tables import show_table

    rows = [
        [
            str(one.folder),
            one.status,
            one.started.replace("T", " ")[:16],
            one.space,
            one.fitness,
            one.data,
            str(one.generations),
            str(one.evaluated),
            "-" if one.best is None else f"{one.best:.6g}",
        ]
        for one in found
    ]
    columns = ["run", "status", "started", "space", "fitness", "data", "gens", "evaluated", "best"]
    show_table(columns, rows)
