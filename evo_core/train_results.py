"""What a training is told, and what it tells: jobs, epochs, results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeVar

from evo_core import architecture_json
from evo_core.architecture import Architecture
from evo_core.binding import validate
from evo_core.config import Layer
from evo_core.errors import EvoError
from evo_core.recipe import Recipe
from evo_core.results import Spread

TrainStatus = Literal["done", "interrupted"]
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Measured:
    """Loss and accuracy over some samples; the loss is None where it is not finite."""

    loss: float | None
    accuracy: float


@dataclass(frozen=True, slots=True)
class Sums:
    """What the steps of an epoch add up to: samples seen, their losses, and how many were right."""

    seen: int = 0
    loss: float = 0.0
    right: int = 0


@dataclass(frozen=True, slots=True)
class EpochMetrics:
    """One epoch.

    Attributes:
        epoch: Its number, from 1.
        lr: The learning rate of its last step.
        train: Loss of the recipe and accuracy over its steps, while the weights changed.
        validation: Cross-entropy of the logits averaged over time, and accuracy, at its end.
        numbers: What a Development tells.
    """

    epoch: int
    lr: float
    train: Measured
    validation: Measured
    numbers: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Costs:
    """What a trained network costs: operations per sample over all time steps, and what is gone.

    Attributes:
        synops: Weights added because a spike arrived.
        macs: Weights multiplied with other numbers.
        energy_pj: The energy of both at 45 nm, in pJ.
        pruned_weights: The share of its weights that are zero, or read what never fires.
        pruned_neurons: The share of its neurons and channels without such weights.
    """

    synops: float
    macs: float
    energy_pj: float
    pruned_weights: float
    pruned_neurons: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainJob:
    """What is trained, on what, and how: all that decides the result.

    Attributes:
        target: What the user wrote.
        architecture: The network, for the task of the data.
        settings: Settings of the data as in a TOML file, and of what it needs to be loaded.
        recipe: The recipe.
        recipe_name: What it was called, some of its values may be others; empty for one of a
            Python program.
        seed: The seed of everything random.
        device: ``cpu``, ``cuda`` or ``cuda:N``.
        threads: Threads of torch; another number may change the last digits.
        develop: The Development with its options, or None.
    """

    target: str
    architecture: Architecture
    settings: Layer
    recipe: Recipe
    seed: int
    device: str = "cpu"
    threads: int = 1
    develop: str | None = None
    recipe_name: str = ""

    def to_json(self) -> dict[str, Any]:
        """Write the job as JSON types."""
        return {
            "target": self.target,
            "architecture": architecture_json.to_json(self.architecture),
            "settings": self.settings,
            "recipe": self.recipe.to_json(),
            "recipe_name": self.recipe_name,
            "seed": self.seed,
            "device": self.device,
            "threads": self.threads,
            "develop": self.develop,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> TrainJob:
        """Read what :meth:`to_json` wrote.

        Raises:
            EvoError: If something is missing or does not fit.
        """
        try:
            network = architecture_json.from_json(data["architecture"])
            recipe = validate(Recipe, data["recipe"], "recipe")
            if not isinstance(data["settings"], dict):
                raise TypeError("its settings are no table")
            rest = {key: data[key] for key in data if key not in ("architecture", "recipe")}
            return cls(architecture=network, recipe=recipe, **rest)
        except (KeyError, TypeError, ValueError) as error:
            raise EvoError(f"a training job is damaged: {error}") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainResult:
    """How a training ended.

    Attributes:
        folder: The folder that holds its log and checkpoints.
        status: ``done`` or ``interrupted``.
        job: What was trained.
        history: The epochs.
        test: The test split, measured once, with the weights of the last epoch; None if
            interrupted.
        costs: What these weights cost on the validation split; None if interrupted.
        seconds: Wall time of this call.
        data_partial: What sets the data apart from the published data set; empty for a whole one.
    """

    folder: Path
    status: TrainStatus
    job: TrainJob
    history: tuple[EpochMetrics, ...]
    test: Measured | None = None
    costs: Costs | None = None
    seconds: float = 0.0
    data_partial: str = ""

    @property
    def best(self) -> EpochMetrics | None:
        """The epoch with the best validation accuracy, the first of equals; None before one."""
        return best_epoch(self.history)

    @property
    def last(self) -> EpochMetrics | None:
        """The last epoch; None before one."""
        return self.history[-1] if self.history else None

    def to_json(self, *, timings: bool = True) -> dict[str, Any]:
        """Write the result as JSON types; without timings, equal jobs give equal bytes."""
        job, best, last = self.job, self.best, self.last
        data: dict[str, Any] = {"folder": str(self.folder)} if timings else {}
        data |= {
            "status": self.status,
            "target": job.target,
            "architecture": job.architecture.hash,
            "params": job.architecture.parameters,
            "macs": job.architecture.macs,
            "data": job.settings["data"],
            "seed": job.seed,
            "develop": job.develop,
            "recipe": job.recipe.to_json(),
            "recipe_name": job.recipe_name,
            "epochs": len(self.history),
            "validation": asdict(last.validation) if last else None,
            "best_epoch": best.epoch if best else None,
            "best_validation": asdict(best.validation) if best else None,
            "test": {**asdict(self.test), "weights": "last"} if self.test else None,
            "costs": {**asdict(self.costs), "weights": "last"} if self.costs else None,
        }
        if self.data_partial:
            data["data_partial"] = self.data_partial
        return data | ({"seconds": round(self.seconds, 3)} if timings else {})


@dataclass(frozen=True, slots=True)
class TrainGroup:
    """Several trainings in one folder: seeds of one target, or several targets.

    Attributes:
        folder: The folder that holds them.
        results: By the name of the folder below; an interrupted group ends early.
    """

    folder: Path
    results: Mapping[str, TrainResult]

    @property
    def status(self) -> TrainStatus:
        """``done`` if all trainings are."""
        every = all(result.status == "done" for result in self.results.values())
        return "done" if every else "interrupted"

    def spreads(self) -> dict[str, dict[str, Spread]]:
        """Give validation and test accuracy of each target over its seeds.

        Where several recipes or developments are compared, each has an entry of its own.
        """
        targets: dict[str, list[TrainResult]] = {}
        jobs = [one.job for one in self.results.values()]
        recipes = len({job.recipe_name for job in jobs}) > 1
        ways = len({job.develop for job in jobs}) > 1
        for job, result in zip(jobs, self.results.values(), strict=True):
            name = [job.target, *[job.recipe_name] * recipes, *[job.develop or "none"] * ways]
            targets.setdefault(", ".join(name), []).append(result)
        return {
            target: {
                "validation": Spread(tuple(_accuracy(one.last) for one in results)),
                "test": Spread(tuple(one.test.accuracy if one.test else None for one in results)),
            }
            for target, results in targets.items()
        }

    def to_json(self, *, timings: bool = True) -> dict[str, Any]:
        """Write the group as JSON types, with timings or as kept in ``summary.json``."""
        data: dict[str, Any] = {"folder": str(self.folder)} if timings else {}
        return data | {
            "status": self.status,
            "trainings": [
                {"name": name, **result.to_json(timings=timings)}
                for name, result in self.results.items()
            ],
            "summary": {
                target: {split: spread.to_json() for split, spread in named.items()}
                for target, named in self.spreads().items()
            },
        }


def best_epoch(history: Sequence[EpochMetrics]) -> EpochMetrics | None:
    """Give the epoch with the best validation accuracy, the first of equals."""
    return max(history, key=lambda one: (one.validation.accuracy, -one.epoch), default=None)


def _accuracy(metrics: EpochMetrics | None) -> float | None:
    return metrics.validation.accuracy if metrics else None


def grouped(numbers: Mapping[str, Value]) -> dict[str, dict[str, Value]]:
    """Group what a Development tells by the first words of the names.

    What is left of a name tells the numbers of a group apart; of a parameter, its path is left.
    """
    groups: dict[str, dict[str, Value]] = {}
    for name, value in numbers.items():
        first, _, rest = name.partition(" ")
        groups.setdefault(first, {})[rest.removeprefix("edges.").removesuffix(".weight")] = value
    return groups
