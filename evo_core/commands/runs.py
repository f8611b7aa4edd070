"""``evo runs``: the runs in a folder."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from evo_core.cli import print_json
from evo_core.commands.settings import as_json
from evo_core.errors import EvoError


@click.command("runs")
@click.argument("folder", default="runs", type=click.Path(path_type=Path))
@as_json
def command(*, folder: Path, as_json: bool) -> int:
    """List the runs in FOLDER, by default runs/."""
    from evo_core.store import summaries
    from evo_core.tables import show_table

    if not folder.is_dir():
        raise EvoError(f"there is no folder {folder}; start a run with evo run, or name another")
    found = list(summaries(folder))
    if as_json:
        print_json([{**asdict(one), "folder": str(one.folder)} for one in found])
        return 0
    if not found:
        click.echo(f"no runs in {folder}")
        return 0
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
    return 0
