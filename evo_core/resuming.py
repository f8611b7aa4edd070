"""Go on with a run: one that was cut off, by whatever, or one that is to have more generations.

All randomness is keyed by seed, purpose and generation, and whatever is stored is stored whole. So
a run that goes on asks for the same candidates again, takes those that were evaluated as they were,
and does exactly what it would have done had it never stopped.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from evo_core.api import play
from evo_core.components import Component
from evo_core.config import Layer, RunConfig, read_toml
from evo_core.config_file import run_toml
from evo_core.errors import EvoError
from evo_core.memory import Memory, recall
from evo_core.parts import assemble
from evo_core.plan import Plan
from evo_core.provenance import differences, lock
from evo_core.results import RunResult
from evo_core.spaces import space_of
from evo_core.store import Store
from evo_core.stored import config_of, edited, given_to, plan_of
from evo_core.versions import versions

KEPT = ("generations", "max_failed", "timeout", "memory")  # what the configuration keeps if changed


@dataclasses.dataclass(frozen=True, slots=True)
class Consent:
    """What the user agrees to when a run goes on.

    Attributes:
        plugins: That plugin files are loaded which only the run folder names.
        changes: That ``config.toml``, evo, a plugin or a library is not what it was.
    """

    plugins: bool = False
    changes: bool = False


def resume(
    run: str | Path,
    *,
    generations: int | None = None,
    max_failed: float | None = None,
    timeout: float | None = None,
    memory: str | None = None,
    workers: int | None = None,
    executor: str | None = None,
    cache: str | None = None,
    components: Iterable[Component] = (),
    allow_plugins: bool = False,
    accept_changes: bool = False,
) -> RunResult:
    """Go on with a run; its result is that of a run that was never stopped, byte for byte.

    Args:
        run: The run folder.
        generations: How many it is to have in all; by default those of its configuration.
        max_failed: The share of failed candidates that stops it, kept in its configuration.
        timeout: Seconds a candidate may take, kept as well.
        memory: Memory a worker may use, e.g. ``"4GB"``, kept as well.
        workers: Worker processes for the rest of the run.
        executor: Where candidates are evaluated for the rest of the run.
        cache: The file that shares scores with other runs, for the rest of the run.
        components: The records of your own that the run was started with.
        allow_plugins: Load the plugin files that the run names.
        accept_changes: Go on although ``config.toml``, evo, a plugin or a library has changed.

    Raises:
        EvoError: If there is nothing to go on with; nothing has been written then.
        RunFailedError: If the run could not go on.

    Example:
        >>> resume("runs/first", generations=40)  # doctest: +SKIP
    """
    settings = {
        "generations": generations,
        "max_failed": max_failed,
        "timeout": timeout,
        "memory": memory,
        "workers": workers,
        "executor": executor,
        "cache": cache,
    }
    consent = Consent(allow_plugins, accept_changes)
    with reopen(Path(run), settings, consent, components) as past:
        return go_on(past, consent)


@dataclasses.dataclass(frozen=True, slots=True)
class Past:
    """A run that is to go on.

    Attributes:
        plan: What it is to fulfil.
        store: Its folder, held for writing.
        memory: What has happened.
        config: The configuration to be kept.
    """

    plan: Plan
    store: Store
    memory: Memory
    config: RunConfig


@contextmanager
def reopen(
    folder: Path,
    settings: Mapping[str, Any],
    consent: Consent,
    components: Iterable[Component] = (),
) -> Iterator[Past]:
    """Open a run to go on with, with some settings changed; None leaves one as it is.

    Raises:
        EvoError: If it can not be opened, is not as it was, or its plan can not be made here.
    """
    given = {key: value for key, value in settings.items() if value is not None}
    with closing(Store.open(folder, write=True)) as store:
        base = [_edited_layer(store, consent)] if edited(store) else []
        plan = plan_of(store, [*base, given], components, allow_plugins=consent.plugins)
        kept = {key: given[key] for key in KEPT if key in given}
        config = config_of(store, [*base, kept])
        yield Past(plan, store, recall(store, plan.objectives), config)


def go_on(past: Past, consent: Consent) -> RunResult:
    """Go on with a run until its plan is fulfilled.

    Raises:
        EvoError: If there is nothing to go on with, or what made the run is not what is here;
            nothing has been written then.
        RunFailedError: If the run could not go on.
    """
    plan, store = past.plan, past.store
    _check(past)
    _check_same_search(past)
    made_with = _made_with(past, consent)
    with assemble(plan, given_to(store, plan)) as parts:
        plan_kept = dataclasses.replace(plan, job=dataclasses.replace(plan.job, config=past.config))
        store.go_on(run_toml(plan_kept, made_with["versions"]), made_with)
        return play(plan, parts, store, past.memory)


def _check_same_search(past: Past) -> None:
    """Refuse a configuration under which what is stored would mean something else.

    Raises:
        EvoError: If genes, objectives, strategy or development are not those of the run.
    """
    store, plan = past.store, past.plan
    before = config_of(store)
    objectives = [{"name": one.name, "goal": one.goal} for one in plan.objectives]
    same = {
        "space": space_of(plan.registry, before).genes == plan.space.genes,
        "fitness": store.fact("objectives") == objectives,
        "strategy": before.strategy == plan.config.strategy,
        "development": (before.develop, before.inherit)
        == (plan.config.develop, plan.config.inherit),
    }
    for what, holds in same.items():
        if not holds:
            raise EvoError(
                f"{store.folder} can not go on with another {what}: what it "
                "has stored would mean something else; start a new run, perhaps with --init"
            )


def _made_with(past: Past, consent: Consent) -> dict[str, Any]:
    """Give what the run is made with from now on.

    Raises:
        EvoError: If that decides otherwise than what it was made with, and nobody agreed to it.
    """
    then, now = past.store.fact("lock"), lock(past.plan)
    changed = differences(then, now) if then is not None else []
    if not changed:
        return {"versions": past.store.fact("versions"), "lock": now}
    if not consent.changes:
        raise EvoError(
            f"{past.store.folder} was made otherwise: {'; '.join(changed)}; what follows may not "
            "be what would have been, go on nevertheless with --accept-changes"
        )
    return {"versions": versions(past.plan.registry), "lock": now}


def _edited_layer(store: Store, consent: Consent) -> Layer:
    path = store.folder / "config.toml"
    if not consent.changes:
        raise EvoError(
            f"{path} is not as evo wrote it, and another configuration is another run; put it "
            "back, or add --accept-changes to go on with what it says now"
        )
    return read_toml(path)


def _check(past: Past) -> None:
    """Refuse to go on with nothing.

    Raises:
        EvoError: If the run has ended, and for good.
    """
    result, done, wanted = (
        past.store.result(),
        past.memory.generations,
        past.plan.config.generations,
    )
    ended = result is not None and result.status == "done"
    if result is not None and ended and result.reason != "generations":
        raise EvoError(
            f"{past.store.folder} ended for {result.reason}, which more generations would not "
            "change"
        )
    if wanted < done or (wanted == done and ended):
        raise EvoError(
            f"{past.store.folder} has {done} generations already; ask for more with --generations"
        )
