"""``evo export``: what a run found, in a form that other programs read."""

from __future__ import annotations

from pathlib import Path

import click

from evo_core.cli import print_json
from evo_core.commands.settings import as_json
from evo_core.errors import unknown

_FORMATS = ("csv",)


@click.command("export")
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--format", "form", default="csv", show_default=True, help="csv: all candidates.")
@click.option("--out", type=click.Path(path_type=Path), help="Write to this file, not to stdout.")
@as_json
def command(*, run: Path, form: str, out: Path | None, as_json: bool) -> int:
    """Export RUN as a table: one row per candidate, one column per fitness."""
    from evo_core.export import candidates, write_text

    if form not in _FORMATS:
        raise unknown("format", form, _FORMATS)
    table = candidates(run)
    if out is not None:
        write_text(out, table.to_csv())
    if as_json:
        written = {"file": str(out), "format": form, "candidates": len(table.rows)}
        print_json(table.to_json() if out is None else written)
    elif out is None:
        click.echo(table.to_csv(), nl=False)
    else:
        click.echo(f"written: {out}, {len(table.rows)} candidates", err=True)
    return 0
