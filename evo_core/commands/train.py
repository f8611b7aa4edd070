"""``evo train``: train networks in full."""

from __future__ import annotations

import itertools
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from evo_core.cli import print_json
from evo_core.commands.settings import (
    allow_plugins,
    as_json,
    check_set_developments,
    data_options,
    layers,
    written_options,
)
from evo_core.errors import EvoError

if TYPE_CHECKING:
    from evo_core.config import Layer
    from evo_core.targets import Target
    from evo_core.train_results import TrainGroup, TrainResult
    from evo_core.train_watch import Watcher

_WITH_RESUME = (
    "target", "resume", "accept_changes", "tensorboard", "quiet", "allow_plugins", "as_json",
    "plugins",
)  # fmt: skip


@click.command("train")
@click.argument("target", required=False)
@click.option(
    "--recipe",
    multiple=True,
    default=("quick",),
    show_default=True,
    help="quick, sgd, tet, paper. Repeatable, to compare.",
)
@click.option("--epochs", type=int, help="Passes over the training samples.")
@click.option("--samples", type=int, help="Train on so many samples, classes in proportion.")
@click.option("--batch", type=int, help="Samples in a step.")
@data_options
@click.option("--seeds", help="One training per seed, e.g. 0-2 or 0,3,7.")
@click.option("--top", type=click.IntRange(1), help="Train the best so many networks of a run.")
@click.option(
    "--develop",
    multiple=True,
    help="How the structure develops meanwhile, e.g. sdsnn, or none. Repeatable, to compare.",
)
@click.option("--threads", type=click.IntRange(1), default=1, show_default=True, help="Of torch.")
@click.option("--out", type=click.Path(path_type=Path), help="Folder; by default below runs/.")
@click.option("--resume", type=click.Path(path_type=Path), help="Go on with a training's folder.")
@click.option("--accept-changes", is_flag=True, help="With --resume: although evo changed.")
@click.option("--tensorboard", is_flag=True, help="Write for TensorBoard as well.")
@click.option("--quiet", is_flag=True, help="Show no progress.")
@allow_plugins
@as_json
def command(
    *,
    target: str | None,
    resume: Path | None,
    accept_changes: bool,
    tensorboard: bool,
    quiet: bool,
    as_json: bool,
    allow_plugins: bool,
    plugins: tuple[str, ...],
    **flags: Any,
) -> int:
    """Train TARGET, or go on with a training: evo train --resume FOLDER.

    TARGET is a run folder (its best), RUN:ID, mse:1,0,2,..., reference:2fc or an architecture
    FILE.json. With --data, a network of a run or a genome is decoded for other data than it was
    found on.
    """
    from evo_core.train_session import go_on, go_on_all, is_group

    watchers = _watchers(tensorboard=tensorboard, quiet=quiet)
    more: dict[str, Any] = {
        "watchers": watchers,
        "allow_plugins": allow_plugins,
        "layers": layers(plugins=plugins),
        "accept_changes": accept_changes,
    }
    if (target is None) == (resume is None):
        raise EvoError("name a TARGET to train, or a training to go on with: --resume FOLDER")
    if target is not None:
        flags |= {"allow_plugins": allow_plugins, "quiet": quiet}
        resume, more["plan"] = _begin(target, plugins, **flags)
    elif strange := written_options(*_WITH_RESUME):
        raise EvoError(f"--resume goes on as it was started; leave out {', '.join(strange)}")
    assert resume is not None
    if is_group(resume):
        return _show_group(go_on_all(resume, **more), as_json=as_json)
    return _show(go_on(resume, **more), as_json=as_json)


def _begin(
    text: str,
    plugins: tuple[str, ...],
    *,
    allow_plugins: bool,
    quiet: bool,
    seeds: str | None,
    top: int | None,
    recipe: tuple[str, ...],
    develop: tuple[str, ...],
    threads: int,
    out: Path | None,
    **flags: Any,
) -> tuple[Path, Any]:
    """Make the folder of a new training; give it, and the plan."""
    from evo_core.recipe import cut_down, read_recipe, take_changes
    from evo_core.sweeps import parse_seeds
    from evo_core.training import data_name, fill, job_of

    if seeds is not None and flags["seed"] is not None:
        raise EvoError("--seeds does not go with --seed; leave one of them out")
    own = {key: flags.pop(key) for key in ("epochs", "samples", "batch")}
    stack = layers(plugins=plugins, **flags)
    changes = {key: value for key, value in own.items() if value is not None}
    changes |= take_changes(stack[-1])
    targets = _targets(text, top, stack, allow_plugins=allow_plugins)
    recipes = {name: read_recipe(name, changes, data_name(targets[0])) for name in recipe}
    numbers = parse_seeds(seeds) if seeds is not None else (targets[0].plan.config.seed,)
    ways = develop or ("none",)
    check_set_developments(stack[-1], ways, targets[0].plan.registry)
    for flag, given in (("--recipe", recipe), ("--develop", ways)):
        if len(set(given)) < len(given):
            raise EvoError(f"{flag} names the same thing twice")
    jobs = {}
    for name, way, target, number in itertools.product(recipes, ways, targets, numbers):
        chosen = [*[name] * (len(recipes) > 1), *[way] * (len(ways) > 1)]
        folder_name = _name(chosen, target.candidate if top else None, number if seeds else None)
        jobs[folder_name] = job_of(
            target,
            recipes[name],
            recipe_name=name,
            seed=number,
            threads=threads,
            develop=None if way == "none" else way,
        )
    plan = targets[0].plan
    folder = fill(out, jobs, plan)
    for line in dict.fromkeys(cut_down(one, len(plan.splits.train)) for one in recipes.values()):
        if line and not quiet:
            click.echo(line, err=True)
    return folder, plan


def _targets(
    text: str, top: int | None, stack: list[Layer], *, allow_plugins: bool
) -> list[Target]:
    from evo_core.targets import front_of, resolve

    if top is None:
        return [resolve(text, stack, allow_plugins=allow_plugins)]
    return front_of(Path(text), top, stack, allow_plugins=allow_plugins)


def _name(ways: list[str], candidate: int | None, seed: int | None) -> str:
    """Name the folder of a training among others; what no folder can be called is left out."""
    parts = {"candidate": candidate, "seed": seed}
    numbered = [f"{what}-{number}" for what, number in parts.items() if number is not None]
    plain = [re.sub(r"[^\w.=,-]+", "-", way).strip("-") for way in ways]
    return "-".join([*plain, *numbered])


def _watchers(*, tensorboard: bool, quiet: bool) -> list[Watcher]:
    from evo_core.train_watch import TensorBoard, display

    shown: list[Watcher] = [] if quiet else [display()]
    return [*shown, TensorBoard()] if tensorboard else shown


def _show(result: TrainResult, *, as_json: bool) -> int:
    if as_json:
        print_json(result.to_json())
    elif result.test and result.last and result.best:
        click.echo(
            f"{result.job.target}: test {result.test.accuracy:.4f}, validation "
            f"{result.last.validation.accuracy:.4f} after {len(result.history)} epochs, best "
            f"{result.best.validation.accuracy:.4f} in epoch {result.best.epoch}"
        )
        click.echo(f"  {_costs(result)}")
        if result.data_partial:
            click.echo(f"  on partial data: {result.data_partial}")
        click.echo(f"training folder: {result.folder}")
    return _ending(result.status, result.folder)


def _show_group(group: TrainGroup, *, as_json: bool) -> int:
    from evo_core.tables import show_table

    if as_json:
        print_json(group.to_json())
        return _ending(group.status, group.folder)
    done = [(name, one) for name, one in group.results.items() if one.test and one.last]
    rows = [
        [
            name,
            f"{one.job.architecture.parameters:,}",
            f"{one.last.validation.accuracy:.4f}" if one.last else "-",
            f"{one.test.accuracy:.4f}" if one.test else "-",
            *_cost_cells(one),
            f"{one.seconds:.1f}",
        ]
        for name, one in done
    ]
    costs = ["synops", "energy pJ", "pruned", "neurons"]
    show_table(["training", "params", "validation", "test", *costs, "seconds"], rows)
    for target, spreads in group.spreads().items():
        click.echo(f"{target}: validation {spreads['validation']}, test {spreads['test']}")
    for text in sorted({one.data_partial for _, one in done} - {""}):
        click.echo(f"on partial data: {text}")
    click.echo(f"training folder: {group.folder}")
    return _ending(group.status, group.folder)


def _cost_cells(result: TrainResult) -> list[str]:
    """Write SynOps, energy, and the shares of weights and neurons that are gone."""
    costs = result.costs
    if costs is None:
        return ["-"] * 4
    gone = (costs.pruned_weights, costs.pruned_neurons)
    return [f"{costs.synops:,.0f}", f"{costs.energy_pj:,.0f}", *(f"{one:.1%}" for one in gone)]


def _costs(result: TrainResult) -> str:
    synops, energy, weights, neurons = _cost_cells(result)
    return (
        f"{synops} SynOps, {energy} pJ a sample; pruned: {weights} of all weights, "
        f"{neurons} of hidden neurons"
    )


def _ending(status: str, folder: Path) -> int:
    if status == "interrupted":
        click.echo(f"interrupted; go on: evo train --resume {folder}", err=True)
        return 130
    return 0
