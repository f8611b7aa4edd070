"""What was found of each network, and how it is told as JSON and as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from evo_core.evaluating.intervals import Estimate
from evo_core.evaluating.question import CLEAN, STEPS, Condition
from evo_core.export import Table

_COLUMNS = (
    "checkpoint", "origin", "trained", "kind", "level", "steps", "draws", "samples",
    "accuracy", "accuracy_low", "accuracy_high", "loss", "loss_low", "loss_high",
    "difference", "difference_low", "difference_high",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A network under one condition.

    Attributes:
        condition: The condition.
        steps: The time steps T that it was shown.
        draws: How often it was shown all samples; 1 where nothing is random.
        accuracy: The share of samples it is right about.
        loss: The cross-entropy of the logits averaged over time.
        difference: Accuracy less that of the first network, on the same draws; None of the first.
    """

    condition: Condition
    steps: int
    draws: int
    accuracy: Estimate
    loss: Estimate
    difference: Estimate | None = None

    def to_json(self) -> dict[str, Any]:
        """Write it as JSON types."""
        return {
            "level": self.condition.level,
            "steps": self.steps,
            "draws": self.draws,
            "accuracy": self.accuracy.to_json(),
            "loss": self.loss.to_json(),
            "difference": self.difference.to_json() if self.difference else None,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointResult:
    """What was found of one network.

    Attributes:
        checkpoint: What the user wrote.
        origin: Where its weights come from.
        trained: Whether they were ever trained.
        architecture: The hash of its graph.
        parameters: Its trainable numbers.
        steps: The time steps T it was made for.
        encoding: How it is shown images.
        clean: Samples as they are.
        points: Other conditions, in the order in which they were asked for.
        confusion: How often class i was taken for j, ``[i][j]``, over samples and draws.
        rates: The firing rate of each population: spikes per neuron, sample and step.
        synops: Synaptic operations per sample over all steps.
        macs: Multiply-accumulates per sample over all steps.
        energy_pj: The energy of both, per sample, in pJ.
        models: Energy models side by side on the same few samples, by name.
    """

    checkpoint: str
    origin: str
    trained: bool
    architecture: str
    parameters: int
    steps: int
    encoding: str
    clean: Point
    points: tuple[Point, ...]
    confusion: tuple[tuple[int, ...], ...]
    rates: Mapping[str, float]
    synops: float
    macs: float
    energy_pj: float
    models: Mapping[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def recall(self) -> tuple[float | None, ...]:
        """The share of each class that was found; None where there was no sample of it."""
        return tuple(
            row[number] / sum(row) if sum(row) else None
            for number, row in enumerate(self.confusion)
        )

    @property
    def rate(self) -> float | None:
        """The mean firing rate over populations; None without one."""
        return sum(self.rates.values()) / len(self.rates) if self.rates else None

    def curve(self, kind: str) -> tuple[Point, ...]:
        """Give the points of a kind of condition; of noise the first is the clean one, level 0."""
        points = tuple(one for one in self.points if one.condition.kind == kind)
        return points if kind == STEPS or not points else (self.clean, *points)

    def curves(self) -> dict[str, tuple[Point, ...]]:
        """Give the curve of each kind of condition."""
        kinds = dict.fromkeys(one.condition.kind for one in self.points)
        return {kind: self.curve(kind) for kind in kinds}

    def to_json(self) -> dict[str, Any]:
        """Write it as JSON types."""
        clean = self.clean.to_json()
        return {
            "checkpoint": self.checkpoint,
            "origin": self.origin,
            "trained": self.trained,
            "architecture": self.architecture,
            "params": self.parameters,
            "steps": self.steps,
            "encoding": self.encoding,
            **{key: clean[key] for key in ("draws", "accuracy", "loss", "difference")},
            "curves": {
                kind: [point.to_json() for point in points]
                for kind, points in self.curves().items()
            },
            "confusion": [list(row) for row in self.confusion],
            "recall": list(self.recall),
            "firing_rate": self.rate,
            "firing_rates": dict(self.rates),
            "synops": self.synops,
            "macs": self.macs,
            "energy_pj": self.energy_pj,
            "energy_models": dict(self.models),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluateResult:
    """What ``evo evaluate`` found.

    Attributes:
        facts: On what and how it was measured, as JSON types.
        checkpoints: The networks, in the order in which they were named.
        folder: Where it was written; None if nowhere.
    """

    facts: Mapping[str, Any]
    checkpoints: tuple[CheckpointResult, ...]
    folder: Path | None = None

    def to_json(self) -> dict[str, Any]:
        """Write everything but the folder as JSON types; equal questions give equal bytes."""
        return {
            "facts": dict(self.facts),
            "checkpoints": [one.to_json() for one in self.checkpoints],
        }

    def table(self) -> Table:
        """Give one row for each network and condition; each curve has its level 0."""
        rows = []
        for one in self.checkpoints:
            rows.append(self._row(one, CLEAN, one.clean))
            for kind, points in one.curves().items():
                rows += [self._row(one, kind, point) for point in points]
        return Table(_COLUMNS, rows)

    def _row(self, one: CheckpointResult, kind: str, point: Point) -> tuple[Any, ...]:
        shown = (point.condition.level, point.steps, point.draws, self.facts["samples"])
        return (
            *(one.checkpoint, one.origin, one.trained, kind, *shown),
            *_cells(point.accuracy, point.loss, point.difference),
        )


def _cells(*estimates: Estimate | None) -> Sequence[float | None]:
    known = [one or Estimate(None, None, None) for one in estimates]
    return [number for one in known for number in (one.value, one.low, one.high)]
