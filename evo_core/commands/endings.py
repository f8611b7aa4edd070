"""How ``evo run`` and ``evo resume`` end: what they print, and their exit status."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from evo_core.cli import print_json

if TYPE_CHECKING:
    from evo_core.plan import Plan
    from evo_core.results import RunResult
    from evo_core.sweeps import SweepResult


def show_result(plan: Plan, result: RunResult, *, as_json: bool) -> int:
    """Print how a run ended and give the exit status."""
    from evo_core.report import again, summary

    if as_json:
        print_json(result.to_json())
    else:
        click.echo(summary(plan, result))
    if result.status == "interrupted":
        click.echo(
            f"interrupted; what was found is in {result.run}; "
            f"go on: evo resume {again(plan, result.run)}",
            err=True,
        )
        return 130
    return 0


def show_sweep(result: SweepResult, *, as_json: bool) -> int:
    """Print a line for each seed and one for all of them, and give the exit status."""
    if as_json:
        print_json(result.to_json())
    else:
        _print_sweep(result)
    if result.interrupted:
        click.echo("interrupted; the same command goes on where it stopped", err=True)
        return 130
    return 0


def _print_sweep(result: SweepResult) -> None:
    from evo_core.tables import show_table

    objective = next(iter(result.runs.values())).objectives[0]
    name = objective.name
    rows = []
    for seed, run in result.runs.items():
        value = run.best.scores[name].value if run.best else None
        fresh = run.best.rescored.get(name) if run.best else None
        rows.append(
            [
                str(seed) if seed in result.finished else f"{seed} ({run.status})",
                "-" if value is None else f"{value:.6g}",
                str(fresh) if fresh else "-",
                str(run.counts.evaluated),
                f"{run.seconds:.1f}",
                str(run.run),
            ]
        )
    show_table(["seed", f"best {name}", "fresh inits", "evaluated", "seconds", "run"], rows)
    seeds = len(result.finished)
    plural = "s" * (seeds != 1)
    are = "are" if plural else "is"
    done = f" that {are} done" if len(result.runs) > seeds else ""
    spread = result.best if seeds else "none is done"
    click.echo(f"\n{name} ({objective.goal}) over {seeds} seed{plural}{done}: {spread}")
    if result.rescored:
        click.echo(f"under fresh inits: {result.rescored}")
    click.echo(f"sweep folder: {result.folder}")
