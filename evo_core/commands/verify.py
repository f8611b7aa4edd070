"""``evo verify``: does a run repeat?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from evo_core.cli import print_json
from evo_core.commands.settings import allow_plugins, as_json, plugin_option

if TYPE_CHECKING:
    from evo_core.verifying import Verification


@click.command("verify")
@click.argument("run", type=click.Path(path_type=Path))
@click.option(
    "--sample", type=click.IntRange(0), default=10, show_default=True,
    help="Candidates to evaluate again.",
)  # fmt: skip
@plugin_option
@allow_plugins
@as_json
def command(
    *, run: Path, sample: int, plugins: tuple[str, ...], allow_plugins: bool, as_json: bool
) -> int:
    """Replay the decisions of RUN from its stored evaluations, and evaluate a sample again."""
    from evo_core.verifying import verify

    found = verify(run, sample=sample, plugins=plugins, allow_plugins=allow_plugins)
    print_json(found.to_json()) if as_json else _show(found)
    return 0 if found.repeats else 1


def _show(found: Verification) -> None:
    click.echo(
        f"{found.run}: {found.generations} generations with {found.candidates} candidates "
        f"replayed, {len(found.rescored)} evaluated again"
    )
    if found.unverified:
        click.echo(
            f"  not checked: {found.unverified} that timed out, crashed, or lack "
            "memory or the body they inherited"
        )
    for change in found.changed:
        click.echo(f"  since then: {change}")
    for difference in found.differences:
        click.echo(f"  {difference}")
    if found.repeats:
        click.echo("it repeats exactly")
    else:
        click.echo(
            "it does not repeat; scores that were evaluated again differ by "
            f"{found.largest_difference:.3g} at most"
        )
