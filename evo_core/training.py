"""Train networks in full: from a target to a folder with a job in it, and the door for Python."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from evo_core.api import fresh_folder
from evo_core.architecture import Architecture
from evo_core.augmentation import check_augmentations
from evo_core.binding import parse_reference
from evo_core.components import Component, Dataset, Development, load
from evo_core.config import Layer, from_layers
from evo_core.data import check_encoding
from evo_core.errors import EvoError
from evo_core.folder import new_folder, write_whole
from evo_core.plan import Job, Plan, make_plan
from evo_core.recipe import Recipe, read_recipe
from evo_core.targets import Target, check_task, resolve
from evo_core.train_results import TrainJob, TrainResult
from evo_core.train_session import GROUP, code_behind, go_on


def train(
    target: str | Path | Architecture,
    *,
    data: str | Dataset | None = None,
    recipe: str | Recipe = "quick",
    seed: int | None = None,
    out: str | Path | None = None,
    develop: str | None = None,
    threads: int = 1,
    config: Mapping[str, Any] | None = None,
    components: Iterable[Component] = (),
) -> TrainResult:
    """Train one network on the train split, and measure it on the test split once at the end.

    Args:
        target: A run folder, ``"RUN:ID"``, ``"mse:1,0,2,..."``, ``"FILE.json"`` or an Architecture.
        data: A data set, by default that of the run; a network of a space adapts to another one.
        recipe: The name of a recipe, or one of your own: ``read_recipe("quick", {"epochs": 3})``.
        seed: The seed of everything random, by default that of the run, or 0.
        out: The folder to train in; by default a new one below runs/.
        develop: A Development with its options, e.g. ``"set[density=0.2]"``.
        threads: Threads of torch.
        config: Other settings as in a TOML file, e.g. ``{"data_root": "data"}``.
        components: Records of your own, e.g. a data set that ``array_dataset`` made.

    Raises:
        EvoError: If something does not fit; nothing has been written then.
        RunFailedError: If the training could not go on.

    Example:
        >>> train("runs/first", recipe="quick").test.accuracy  # doctest: +SKIP
    """
    given = [*components, data] if isinstance(data, Dataset) else list(components)
    named = {"data": data.name if isinstance(data, Dataset) else data, "seed": seed}
    layer = dict(config or {}) | {key: value for key, value in named.items() if value is not None}
    if isinstance(target, Architecture):
        found = Target("architecture", make_plan(Job(from_layers(layer), tuple(given))), target)
    else:
        found = resolve(str(target), [layer], components=given)
    wanted = read_recipe(recipe, data=data_name(found)) if isinstance(recipe, str) else recipe
    name = recipe if isinstance(recipe, str) else ""
    job = job_of(found, wanted, recipe_name=name, threads=threads, develop=develop)
    folder = fill(None if out is None else Path(out), {"": job}, found.plan)
    return go_on(folder, plan=found.plan)


def job_of(
    target: Target,
    recipe: Recipe,
    *,
    recipe_name: str = "",
    seed: int | None = None,
    threads: int = 1,
    develop: str | None = None,
) -> TrainJob:
    """Say what is to be trained.

    Raises:
        EvoError: If the network, the encoding or an augmentation does not fit the data, or there
            is no such Development.
    """
    check_task(target)
    config, plan = target.plan.config, target.plan
    for part in ("train", "validation", "test"):
        if not len(getattr(plan.splits, part)):
            raise EvoError(f"{config.data} has no {part} samples, but a training needs some")
    check_encoding(plan.splits.train.take(slice(256)), config.scoring.encoding)
    check_augmentations(recipe.augment, plan.splits.train)
    bound = plan.binder.bind(Development, develop) if develop else None
    if bound and bound.record.check:
        load(bound.record.check)(target.architecture, bound.options, recipe.epochs)
    tables = [parse_reference(text)[0] for text in (config.data, develop or "") if text]
    settings: Layer = {
        "data": config.data,
        "scoring": {
            "steps": target.architecture.task.steps,
            "encoding": config.scoring.encoding,
        },
        **({"allow_partial": True} if config.allow_partial else {}),
        **({"data_root": config.data_root} if config.data_root else {}),
        **({"plugins": list(config.plugins)} if config.plugins else {}),
        **{name: dict(config.options[name]) for name in tables if name in config.options},
    }
    return TrainJob(
        target=target.text,
        architecture=target.architecture,
        settings=settings,
        recipe=recipe,
        recipe_name=recipe_name,
        seed=config.seed if seed is None else seed,
        device=config.device,
        threads=threads,
        develop=bound.text if bound else None,
    )


def data_name(target: Target) -> str:
    """Give the name of the data of a target, without its options."""
    return parse_reference(target.plan.config.data)[0]


def fill(folder: Path | None, jobs: Mapping[str, TrainJob], plan: Plan) -> Path:
    """Make the folder of one training, or of several, each in a folder below with its name.

    Args:
        folder: The folder; None for a new one below runs/.
        jobs: One job under the name ``""``, or several under names of their own.
        plan: The plan of their data.

    Raises:
        EvoError: If it is there already, or can not be made.
    """
    from evo_core.snn import checkpoint

    final = folder or fresh_folder("train", plan.config.data)
    with new_folder(final) as aside:
        if "" not in jobs:
            write_whole(aside / GROUP, json.dumps(list(jobs), indent=2) + "\n")
        for name, job in jobs.items():
            (aside / name).mkdir(exist_ok=True)
            checkpoint.save(aside / name, None, job.to_json(), (), code_behind(job, plan))
    return final
