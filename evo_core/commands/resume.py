"""``evo resume``: go on with a run that has ended."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from evo_core.commands.endings import show_result
from evo_core.commands.settings import as_json


@click.command("resume")
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--generations", type=int, help="Generations in all, those that are there counted.")
@click.option("--workers", type=int, help="Worker processes; 0 means one per core.")
@click.option("--executor", help="serial, loky, ...")
@click.option("--timeout", type=float, help="Stop a candidate after that many seconds.")
@click.option("--memory", help="Memory a worker may use, e.g. 4GB (Linux).")
@click.option("--quiet", is_flag=True, help="Show no progress.")
@as_json
def command(*, run: Path, quiet: bool, as_json: bool, **settings: Any) -> int:
    """Go on with RUN, e.g. to --generations 40: what comes out is what one long run gives.

    Everything else stays as the run was started.
    """
    from evo_core.resuming import go_on, plan_of

    plan = plan_of(run, settings)
    if quiet:
        observers = tuple(bound for bound in plan.observers if bound.record.name != "progress")
        plan = replace(plan, observers=observers)
    return show_result(plan, go_on(plan, run), as_json=as_json)
