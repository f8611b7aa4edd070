"""What watches a training: the log as CSV, the display on stderr, TensorBoard."""

from __future__ import annotations

import csv
import sys
import time
from collections.abc import Mapping, Sequence
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from evo_core.errors import EvoError
from evo_core.folder import write_whole
from evo_core.train_results import EpochMetrics, TrainJob, grouped

if TYPE_CHECKING:
    from rich.progress import Progress

_COLUMNS = (
    "epoch", "lr", "train_loss", "train_accuracy", "validation_loss", "validation_accuracy",
    "seconds",
)  # fmt: skip
_SHOWN = 8  # numbers of a group in a line


class Watcher(Protocol):
    """What hears of a training."""

    def begun(self, folder: Path, job: TrainJob, history: Sequence[EpochMetrics]) -> None:
        """A training begins, or goes on after some epochs."""

    def stepped(self, epoch: int, step: int, steps: int) -> None:
        """So many steps of an epoch (from 1) are done."""

    def epoch_ended(self, metrics: EpochMetrics, seconds: float) -> None:
        """An epoch is done and stored."""

    def ended(self) -> None:
        """The training is over, or was interrupted."""


class CsvLog:
    """Keeps ``log.csv``: one line for each epoch.

    Should a kill fall between a checkpoint and its line, the line comes when the training goes on,
    with no seconds in it.
    """

    def begun(self, folder: Path, job: TrainJob, history: Sequence[EpochMetrics]) -> None:
        """Write the lines of the epochs that are there."""
        self._path = folder / "log.csv"
        self._history = list(history)
        self._seconds = _seconds_in(self._path)
        self._write()

    def stepped(self, epoch: int, step: int, steps: int) -> None:
        """Write nothing."""

    def epoch_ended(self, metrics: EpochMetrics, seconds: float) -> None:
        """Write the line of an epoch."""
        self._history.append(metrics)
        self._seconds[str(metrics.epoch)] = f"{seconds:.3f}"
        self._write()

    def ended(self) -> None:
        """Do nothing: each line is in its place."""

    def _write(self) -> None:
        text = StringIO()
        writer = csv.writer(text, lineterminator="\n")
        numbers = list(self._history[0].numbers) if self._history else []
        writer.writerow([*_COLUMNS, *numbers])
        for one in self._history:
            measured = (*_pair(one.train), *_pair(one.validation))
            seconds = self._seconds.get(str(one.epoch), "")
            writer.writerow([one.epoch, one.lr, *measured, seconds, *one.numbers.values()])
        try:
            write_whole(self._path, text.getvalue())
        except OSError as error:
            raise EvoError(f"{self._path} can not be written: {error.strerror}") from None


class Lines:
    """A line on stderr for each epoch."""

    def __init__(self) -> None:
        self._epochs = 0
        self._started = time.perf_counter()
        self._past = 0

    def begun(self, folder: Path, job: TrainJob, history: Sequence[EpochMetrics]) -> None:
        """Say what begins."""
        self._epochs, self._past = job.recipe.epochs, len(history)
        self._started = time.perf_counter()
        network = f"{job.target} ({job.architecture.parameters:,} parameters)"
        begins = f"going on after epoch {len(history)}" if history else "from initial weights"
        self.say(f"{network} on {job.settings['data']}, seed {job.seed}, {begins}, {folder}")

    def stepped(self, epoch: int, step: int, steps: int) -> None:
        """Say nothing."""

    def epoch_ended(self, metrics: EpochMetrics, seconds: float) -> None:
        """Say how an epoch ended."""
        train, validation = metrics.train, metrics.validation
        spent = time.perf_counter() - self._started
        left = spent / (metrics.epoch - self._past) * (self._epochs - metrics.epoch)
        self.say(
            f"epoch {metrics.epoch}/{self._epochs}: loss {train.loss:.4f}, "
            f"train {train.accuracy:.4f}, validation {validation.accuracy:.4f}, {left:.0f} s left"
        )
        if metrics.numbers:
            self.say(f"  {told(metrics.numbers)}")

    def ended(self) -> None:
        """Say nothing."""

    def say(self, line: str) -> None:
        """Print a line on stderr."""
        print(line, file=sys.stderr, flush=True)  # noqa: T201


class Live(Lines):
    """A bar on the terminal that moves with every step, above it a line for each epoch."""

    def begun(self, folder: Path, job: TrainJob, history: Sequence[EpochMetrics]) -> None:
        """Say what begins and show the bar."""
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        super().begun(folder, job, history)
        self._bar: Progress = Progress(
            TextColumn("epoch {task.fields[epoch]}"),
            BarColumn(),
            TimeRemainingColumn(),
            TextColumn("left"),
            console=Console(stderr=True),
        )
        self._task = self._bar.add_task("", total=None, epoch="")
        self._bar.start()

    def stepped(self, epoch: int, step: int, steps: int) -> None:
        """Move the bar."""
        done, total = (epoch - 1) * steps + step, self._epochs * steps
        shown = f"{epoch}/{self._epochs}"
        self._bar.update(self._task, completed=done, total=total, epoch=shown)

    def ended(self) -> None:
        """Take the bar away."""
        self._bar.stop()

    def say(self, line: str) -> None:
        """Print a line above the bar."""
        bar = getattr(self, "_bar", None)
        bar.console.print(line, highlight=False) if bar else super().say(line)


class TensorBoard:
    """Writes the numbers of each epoch for TensorBoard.

    Raises:
        EvoError: If it is not installed.
    """

    def __init__(self) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError:
            raise EvoError(
                "--tensorboard needs TensorBoard, which is not installed; "
                'pip install "evo-snn[tensorboard]"'
            ) from None
        self._open: Any = SummaryWriter
        self._writer: Any = None

    def begun(self, folder: Path, job: TrainJob, history: Sequence[EpochMetrics]) -> None:
        """Open a file in ``tensorboard/``; what a killed training wrote too much is hidden."""
        self._writer = self._open(str(folder / "tensorboard"), purge_step=len(history) + 1)

    def stepped(self, epoch: int, step: int, steps: int) -> None:
        """Write nothing."""

    def epoch_ended(self, metrics: EpochMetrics, seconds: float) -> None:
        """Write the numbers."""
        values = {
            "lr": metrics.lr,
            "seconds": seconds,
            "loss/train": metrics.train.loss,
            "loss/validation": metrics.validation.loss,
            "accuracy/train": metrics.train.accuracy,
            "accuracy/validation": metrics.validation.accuracy,
            **metrics.numbers,
        }
        for name, value in values.items():
            if value is not None:
                self._writer.add_scalar(name, value, metrics.epoch)

    def ended(self) -> None:
        """Close the file."""
        self._writer.close()


def told(numbers: Mapping[str, float]) -> str:
    """Put the numbers of a Development in a line; of many in a group, the least and the most.

    >>> told({"density a": 0.5, "density b": 1.0, "pruned weights": 0.25})
    'density a 0.500, b 1.000; pruned weights 0.250'
    """
    return "; ".join(f"{name} {_series(group)}" for name, group in grouped(numbers).items())


def _series(group: Mapping[str, float]) -> str:
    if len(group) > _SHOWN:
        return f"{min(group.values()):.3f} to {max(group.values()):.3f} ({len(group)})"
    return ", ".join(f"{name} {value:.3f}".strip() for name, value in group.items())


def display() -> Lines:
    """Give the display that suits stderr."""
    return Live() if sys.stderr.isatty() else Lines()


def _pair(measured: Any) -> tuple[Any, float]:
    return ("" if measured.loss is None else measured.loss), measured.accuracy


def _seconds_in(path: Path) -> dict[str, str]:
    """Read the seconds of each epoch from a log that may not be there."""
    if not path.is_file():
        return {}
    rows = csv.DictReader(path.read_text(encoding="utf-8").splitlines())
    return {row.get("epoch") or "": row.get("seconds") or "" for row in rows}
