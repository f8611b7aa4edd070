"""``evo export``: what a run found, in a form that other programs read."""

from __future__ import annotations

from pathlib import Path

import click

from evo_core.cli import print_json
from evo_core.commands.settings import allow_plugins, as_json
from evo_core.errors import unknown

_FORMATS = ("csv",)
_TABLES = ("candidates", "failures")


@click.command("export")
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--table", default="candidates", show_default=True, help="candidates, failures.")
@click.option("--format", "form", default="csv", show_default=True, help="csv.")
@click.option("--out", type=click.Path(path_type=Path), help="Write to this file, not to stdout.")
@allow_plugins
@as_json
def command(
    *, run: Path, table: str, form: str, out: Path | None, allow_plugins: bool, as_json: bool
) -> int:
    """Export RUN as a table: one row per candidate, one column per fitness.

    With --table failures one row per gene choice: how many candidates have it and how many fail.
    """
    from evo_core.export import candidates, failures, write_text

    if form not in _FORMATS:
        raise unknown("format", form, _FORMATS)
    if table not in _TABLES:
        raise unknown("table", table, _TABLES)
    if table == "candidates":
        found, rows = candidates(run), "candidates"
    else:
        found, rows = failures(run, allow_plugins=allow_plugins), "choices"
    if out is not None:
        write_text(out, found.to_csv())
    if as_json:
        written = {"file": str(out), "format": form, rows: len(found.rows)}
        print_json(found.to_json() if out is None else written)
    elif out is None:
        click.echo(found.to_csv(), nl=False)
    else:
        click.echo(f"written: {out}, {len(found.rows)} {rows}", err=True)
    return 0
