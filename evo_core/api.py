"""Start a run from Python: the public door to everything ``evo run`` does."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing, suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from evo_core.components import Component
from evo_core.config import RunConfig, from_layers, to_layer
from evo_core.config_file import run_toml
from evo_core.errors import EvoError
from evo_core.genome import Genome
from evo_core.initial import given_genomes
from evo_core.loop import Loop, logger
from evo_core.memory import Memory
from evo_core.parts import Parts, assemble
from evo_core.plan import Job, Plan, make_plan
from evo_core.provenance import lock
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
    return execute(make_plan(job_of(config, components)))


def job_of(
    config: RunConfig | Mapping[str, Any] | None, components: Iterable[Component] = ()
) -> Job:
    """Check a configuration as Python programs give it.

    Raises:
        EvoError: If a key is unknown or a value does not fit.
    """
    layer = to_layer(config) if isinstance(config, RunConfig) else dict(config or {})
    return Job(from_layers(layer), tuple(components))


def execute(plan: Plan) -> RunResult:
    """Run a plan.

    Raises:
        EvoError: If a part can not be built, or the run folder can not be made.
        RunFailedError: If the run could not go on.
    """
    given = given_genomes(plan)
    with assemble(plan, given) as parts, closing(_new_store(plan, given)) as store:
        return play(plan, parts, store)


def play(plan: Plan, parts: Parts, store: Store, memory: Memory | None = None) -> RunResult:
    """Run a plan in a run folder from where its memory ends, and keep a log.

    Raises:
        RunFailedError: If the run could not go on.
    """
    handler = _Log(store.folder / "log.txt", encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        return Loop(plan, parts, store, memory).whole()
    finally:
        logger.removeHandler(handler)
        handler.close()


class _Log(logging.FileHandler):
    """A log that a full disk silences: the database tells of it."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        """Say nothing."""

    def close(self) -> None:
        """Close the file, also when what is left can not be written."""
        with suppress(OSError):
            super().close()


def fresh_folder(what: str, data: str, suffix: str = "") -> Path:
    """Name a folder below runs/ that does not exist, after a space or so, data and time."""
    name = f"{what}-{data}-{datetime.now().astimezone():%Y%m%d-%H%M%S}{suffix}"
    folder, number = Path("runs") / name, 1
    while folder.exists():
        number += 1
        folder = Path("runs") / f"{name}-{number}"
    return folder


def _new_store(plan: Plan, given: Sequence[Genome]) -> Store:
    config = plan.config
    made_with = versions(plan.registry)
    facts: dict[str, Any] = {
        "versions": made_with,
        "lock": lock(plan),
        "started": datetime.now().astimezone().isoformat(timespec="seconds"),
        "space": config.space,
        "data": config.data,
        "data_partial": plan.splits.partial,
        "components": [f"{one.kind} {one.name}" for one in plan.job.components],
        "objectives": [{"name": one.name, "goal": one.goal} for one in plan.objectives],
        "given": [list(genome) for genome in given],
    }
    while True:
        folder = Path(config.out) if config.out else fresh_folder(config.space, config.data)
        try:
            return Store.create(folder, run_toml(plan, made_with), facts)
        except EvoError:
            if config.out or not folder.exists():
                raise  # otherwise another run took the name just now: take the next
