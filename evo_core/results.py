"""What a run tells: while it goes on, and when it is over."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from evo_core.architecture import Architecture
from evo_core.config import RunConfig
from evo_core.evaluation import Candidate, Evaluation, Objective, Score
from evo_core.genome import Gene, Genome

RunStatus = Literal["done", "failed", "interrupted"]


@dataclass(frozen=True, slots=True)
class RunInfo:
    """A run as observers see it.

    Attributes:
        folder: The run folder.
        config: The configuration.
        objectives: What is optimised.
        genes: The gene table of the space.
        workers: How many workers evaluate.
        decode: Gives the network of a genome.
    """

    folder: Path
    config: RunConfig
    objectives: tuple[Objective, ...]
    genes: tuple[Gene, ...]
    workers: int
    decode: Callable[[Genome], Architecture]


@dataclass(frozen=True, slots=True)
class Counts:
    """How many candidates were evaluated, repeated an earlier one, and failed so far."""

    evaluated: int = 0
    cached: int = 0
    failed: int = 0


@dataclass(frozen=True, slots=True)
class GenerationReport:
    """One generation.

    Attributes:
        generation: Its number, from 0.
        counts: The counts so far, this generation included.
        survivors: The ids of the population.
        values: The objective values of each survivor.
        best: The best first objective so far, or None.
        seconds: Wall time since the run began.
    """

    generation: int
    counts: Counts
    survivors: tuple[int, ...]
    values: tuple[tuple[float, ...], ...]
    best: float | None
    seconds: float

    def to_json(self) -> dict[str, Any]:
        """Write the report as JSON types."""
        return {
            "generation": self.generation,
            "evaluated": self.counts.evaluated,
            "cached": self.counts.cached,
            "failed": self.counts.failed,
            "survivors": list(self.survivors),
            "values": [list(values) for values in self.values],
            "best": self.best,
            "seconds": round(self.seconds, 3),
        }


@dataclass(frozen=True, slots=True)
class Solution:
    """A candidate worth showing: its genome, the hash of its network, and its scores."""

    candidate: int
    genome: Genome
    architecture: str
    scores: dict[str, Score]

    @classmethod
    def of(cls, candidate: Candidate, evaluation: Evaluation) -> Solution:
        """Join a candidate and its evaluation."""
        return cls(candidate.id, candidate.genome, candidate.architecture, evaluation.scores)

    def to_json(self, *, timings: bool = True) -> dict[str, Any]:
        """Write the solution as JSON types."""
        return {
            "candidate": self.candidate,
            "genome": list(self.genome),
            "architecture": self.architecture,
            "scores": {name: score.to_json(timings=timings) for name, score in self.scores.items()},
        }


@dataclass(frozen=True, slots=True)
class RunResult:
    """How a run ended.

    Attributes:
        run: The run folder.
        status: ``done``, ``failed`` or ``interrupted``.
        reason: Why it ended, e.g. ``"generations"``.
        generations: How many generations were completed, the first one counted.
        counts: Candidates evaluated, repeated and failed.
        objectives: What was optimised.
        best: The best first objective, ties by candidate id; None if nothing was selectable.
        front: The non-dominated solutions of the whole run.
        seconds: Wall time.
    """

    run: Path
    status: RunStatus
    reason: str
    generations: int
    counts: Counts
    objectives: tuple[Objective, ...]
    best: Solution | None
    front: Sequence[Solution] = field(default_factory=tuple)
    seconds: float = 0.0

    def to_json(self, *, timings: bool = True) -> dict[str, Any]:
        """Write the result as JSON types.

        Without timings the folder is left out as well: that is what ``result.json`` holds, and
        equal runs give equal bytes.
        """
        data: dict[str, Any] = {"run": str(self.run)} if timings else {}
        data |= {
            "status": self.status,
            "reason": self.reason,
            "generations": self.generations,
            "evaluated": self.counts.evaluated,
            "cached": self.counts.cached,
            "failed": self.counts.failed,
            "objectives": [{"name": one.name, "goal": one.goal} for one in self.objectives],
            "best": self.best.to_json(timings=timings) if self.best else None,
            "front": [solution.to_json(timings=timings) for solution in self.front],
        }
        return data | ({"seconds": round(self.seconds, 3)} if timings else {})
