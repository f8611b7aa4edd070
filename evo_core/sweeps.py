"""The same search under several seeds, because one run is an anecdote."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from evo_core.api import execute, fresh_folder, job_of
from evo_core.components import Component
from evo_core.config import RunConfig, to_layer
from evo_core.config_file import run_toml
from evo_core.errors import EvoError, RunFailedError
from evo_core.folder import check_closed, is_held, write_whole
from evo_core.memory import recall
from evo_core.parts import assemble
from evo_core.plan import Job, Plan, make_plan
from evo_core.results import RunResult, Spread
from evo_core.resuming import Consent, Past, go_on
from evo_core.store import Store
from evo_core.stored import config_of, edited

# what may differ when a sweep goes on: it decides no result
NOT_THE_SEARCH = ("workers", "executor", "observers", "cache", "recycle", "attempts", "max_failed")
_MOST_SEEDS = 10_000
Todo = Literal["run", "resume", "read"]


@dataclass(frozen=True, slots=True)
class SweepResult:
    """The runs of a sweep.

    Attributes:
        folder: The folder that holds them as ``seed-0`` ...
        runs: The result of each seed; an interrupted sweep ends with the interrupted run.
    """

    folder: Path
    runs: Mapping[int, RunResult]

    @property
    def interrupted(self) -> bool:
        """Whether the sweep was interrupted."""
        return any(result.status == "interrupted" for result in self.runs.values())

    @property
    def finished(self) -> dict[int, RunResult]:
        """The runs that are done: only these are summed up."""
        return {seed: result for seed, result in self.runs.items() if result.status == "done"}

    @property
    def best(self) -> Spread:
        """The best first objective of each seed that is done."""
        return Spread(tuple(_best(result) for result in self.finished.values()))

    @property
    def rescored(self) -> Spread | None:
        """The mean of each such seed's best under fresh inits; None if none was scored again."""
        name = next(iter(self.runs.values())).objectives[0].name
        solutions = [result.best for result in self.finished.values()]
        spreads = [one.rescored.get(name) if one else None for one in solutions]
        found = Spread(tuple(spread.mean if spread else None for spread in spreads))
        return None if not any(spreads) else found

    def summary(self) -> dict[str, Any]:
        """Sum up the first objective over the seeds that are done as JSON types."""
        objective = next(iter(self.runs.values())).objectives[0]
        return {
            "objective": {"name": objective.name, "goal": objective.goal},
            "seeds": list(self.finished),
            "best": self.best.to_json(),
            "rescored": self.rescored.to_json() if self.rescored else None,
            "evaluated": sum(result.counts.evaluated for result in self.finished.values()),
        }

    def to_json(self, *, timings: bool = True) -> dict[str, Any]:
        """Write the sweep as JSON types.

        Without timings folders are relative: that is what ``summary.json`` holds.
        """
        runs = [
            {"seed": seed, "run": str(result.run) if timings else result.run.name}
            | {key: value for key, value in result.to_json(timings=timings).items() if key != "run"}
            for seed, result in self.runs.items()
        ]
        head = {"sweep": str(self.folder)} if timings else {}
        return head | {"runs": runs, "summary": self.summary()}


def sweep(
    config: RunConfig | Mapping[str, Any] | None = None,
    seeds: Iterable[int] = range(5),
    *,
    components: Iterable[Component] = (),
) -> SweepResult:
    """Run the same search under several seeds, in one folder, with a ``summary.json``.

    A seed whose run is done is not run again, and one that was cut off goes on, so the same call
    continues a sweep.

    Args:
        config: As for :func:`evo_core.run`; ``out`` is the folder of the sweep, ``seed`` is unused.
        seeds: The seeds.
        components: Records of your own.

    Raises:
        EvoError: If anything is wrong with the configuration or the folder; nothing has been
            written then.
        RunFailedError: If a run could not go on; the ones before it are kept.

    Example:
        >>> sweep({"generations": 5}, seeds=range(3)).best.mean  # doctest: +SKIP
    """
    return execute_sweep(make_plan(job_of(config, components)), seeds)


def execute_sweep(plan: Plan, seeds: Iterable[int]) -> SweepResult:
    """Run a plan under several seeds; see :func:`sweep`."""
    config = plan.config
    fresh = fresh_folder(config.space, config.data, "-sweep")
    folder = Path(config.out) if config.out else fresh
    plans = {seed: _seeded(plan, seed, folder) for seed in dict.fromkeys(seeds)}
    if not plans or min(plans) < 0:
        raise EvoError("a sweep needs at least one seed, and seeds are whole numbers from 0")
    with assemble(plan):  # what can not be built is found before anything is written
        pass
    _check_folder(folder)
    todo = {seed: what_to_do(one) for seed, one in plans.items()}
    runs: dict[int, RunResult] = {}
    for seed, one in plans.items():
        runs[seed] = carry_out(one, todo[seed])
        if runs[seed].status == "interrupted":
            return SweepResult(folder, runs)
    result = SweepResult(folder, runs)
    text = json.dumps(result.to_json(timings=False), indent=2, allow_nan=False)
    try:
        write_whole(folder / "summary.json", text + "\n")
    except OSError as error:
        raise RunFailedError(f"{folder} can not be written: {error.strerror}") from None
    return result


def parse_seeds(text: str) -> tuple[int, ...]:
    """Read seeds written as ``0-4`` or ``0,3,7``.

    >>> parse_seeds("0-2,7")
    (0, 1, 2, 7)

    Raises:
        EvoError: If it is neither.
    """
    seeds: list[int] = []
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        ends = (first, last if dash else first)
        if not all(end.isdecimal() for end in ends) or int(ends[0]) > int(ends[1]):
            raise EvoError(f"--seeds {text!r} is no list of seeds; write 0-4 or 0,3,7")
        if int(ends[1]) - int(ends[0]) >= _MOST_SEEDS:
            raise EvoError(f"--seeds {text!r} are more than {_MOST_SEEDS:,} seeds")
        seeds += range(int(ends[0]), int(ends[1]) + 1)
    return tuple(dict.fromkeys(seeds))


def _seeded(plan: Plan, seed: int, folder: Path) -> Plan:
    config = replace(plan.config, seed=seed, out=str(folder / f"seed-{seed}"))
    return replace(plan, job=Job(config, plan.job.components))


def _check_folder(folder: Path) -> None:
    if not folder.exists():
        return
    if not folder.is_dir() or (any(folder.iterdir()) and not any(folder.glob("seed-*"))):
        raise EvoError(f"{folder} exists and holds no sweep; choose another --out")
    check_closed(folder)


def what_to_do(plan: Plan, *free: str) -> Todo:
    """Tell whether a run is to be started, to go on, or only to be read.

    Args:
        plan: The plan of the run; its folder is ``out``.
        free: Settings that may be others than those of the run that is there.

    Raises:
        EvoError: If its folder holds a run with other settings, or another process writes it.
    """
    folder = Path(str(plan.config.out))
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return "run"
    with closing(Store.open(folder)) as store:
        result = store.result()
        _check_settings(plan, store, free)
    if is_held(folder):
        raise EvoError(f"{folder} is being written by another process; wait until that has ended")
    return "read" if result is not None and result.status == "done" else "resume"


def _check_settings(plan: Plan, store: Store, free: Sequence[str]) -> None:
    if edited(store):
        raise EvoError(f"{store.folder / 'config.toml'} is not as evo wrote it; put it back")
    there = to_layer(RunConfig()) | tomllib.loads(store.fact("config"))  # an older evo had fewer
    here = tomllib.loads(run_toml(plan, store.fact("versions")))
    for key in sorted((there.keys() | here.keys()) - {*NOT_THE_SEARCH, *free}):
        if there.get(key) != here.get(key):
            raise EvoError(
                f"{store.folder} was run with other settings: {key} is {there.get(key)!r} there "
                f"and {here.get(key)!r} here; choose another --out"
            )


def carry_out(plan: Plan, todo: Todo) -> RunResult:
    """Start a run, go on with it, or read it."""
    folder = Path(str(plan.config.out))
    if todo == "run":
        return execute(plan)
    with closing(Store.open(folder, write=todo == "resume")) as store:
        if todo == "resume":
            past = Past(plan, store, recall(store, plan.objectives), config_of(store))
            return go_on(past, Consent())
        result = store.result()
    assert result is not None
    return result


def _best(result: RunResult) -> float | None:
    score = result.best.scores.get(result.objectives[0].name) if result.best else None
    return score.value if score else None
