"""``evo export``: what a run found, in a form that other programs read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from evo_core.cli import print_json
from evo_core.commands.settings import (
    allow_plugins,
    as_json,
    data_options,
    layers,
    written_options,
)
from evo_core.config import Layer
from evo_core.errors import EvoError, unknown
from evo_core.exporting.formats import NETWORK_FORMATS, check_new, default_out

if TYPE_CHECKING:
    from evo_core.architecture import Architecture
    from evo_core.snn.loaded import LoadedNetwork

_TABLES = ("candidates", "failures")
_OF_TABLES = ("target", "table", "form", "out", "allow_plugins", "as_json")


@click.command("export")
@click.argument("target")
@click.option("--format", "form", default="csv", show_default=True, help="csv, torch, json, nir.")
@click.option("--table", help="With csv: candidates or failures.  [default: candidates]")
@click.option("--out", type=click.Path(path_type=Path), help="Where to; by default named for you.")
@click.option("--remove-dead", is_flag=True, help="Networks without channels that are dead.")
@data_options
@allow_plugins
@as_json
def command(
    *,
    target: str,
    form: str,
    table: str | None,
    out: Path | None,
    remove_dead: bool,
    allow_plugins: bool,
    as_json: bool,
    **flags: Any,
) -> int:
    """Export TARGET: a run as a table, or a network for use without evo.

    csv: one row per candidate of a run, one column per fitness; with --table failures one row per
    gene choice: how many candidates have it and how many fail.

    torch: a folder with network.py and its weights, for torch and SpikingJelly alone. json: the
    architecture. nir: a file in the neuromorphic exchange format (needs evo-snn[nir]).

    TARGET is a training, a checkpoint, a run folder (its best), RUN:ID, mse:1,0,2,...,
    reference:2fc or a FILE.json; with --data a genome is decoded for other data. With --remove-dead
    it is smaller, if channels are silent or not read, and computes the same.
    """
    if form == "csv":
        if strange := written_options(*_OF_TABLES):
            raise EvoError(f"a table holds what the run found; leave out {', '.join(strange)}")
        chosen = table or "candidates"
        return _table(Path(target), chosen, out, allow_plugins=allow_plugins, as_json=as_json)
    if form not in NETWORK_FORMATS:
        raise unknown("format", form, ("csv", *NETWORK_FORMATS))
    if table is not None:
        raise EvoError(f"--table goes with --format csv alone, not with {form}")
    stack = layers(**flags)
    return _network(
        target,
        form,
        out,
        stack,
        remove_dead=remove_dead,
        allow_plugins=allow_plugins,
        as_json=as_json,
    )


def _network(
    text: str,
    form: str,
    out: Path | None,
    stack: list[Layer],
    *,
    remove_dead: bool,
    allow_plugins: bool,
    as_json: bool,
) -> int:
    from evo_core.components import load
    from evo_core.snn import removal
    from evo_core.snn.devices import threads
    from evo_core.snn.loaded import load_network

    wanted = NETWORK_FORMATS[form]
    if out is not None:
        check_new(out)
    with threads(1):
        loaded = load_network(text, stack, allow_plugins=allow_plugins)
        _check_settings(loaded, stack)
        before = loaded.architecture
        if remove_dead:
            loaded = removal.remove_dead(loaded)
        place = out or default_out(loaded, wanted)
        check_new(place)
        written = load(wanted.write)(loaded, place)
    network = loaded.architecture
    origin = loaded.origin if wanted.weights else None
    if as_json:
        told = {"format": form, "architecture": network.hash, "params": network.parameters}
        told |= {"weights": origin, "trained": loaded.trained if origin else None}
        print_json(told | (_sizes(before, network) if remove_dead else {}) | written)
    else:
        click.echo(f"written: {', '.join(written['files'])}", err=True)
        untrained = "" if loaded.trained else ", never trained"
        weights = f"{origin}{untrained}" if origin else "none, the graph alone"
        click.echo(f"weights: {weights}", err=True)
        if remove_dead:
            click.echo(f"without what is dead: {_shrunk(before, network)}", err=True)
        for line in written.get("notes", ()):
            click.echo(line, err=True)
    return 0


def _check_settings(loaded: LoadedNetwork, stack: list[Layer]) -> None:
    """Refuse settings that would be read and change nothing."""
    steps = loaded.architecture.task.steps
    if any(layer.get("scoring", {}).get("steps", steps) != steps for layer in stack):
        raise EvoError(f"{loaded.text} is for {steps} time steps; leave out scoring.steps")
    if loaded.trained and any("seed" in layer for layer in stack):
        raise EvoError(f"{loaded.text} is trained; leave out --seed, which draws initial weights")


def _sizes(before: Architecture, after: Architecture) -> dict[str, Any]:
    pairs = {"params": (before.parameters, after.parameters), "macs": (before.macs, after.macs)}
    return {"removed": {name: {"before": a, "after": b} for name, (a, b) in pairs.items()}}


def _shrunk(before: Architecture, after: Architecture) -> str:
    return (
        f"{before.parameters:,} -> {after.parameters:,} parameters, "
        f"{before.macs:,} -> {after.macs:,} MACs"
    )


def _table(run: Path, table: str, out: Path | None, *, allow_plugins: bool, as_json: bool) -> int:
    from evo_core.export import candidates, failures
    from evo_core.folder import is_folder, write_out

    if out is not None:
        check_new(out)
    if is_folder(str(run)) and any(run.glob("epoch-*")):
        raise EvoError(f"{run} is a training; export it with --format torch, nir or json")
    if table not in _TABLES:
        raise unknown("table", table, _TABLES)
    if table == "candidates":
        found, rows = candidates(run), "candidates"
    else:
        found, rows = failures(run, allow_plugins=allow_plugins), "choices"
    if out is not None:
        write_out(out, found.to_csv())
    if as_json:
        written = {"file": str(out), "format": "csv", rows: len(found.rows)}
        print_json(found.to_json() if out is None else written)
    elif out is None:
        click.echo(found.to_csv(), nl=False)
    else:
        click.echo(f"written: {out}, {len(found.rows)} {rows}", err=True)
    return 0
