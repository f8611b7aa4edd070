"""``evo score``: score one network."""

from __future__ import annotations

from typing import Any

import click

from evo_core.cli import print_json
from evo_core.commands.settings import allow_plugins, as_json, layers, scoring_options


@click.command("score")
@click.argument("target")
@scoring_options
@allow_plugins
@as_json
def command(*, target: str, as_json: bool, allow_plugins: bool, **flags: Any) -> int:
    """Score TARGET: a run folder, RUN:ID, mse:1,0,2,..., reference:2fc or a FILE.json."""
    from evo_core.executors import make_evaluator
    from evo_core.snn.lessons import Lessons
    from evo_core.targets import check_task, resolve

    found = resolve(target, layers(**flags), allow_plugins=allow_plugins)
    check_task(found)
    plan, genome, network = found.plan, found.genome, found.architecture
    development = plan.development if genome is None else plan.developing(genome)
    evaluation = make_evaluator(plan.job).score(
        found.candidate or 0, network, lessons=Lessons(plan, network, development)
    )
    scores = {name: score.to_json() for name, score in evaluation.scores.items()}
    partial = {"data_partial": found.plan.splits.partial} if found.plan.splits.partial else {}
    if as_json:
        print_json(
            {
                "target": target,
                "architecture": found.architecture.hash,
                "status": evaluation.status,
                "scores": scores,
                "details": evaluation.details,
                "error": evaluation.error,
            }
            | partial
        )
    else:
        click.echo(f"{target}: {evaluation.status}")
        for text in partial.values():
            click.echo(f"  on partial data: {text}")
        for name, score in scores.items():
            why = evaluation.scores[name].details.get("reason")
            line = f"  {name:<20} {_number(score['value'])}  ({score['goal']})"
            click.echo(f"{line}  {why}" if why else line)
        if evaluation.error:
            click.echo(evaluation.error, err=True)
    return 0 if evaluation.status != "error" else 1


def _number(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.6g}"
