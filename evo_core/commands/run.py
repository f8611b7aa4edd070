"""``evo run``: evolve networks."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from evo_core.cli import print_json
from evo_core.commands.endings import show_result, show_sweep
from evo_core.commands.settings import (
    as_json,
    check_set_developments,
    layers,
    scoring_options,
)
from evo_core.errors import EvoError

if TYPE_CHECKING:
    from evo_core.plan import Plan


@click.command("run")
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option("--space", help="Search space.  [default: mse]")
@scoring_options
@click.option(
    "--develop", multiple=True, help="How candidates develop while they are trained, e.g. set."
)
@click.option("--inherit", help="Of a development: none, baldwin or lamarck.  [default: none]")
@click.option("--strategy", help="nsga2, mu-plus-lambda, random, ...  [default: nsga2]")
@click.option("--population", type=int, help="Candidates that survive a generation.")
@click.option("--generations", type=int, help="Generations, the first one counted.")
@click.option("--max-evaluations", type=int, help="Stop after that many evaluations.")
@click.option("--max-seconds", type=float, help="Stop after that many seconds.")
@click.option("--constraint", "constraints", multiple=True, help="E.g. 'params<2e6'. Repeatable.")
@click.option("--max-failed", type=float, help="Stop when more than this share fails, e.g. 0.5.")
@click.option("--target", type=float, help="Stop when the first fitness reaches this value.")
@click.option("--init", help="Start from these genomes: FILE (one a line, or JSON) or RUN.")
@click.option("--rescore", type=int, help="Fresh inits for the final front; 0: none.  [default: 3]")
@click.option("--seeds", help="A sweep: one run per seed, e.g. 0-4 or 0,3,7.")
@click.option("--workers", type=int, help="Worker processes; 0 means one per core.")
@click.option("--executor", help="serial, loky, ...  [default: loky]")
@click.option("--cache", help="Share scores with other runs through this file.")
@click.option("--timeout", type=float, help="Stop a candidate after that many seconds.")
@click.option("--memory", help="Memory a worker may use, e.g. 4GB (Linux).")
@click.option("--attempts", type=int, help="Tries of a candidate that kills its worker or is oom.")
@click.option("--recycle", type=int, help="Replace a worker after so many evaluations; 0: never.")
@click.option("--precision", help="Numbers of untrained networks: fp32 or bf16.")
@click.option("--deterministic/--no-deterministic", default=None, help="On CUDA: repeat exactly.")
@click.option("--out", help="Run folder; by default a new one below runs/.")
@click.option("--dry-run", is_flag=True, help="Time two candidates and forecast; write nothing.")
@click.option("--quiet", is_flag=True, help="Show no progress.")
@as_json
def command(
    *,
    as_json: bool,
    quiet: bool,
    dry_run: bool,
    seeds: str | None,
    develop: tuple[str, ...],
    **flags: Any,
) -> int:
    """Evolve networks, with the settings of FILE if one is given."""
    from evo_core.api import execute
    from evo_core.config import from_layers
    from evo_core.plan import Job, make_plan

    if seeds is not None and (flags["seed"] is not None or dry_run):
        other = "--dry-run, which forecasts one run" if dry_run else "--seed"
        raise EvoError(f"--seeds does not go with {other}; leave one of them out")
    if len(develop) > 1:
        raise EvoError(
            f"a search has one development; leave out all --develop but one of {', '.join(develop)}"
        )
    stack = layers(develop=develop[0] if develop else None, **flags)
    config = from_layers(*stack)
    if quiet:
        watching = tuple(name for name in config.observers if name != "progress")
        config = replace(config, observers=watching)
    plan = make_plan(Job(config))
    check_set_developments(stack[-1], [config.develop or "none"], plan.registry)
    if dry_run:
        return _dry_run(plan, as_json=as_json)
    if seeds is not None:
        from evo_core.sweeps import execute_sweep, parse_seeds

        return show_sweep(execute_sweep(plan, parse_seeds(seeds)), as_json=as_json)
    return show_result(plan, execute(plan), as_json=as_json)


def _dry_run(plan: Plan, *, as_json: bool) -> int:
    from evo_core.forecast import forecast
    from evo_core.initial import given_genomes

    given_genomes(plan)
    report = forecast(plan)
    print_json(report.to_json()) if as_json else click.echo(report.text())
    return 0
