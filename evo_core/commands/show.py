"""``evo show``: a network as text, and as a figure."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from evo_core.cli import print_json
from evo_core.commands.settings import allow_plugins, as_json, layers, scoring_options
from evo_core.config import Layer
from evo_core.folder import is_folder

if TYPE_CHECKING:
    from evo_core.targets import Target


@click.command("show")
@click.argument("target")
@click.option("--out", type=click.Path(path_type=Path), help="Draw it: FILE.svg or FILE.png.")
@scoring_options
@allow_plugins
@as_json
def command(
    *, target: str, out: Path | None, as_json: bool, allow_plugins: bool, **flags: Any
) -> int:
    """Show TARGET.

    A run folder (its best), RUN:ID, a training folder, mse:1,0,2,..., reference:2fc or a FILE.json.
    """
    from evo_core.report import network_json, network_text

    found = _found(target, layers(**flags), allow_plugins=allow_plugins)
    if out is not None:
        from evo_core.drawing import draw_network, save

        save(draw_network(found.architecture, title=target), out)
        click.echo(f"drawn in {out}", err=True)
    if as_json:
        print_json(network_json(found))
    else:
        click.echo(network_text(found))
    return 0


def _found(text: str, stack: list[Layer], *, allow_plugins: bool) -> Target:
    from evo_core.targets import Target, resolve

    if is_folder(text) and not (Path(text) / "run.sqlite").exists():
        from evo_core.snn.loaded import load_network

        loaded = load_network(text, stack, allow_plugins=allow_plugins)
        return Target(text, loaded.plan, loaded.architecture)
    return resolve(text, stack, allow_plugins=allow_plugins, trainings=True)
