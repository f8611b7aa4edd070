"""``evo evaluate``: what trained networks can stand."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from evo_core.binding import split_commas
from evo_core.cli import print_json
from evo_core.commands.settings import allow_plugins, as_json, data_options, layers

if TYPE_CHECKING:
    from evo_core.evaluating.intervals import Estimate
    from evo_core.evaluating.results import CheckpointResult, EvaluateResult, Point


@click.command("evaluate")
@click.argument("checkpoints", nargs=-1, required=True, metavar="CHECKPOINT...")
@data_options
@click.option("--split", default="test", show_default=True, help="test, validation.")
@click.option("--samples", type=int, help="On so many samples, classes in proportion.")
@click.option(
    "--noise",
    multiple=True,
    help="KIND:LEVEL,... of gaussian, salt-pepper, shot; of images. Repeatable.",
)
@click.option("--drop-events", "drops", help="Chances that an event is lost, e.g. 0.1,0.5.")
@click.option("--timesteps", help="Show so many time steps instead, e.g. 1,2,4,8.")
@click.option(
    "--energy",
    default="simple,spikesim",
    show_default=True,
    help="Energy models of SpikingJelly beside evo's count, or none.",
)
@click.option("--repeats", type=int, default=3, show_default=True, help="Draws of what is random.")
@click.option("--out", type=click.Path(path_type=Path), help="Folder; by default below runs/.")
@click.option("--quiet", is_flag=True, help="Show no progress.")
@allow_plugins
@as_json
def command(
    *,
    checkpoints: tuple[str, ...],
    split: str,
    samples: int | None,
    noise: tuple[str, ...],
    drops: str | None,
    timesteps: str | None,
    energy: str,
    repeats: int,
    out: Path | None,
    quiet: bool,
    allow_plugins: bool,
    as_json: bool,
    **flags: Any,
) -> int:
    """Measure what trained networks can stand, several side by side on the same noise.

    CHECKPOINT is a training folder, one of its epochs (TRAINING/epoch-7), or a target: of a run or
    a genome without trained weights, the initial ones are taken, and the table says so.
    """
    from evo_core.api import fresh_folder
    from evo_core.evaluating.api import answer
    from evo_core.evaluating.progress import display
    from evo_core.evaluating.question import ask
    from evo_core.evaluating.subjects import load_subjects

    question = ask(
        split=split,
        samples=samples,
        noise=noise,
        drop_events=split_commas(drops or ""),
        timesteps=split_commas(timesteps or ""),
        energy=[] if energy == "none" else [*split_commas(energy)],
        repeats=repeats,
        seed=flags["seed"] or 0,
    )
    networks = load_subjects(checkpoints, layers(**flags), allow_plugins=allow_plugins)
    folder = out or fresh_folder("evaluate", networks[0].plan.config.data)
    result = answer(question, networks, folder, None if quiet else display())
    if as_json:
        print_json({"folder": str(result.folder), **result.to_json()})
    else:
        _show(result, samples)
    return 0


def _show(result: EvaluateResult, asked: int | None) -> None:
    """Print a line for each network, and one for each network and condition."""
    from evo_core.tables import show_table

    facts, many = result.facts, len(result.checkpoints) > 1
    models = [name for name in result.checkpoints[0].models if name != "evo"]
    energies = [f"{name} pJ{' (compute)' * (name == 'simple')}" for name in models]
    heads = ["checkpoint", "weights", "params", "SynOps", "energy pJ", *energies, "rate"]
    show_table(heads, [_costs(one, models) for one in result.checkpoints])
    click.echo("")
    heads = ["condition", "checkpoint", "accuracy", "loss", *["to the first"] * many]
    rows = [
        _row(one, point, many=many)
        for points in zip(*((each.clean, *each.points) for each in result.checkpoints), strict=True)
        for one, point in zip(result.checkpoints, points, strict=True)
    ]
    show_table(heads, rows)
    more = f" (all there are; {asked} were asked for)" if (asked or 0) > facts["samples"] else ""
    click.echo(
        f"\n{facts['samples']} {facts['split']} samples of {facts['data']}{more}, "
        f"{facts['repeats']} draws of what is random, seed {facts['seed']}; 95 % intervals"
    )
    if facts["data_partial"]:
        click.echo(f"on partial data: {facts['data_partial']}")
    for one in result.checkpoints:
        for name, model in one.models.items():
            if model["pj"] is None:
                click.echo(f"{one.checkpoint}: {name} is not available: {model['reason']}")
    click.echo(f"evaluation: {result.folder}")


def _costs(one: CheckpointResult, models: list[str]) -> list[str]:
    origin = one.origin if one.trained else f"NOT TRAINED: {one.origin}"
    return [
        _name(one),
        origin,
        f"{one.parameters:,}",
        f"{one.synops:,.0f}",
        f"{one.energy_pj:,.0f}",
        *(_energy(one.models[name]) for name in models),
        "-" if one.rate is None else f"{one.rate:.4f}",
    ]


def _energy(model: dict[str, Any]) -> str:
    """Write the energy by a model, and, where it tells them apart, that of computing alone."""
    if model["pj"] is None:
        return "not available"
    compute = f" ({model['compute_pj']:,.0f})" if "compute_pj" in model else ""
    return f"{model['pj']:,.0f}{compute}"


def _name(one: CheckpointResult) -> str:
    from evo_core.comparing.figures_looks import cut

    return cut(one.checkpoint, 48)


def _row(one: CheckpointResult, point: Point, *, many: bool) -> list[str]:
    cells = [str(point.condition), _name(one), _estimate(point.accuracy), _loss(point.loss)]
    if not many:
        return cells
    return [*cells, _estimate(point.difference, sign="+") if point.difference else "-"]


def _estimate(found: Estimate, sign: str = "") -> str:
    return f"{found.value:{sign}.4f} [{found.low:{sign}.4f}, {found.high:{sign}.4f}]"


def _loss(found: Estimate) -> str:
    return "not finite" if found.value is None else f"{found.value:.4f}"
