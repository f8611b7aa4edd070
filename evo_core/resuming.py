"""Go on with a run that has ended: more generations, or those that an interrupt cut off.

All randomness is keyed by seed, purpose and generation, so a run that goes on at the end of a
generation does exactly what it would have done had it never stopped.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from evo_core.api import play
from evo_core.components import Component
from evo_core.config import RunConfig, from_layers, read_toml, to_layer
from evo_core.config_file import run_toml
from evo_core.errors import EvoError
from evo_core.memory import recall
from evo_core.parts import assemble
from evo_core.plan import Job, Plan, make_plan
from evo_core.results import RunResult
from evo_core.store import Store


def resume(
    run: str | Path,
    *,
    generations: int | None = None,
    workers: int | None = None,
    executor: str | None = None,
    timeout: float | None = None,
    memory: str | None = None,
    components: Iterable[Component] = (),
) -> RunResult:
    """Go on with a run; its result is that of a run that was never stopped, byte for byte.

    Args:
        run: The run folder; the run must have ended.
        generations: How many it is to have in all; by default those of its configuration.
        workers: Worker processes for the rest of the run.
        executor: Where candidates are evaluated for the rest of the run.
        timeout: Seconds a candidate may take in the rest of the run.
        memory: Memory a worker may use in the rest of the run, e.g. ``"4GB"``.
        components: The records of your own that the run was started with.

    Raises:
        EvoError: If there is nothing to go on with; nothing has been written then.
        RunFailedError: If the run could not go on.

    Example:
        >>> resume("runs/first", generations=40)  # doctest: +SKIP
    """
    settings = {
        "generations": generations,
        "workers": workers,
        "executor": executor,
        "timeout": timeout,
        "memory": memory,
    }
    return go_on(plan_of(Path(run), settings, components), Path(run))


def plan_of(folder: Path, settings: dict[str, Any], components: Iterable[Component] = ()) -> Plan:
    """Make the plan of a run folder, with some settings changed; None leaves one as it is.

    Raises:
        EvoError: If it is no run folder, or its plan can not be made here.
    """
    Store.open(folder).close()
    changes = {key: value for key, value in settings.items() if value is not None}
    config = from_layers(read_toml(folder / "config.toml"), changes)
    return make_plan(Job(config, tuple(components)))


def go_on(plan: Plan, folder: Path) -> RunResult:
    """Go on with the run in a folder until its plan is fulfilled.

    Raises:
        EvoError: If there is nothing to go on with; nothing has been written then.
        RunFailedError: If the run could not go on.
    """
    store = Store.open(folder, write=True)
    try:
        memory = recall(store, plan.objectives)
        _check(store, plan.config, memory.generations)
        parts = assemble(plan, begins=memory.generations == 0)
        store.reopen(_kept_toml(plan, store), memory.generations)
    except BaseException:
        store.close()
        raise
    return play(plan, parts, store, memory)


def _check(store: Store, config: RunConfig, done: int) -> None:
    result = store.result()
    if result is None:
        raise EvoError(
            f"{store.folder} is unfinished: it is still going on, or was killed; "
            "only a run that has ended can be resumed"
        )
    if result.status == "done" and result.reason != "generations":
        raise EvoError(
            f"{store.folder} ended for {result.reason}, which more generations would not change"
        )
    if config.generations < done or (config.generations == done and result.status == "done"):
        raise EvoError(
            f"{store.folder} has {done} generations already; ask for more with --generations"
        )


def _kept_toml(plan: Plan, store: Store) -> str:
    """Write the configuration as it was, but for the number of generations."""
    before = to_layer(from_layers(read_toml(store.folder / "config.toml")))
    config = from_layers(before, {"generations": plan.config.generations})
    job = dataclasses.replace(plan.job, config=config)
    return run_toml(dataclasses.replace(plan, job=job), store.fact("versions"))
