"""``evo show``: a network as text, and as a figure."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from evo_core.cli import print_json
from evo_core.commands.settings import allow_plugins, as_json, layers, scoring_options


@click.command("show")
@click.argument("target")
@click.option("--out", type=click.Path(path_type=Path), help="Draw it: FILE.svg or FILE.png.")
@scoring_options
@allow_plugins
@as_json
def command(
    *, target: str, out: Path | None, as_json: bool, allow_plugins: bool, **flags: Any
) -> int:
    """Show TARGET: a run folder (its best), RUN:ID, mse:1,0,2,..., reference:2fc or a FILE.json."""
    from evo_core.report import network_json, network_text
    from evo_core.targets import resolve

    found = resolve(target, layers(**flags), allow_plugins=allow_plugins)
    if out is not None:
        from evo_core.drawing import draw_network, save

        save(draw_network(found.architecture, title=target), out)
        click.echo(f"drawn in {out}", err=True)
    if as_json:
        print_json(network_json(found))
    else:
        click.echo(network_text(found))
    return 0
