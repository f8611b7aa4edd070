"""``evo resume``: go on with a run that was cut off, or has more to do."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from evo_core.commands.endings import show_result
from evo_core.commands.settings import allow_plugins, as_json, plugin_option


@click.command("resume")
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--generations", type=int, help="Generations in all, those that are there counted.")
@click.option("--workers", type=int, help="Worker processes; 0 means one per core.")
@click.option("--executor", help="serial, loky, ...")
@click.option("--cache", help="Share scores with other runs through this file.")
@click.option("--max-failed", type=float, help="Stop when more than this share has failed.")
@click.option("--timeout", type=float, help="Stop a candidate after that many seconds.")
@click.option("--memory", help="Memory a worker may use, e.g. 4GB (Linux).")
@click.option("--quiet", is_flag=True, help="Show no progress.")
@click.option("--accept-changes", is_flag=True, help="Although config, evo or a plugin changed.")
@plugin_option
@allow_plugins
@as_json
def command(
    *,
    run: Path,
    quiet: bool,
    as_json: bool,
    allow_plugins: bool,
    accept_changes: bool,
    plugins: tuple[str, ...],
    **settings: Any,
) -> int:
    """Go on with RUN, whatever ended it: what comes out is what one long run gives.

    More --generations may be asked for, and a run that --max-failed stopped needs a larger one.
    Everything else stays as the run was started.
    """
    from evo_core.resuming import Consent, go_on, reopen

    settings["plugins"] = list(plugins) or None
    consent = Consent(allow_plugins, accept_changes)
    with reopen(run, settings, consent) as past:
        plan = past.plan
        if quiet:
            rest = tuple(one for one in plan.observers if one.record.name != "progress")
            plan = replace(plan, observers=rest)
        return show_result(plan, go_on(replace(past, plan=plan), consent), as_json=as_json)
