"""Go on with a training in its folder: from its newest checkpoint, or from its very start."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evo_core.binding import validate
from evo_core.components import Dataset, Development, NeuronModel
from evo_core.config import Layer, from_layers
from evo_core.errors import EvoError
from evo_core.folder import check_closed, hold, write_whole
from evo_core.interrupts import Interrupts
from evo_core.plan import Job, Plan, make_plan
from evo_core.primitives import Neuron
from evo_core.provenance import Lock, code_of, differences
from evo_core.stored import check_plugins
from evo_core.train_figures import draw
from evo_core.train_results import (
    Costs,
    EpochMetrics,
    Measured,
    TrainGroup,
    TrainJob,
    TrainResult,
    best_epoch,
)
from evo_core.train_watch import CsvLog, Watcher

if TYPE_CHECKING:
    from evo_core.snn.training import Trainer

GROUP = "trainings.json"
_RESULT = "result.json"


def is_group(folder: Path) -> bool:
    """Tell whether a folder holds several trainings."""
    return (folder / GROUP).is_file()


def go_on_all(folder: Path, **more: Any) -> TrainGroup:
    """Go on with several trainings, one after the other; see :func:`go_on`.

    Raises:
        EvoError: If the folder holds none, or one of them does not fit.
        RunFailedError: If one of them could not go on.
    """
    try:
        names = [str(name) for name in json.loads((folder / GROUP).read_text(encoding="utf-8"))]
    except (OSError, ValueError, TypeError) as error:
        raise EvoError(f"{folder / GROUP} is damaged: {error}") from None
    results: dict[str, TrainResult] = {}
    for name in names:
        results[name] = go_on(folder / Path(name).name, **more)
        if results[name].status == "interrupted":
            return TrainGroup(folder, results)
    group = TrainGroup(folder, results)
    _write(folder / "summary.json", group.to_json(timings=False))
    return group


def go_on(
    folder: Path,
    *,
    plan: Plan | None = None,
    layers: Sequence[Layer] = (),
    allow_plugins: bool = False,
    accept_changes: bool = False,
    watchers: Sequence[Watcher] = (),
) -> TrainResult:
    """Go on with a training, and finish it; one that is done is read.

    Args:
        folder: Its folder.
        plan: The plan of its data; by default made from what the folder says.
        layers: Settings that name plugin files which may be loaded.
        allow_plugins: Load plugin files that only the folder names.
        accept_changes: Go on although evo, a plugin or a library has changed.
        watchers: What hears of it, besides the log.

    Raises:
        EvoError: If there is no training, it is damaged, or the code has changed.
        RunFailedError: If it could not go on.
    """
    from evo_core.snn import checkpoint
    from evo_core.snn.devices import threads

    if not folder.is_dir() or checkpoint.latest(folder) is None:
        raise EvoError(f"{folder} holds no training; start one with evo train TARGET")
    lock = hold(folder)
    try:
        check_closed(folder)
        place = checkpoint.latest(folder)
        assert place is not None
        found = checkpoint.read(place)
        job = TrainJob.from_json(found.job)
        if (folder / _RESULT).is_file():
            return _read_result(folder, job, found.history)
        started, history = time.perf_counter(), list(found.history)
        try:
            plan = plan or _plan(folder, job, layers, allow_plugins=allow_plugins)
            code = code_behind(job, plan)
            _check_code(folder, found.code, code, accept_changes=accept_changes)
            with threads(job.threads):
                trainer = _trainer(job, plan)
                checkpoint.restore(trainer, place, found)
                session = _Session(folder, job, code, trainer, history)
                return session.whole([CsvLog(), *watchers])
        except KeyboardInterrupt:  # wherever it came, what is kept is whole
            return TrainResult(
                folder=folder,
                status="interrupted",
                job=job,
                history=tuple(history),
                seconds=time.perf_counter() - started,
                data_partial=plan.splits.partial if plan is not None else "",
            )
    finally:
        lock.release()


@dataclass(frozen=True, slots=True)
class _Session:
    """One training from a checkpoint to its end; the history grows."""

    folder: Path
    job: TrainJob
    code: Lock
    trainer: Trainer
    history: list[EpochMetrics]

    def whole(self, watchers: Sequence[Watcher]) -> TrainResult:
        """Train, measure, and write what came out.

        Raises:
            KeyboardInterrupt: If an end was asked for.
        """
        started = time.perf_counter()
        for one in watchers:
            one.begun(self.folder, self.job, self.history)
        try:
            with Interrupts() as interrupts:
                self._epochs(watchers, interrupts)
        finally:
            for one in watchers:
                one.ended()
        result = TrainResult(
            folder=self.folder,
            status="done",
            job=self.job,
            history=tuple(self.history),
            test=self.trainer.measure(self.trainer.splits.test),
            costs=self.trainer.costs(),
            seconds=time.perf_counter() - started,
            data_partial=self.trainer.splits.partial,
        )
        draw(result)
        _write(self.folder / _RESULT, result.to_json(timings=False))
        return result

    def _epochs(self, watchers: Sequence[Watcher], interrupts: Interrupts) -> None:
        """Train until the last epoch is done, or an end is asked for, which raises."""
        trainer = self.trainer
        while trainer.epoch < self.job.recipe.epochs:
            start = time.perf_counter()
            while trainer.step < trainer.steps and not interrupts.asked:
                trainer.make_step()
                for one in watchers:
                    one.stepped(trainer.epoch + 1, trainer.step, trainer.steps)
            if interrupts.asked:
                self._save()
                break
            self.history.append(trainer.end_epoch())
            self._save()
            for one in watchers:
                one.epoch_ended(self.history[-1], time.perf_counter() - start)
        interrupts.check()

    def _save(self) -> None:
        from evo_core.snn import checkpoint

        checkpoint.save(self.folder, self.trainer, self.job.to_json(), self.history, self.code)
        best = best_epoch(self.history)
        checkpoint.keep(self.folder, best.epoch if best else None)


def code_behind(job: TrainJob, plan: Plan) -> dict[str, dict[str, str]]:
    """Name the code that decides the result of a training.

    Raises:
        EvoError: If the source of a plugin can not be read.
    """
    operations = {one for edge in job.architecture.edges for one in edge.operations}
    models = sorted({one.model for one in operations if isinstance(one, Neuron)})
    data = plan.binder.bind(Dataset, plan.config.data)
    used = {f"neuron {name}": plan.registry.get(NeuronModel, name) for name in models}
    used[f"data {data.text}"] = data.record  # type: ignore[assignment]
    if job.develop:
        record = plan.binder.bind(Development, job.develop).record
        used[f"development {job.develop}"] = record  # type: ignore[assignment]
    return code_of(plan.registry, used)


def _check_code(folder: Path, then: Lock, now: Lock, *, accept_changes: bool) -> None:
    changed = differences(then, now)
    if changed and not accept_changes:
        raise EvoError(
            f"{folder} was trained with other code: {'; '.join(changed)}; go back to it, or go on "
            "all the same with --accept-changes"
        )


def _plan(folder: Path, job: TrainJob, layers: Sequence[Layer], *, allow_plugins: bool) -> Plan:
    config = from_layers(job.settings, {"device": job.device})
    check_plugins(folder, config, layers, allow_plugins=allow_plugins)
    return make_plan(Job(config))


def _trainer(job: TrainJob, plan: Plan) -> Trainer:
    from evo_core.snn.devices import expect_no_triton, repeatable
    from evo_core.snn.training import Trainer

    repeatable(job.device, deterministic=True)
    expect_no_triton(job.device)
    bound = plan.binder.bind(Development, job.develop) if job.develop else None
    return Trainer(
        job.architecture,
        plan.splits,
        plan.neurons,
        job.recipe,
        job.seed,
        device=job.device,
        development=bound,
        encoding=plan.config.scoring.encoding,
    )


def _read_result(folder: Path, job: TrainJob, history: tuple[EpochMetrics, ...]) -> TrainResult:
    path = folder / _RESULT
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        given: Mapping[str, Any] = {key: data["test"][key] for key in ("loss", "accuracy")}
        test = validate(Measured, given, "test")
        costs = _read_costs(data.get("costs"))
        partial = str(data.get("data_partial", ""))
    except (OSError, ValueError, TypeError, KeyError, EvoError) as error:
        raise EvoError(f"{path} is damaged: {error}; delete it and go on") from None
    return TrainResult(
        folder=folder,
        status="done",
        job=job,
        history=history,
        test=test,
        costs=costs,
        data_partial=partial,
    )


def _read_costs(data: Mapping[str, Any] | None) -> Costs | None:
    """Read what a network costs; trainings of older versions did not tell."""
    if data is None:
        return None
    return validate(Costs, {one.name: data[one.name] for one in fields(Costs)}, "costs")


def _write(path: Path, data: Mapping[str, Any]) -> None:
    try:
        write_whole(path, json.dumps(data, indent=2, allow_nan=False) + "\n")
    except OSError as error:
        raise EvoError(f"{path} can not be written: {error.strerror}") from None
