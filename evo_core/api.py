"""Start a run from Python: the public door to everything ``evo run`` does."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from evo_core.components import Component
from evo_core.config import RunConfig, from_layers, to_layer
from evo_core.config_file import run_toml
from evo_core.loop import Loop, assemble, logger
from evo_core.plan import Job, Plan, make_plan
from evo_core.results import RunResult
from evo_core.store import Store
from evo_core.versions import versions


def run(
    config: RunConfig | Mapping[str, Any] | None = None,
    *,
    components: Iterable[Component] = (),
) -> RunResult:
    """Evolve networks and return what was found; everything is kept in the run folder.

    Args:
        config: A RunConfig, or a mapping as it would stand in the TOML file, e.g.
            ``{"fitness": ["rdm", "params"], "mse": {"cells": 4}}``. Defaults everywhere.
        components: Records of your own, e.g. a FitnessFunction or ``array_dataset(...)``.

    Raises:
        EvoError: If anything in the configuration is wrong; nothing has been written then.
        RunFailedError: If the run could not go on.

    Example:
        >>> result = run({"population": 4, "generations": 2})  # doctest: +SKIP
        >>> result.best.scores["rdm"].value  # doctest: +SKIP
    """
    layer = to_layer(config) if isinstance(config, RunConfig) else dict(config or {})
    plan = make_plan(Job(from_layers(layer), tuple(components)))
    return execute(plan)


def execute(plan: Plan) -> RunResult:
    """Run a plan.

    Raises:
        EvoError: If a part can not be built, or the run folder can not be made.
        RunFailedError: If the run could not go on.
    """
    parts = assemble(plan)
    store = _new_store(plan)
    handler = logging.FileHandler(store.folder / "log.txt", encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        return Loop(plan, parts, store).whole()
    finally:
        logger.removeHandler(handler)
        handler.close()
        store.close()


def _new_store(plan: Plan) -> Store:
    config = plan.config
    started = datetime.now().astimezone()
    folder = Path(config.out) if config.out else _fresh_folder(config, started)
    made_with = versions(plan.registry)
    facts: dict[str, Any] = {
        "versions": made_with,
        "started": started.isoformat(timespec="seconds"),
        "space": config.space,
        "data": config.data,
        "objectives": [{"name": one.name, "goal": one.goal} for one in plan.objectives],
    }
    return Store.create(folder, run_toml(plan, made_with), facts)


def _fresh_folder(config: RunConfig, started: datetime) -> Path:
    name = f"{config.space}-{config.data}-{started:%Y%m%d-%H%M%S}"
    folder, number = Path("runs") / name, 1
    while folder.exists():
        number += 1
        folder = Path("runs") / f"{name}-{number}"
    return folder
