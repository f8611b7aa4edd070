"""``evo run``: evolve networks."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from evo_core.cli import print_json
from evo_core.commands.settings import as_json, layers, scoring_options


@click.command("run")
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option("--space", help="Search space.  [default: mse]")
@scoring_options
@click.option("--strategy", help="nsga2, mu-plus-lambda, random, ...  [default: nsga2]")
@click.option("--population", type=int, help="Candidates that survive a generation.")
@click.option("--generations", type=int, help="Generations, the first one counted.")
@click.option("--max-evaluations", type=int, help="Stop after that many evaluations.")
@click.option("--max-seconds", type=float, help="Stop after that many seconds.")
@click.option("--target", type=float, help="Stop when the first fitness reaches this value.")
@click.option("--workers", type=int, help="Worker processes; 0 means one per core.")
@click.option("--executor", help="serial, loky, ...  [default: loky]")
@click.option("--out", help="Run folder; by default a new one below runs/.")
@click.option("--dry-run", is_flag=True, help="Time two candidates and forecast; write nothing.")
@click.option("--quiet", is_flag=True, help="Show no progress.")
@as_json
def command(*, as_json: bool, quiet: bool, dry_run: bool, **flags: Any) -> int:
    """Evolve networks, with the settings of FILE if one is given."""
    from evo_core.api import execute
    from evo_core.config import from_layers
    from evo_core.plan import Job, make_plan

    config = from_layers(*layers(**flags))
    if quiet:
        watching = tuple(name for name in config.observers if name != "progress")
        config = replace(config, observers=watching)
    plan = make_plan(Job(config))
    if dry_run:
        from evo_core.forecast import forecast

        report = forecast(plan)
        print_json(report.to_json()) if as_json else click.echo(report.text())
        return 0
    result = execute(plan)
    if as_json:
        print_json(result.to_json())
    else:
        from evo_core.report import summary

        click.echo(summary(plan, result))
    if result.status == "interrupted":
        print(f"interrupted; what was found is in {result.run}", file=sys.stderr)  # noqa: T201
        return 130
    return 0
