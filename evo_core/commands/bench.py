"""``evo bench``: what this machine does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from evo_core.cli import print_json
from evo_core.commands.settings import as_json, layers, scoring_options

if TYPE_CHECKING:
    from evo_core.benching import ScoringCost
    from evo_core.plan import Plan


@click.group("bench")
def command() -> None:
    """Measure what evo costs on this machine."""


@command.command("scoring")
@click.option("--space", help="Search space.  [default: mse]")
@scoring_options
@click.option("--precision", help="Numbers of untrained networks: fp32 or bf16.")
@click.option(
    "--seconds",
    type=click.FloatRange(0, min_open=True),
    default=10.0,
    show_default=True,
    help="Begin no other network after that long.",
)
@as_json
def scoring(*, seconds: float, as_json: bool, **flags: Any) -> int:
    """Score random networks in one process with one thread: how fast, and where the time goes."""
    from evo_core.benching import scoring_cost
    from evo_core.config import from_layers
    from evo_core.plan import Job, make_plan

    plan = make_plan(Job(from_layers(*layers(**flags))))
    cost = scoring_cost(plan, seconds)
    print_json(_settings(plan) | cost.to_json()) if as_json else _show(plan, cost)
    return 0


def _settings(plan: Plan) -> dict[str, Any]:
    config = plan.config
    return {
        "space": config.space,
        "data": config.data,
        "fitness": [bound.text for bound in plan.fitness],
        "device": config.device,
        "precision": config.precision,
        "shape": list(plan.task.shape),
        "steps": plan.task.steps,
        "batch": config.scoring.batch,
    }


def _show(plan: Plan, cost: ScoringCost) -> None:
    from evo_core.tables import show_table

    settings = _settings(plan)
    shape = "x".join(map(str, settings["shape"]))
    click.echo(
        f"{settings['space']} on {settings['data']} ({shape}), {', '.join(settings['fitness'])}: "
        f"batches of {settings['batch']}, {settings['steps']} steps, "
        f"{settings['precision']} on {settings['device']}"
    )
    clock = "CPU" if settings["device"] == "cpu" else "wall"
    ratio = f", {cost.ratio:.2f} times the floor" if cost.ratio else ""
    load = "" if cost.load is None else f"; load {cost.load:.1f}"
    click.echo(
        f"{cost.candidates_per_second:.2f} candidates/s in one process with one thread "
        f"({cost.networks} random networks{load})"
    )
    click.echo(f"{1000 * cost.seconds:.1f} ms of {clock} each{ratio}")
    click.echo(f"{1000 * cost.floor_seconds:.1f} ms floor: the convolutions alone")
    click.echo(f"{cost.peak_bytes / 2**20:,.0f} MiB at most")
    rows = sorted(cost.shares.items(), key=lambda row: -row[1])
    show_table(
        ["where the time goes", "share", "ms"],
        [[part, f"{share:.0%}", f"{1000 * share * cost.seconds:.1f}"] for part, share in rows],
    )
