"""What a run tells: while it goes on, and when it is over."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from statistics import fmean, stdev
from typing import TYPE_CHECKING, Any, Literal

from evo_core.architecture import Architecture
from evo_core.config import RunConfig
from evo_core.evaluation import Evaluation, Objective, Score
from evo_core.genome import Gene, Genome

if TYPE_CHECKING:
    import pandas

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
        evaluations: How many candidates are evaluated at most.
        decode: Gives the network of a genome.
        past: The last generation that is there already when a run is resumed, or None.
    """

    folder: Path
    config: RunConfig
    objectives: tuple[Objective, ...]
    genes: tuple[Gene, ...]
    workers: int
    evaluations: int
    decode: Callable[[Genome], Architecture]
    past: GenerationReport | None = None


@dataclass(frozen=True, slots=True)
class Counts:
    """How many candidates there were so far.

    Attributes:
        evaluated: Those that were evaluated.
        cached: Those that repeated the network of an earlier one.
        failed: The evaluated ones that can not be selected.
        infeasible: Those that violate a constraint; they are not evaluated.
    """

    evaluated: int = 0
    cached: int = 0
    failed: int = 0
    infeasible: int = 0

    def plus(self, evaluation: Evaluation, objectives: tuple[Objective, ...]) -> Counts:
        """Count one more."""
        if evaluation.copied_from is not None:
            return replace(self, cached=self.cached + 1)
        if evaluation.status == "infeasible":
            return replace(self, infeasible=self.infeasible + 1)
        failed = evaluation.values(objectives) is None
        return replace(self, evaluated=self.evaluated + 1, failed=self.failed + failed)

    @property
    def failed_share(self) -> float:
        """The share of the evaluated candidates that failed."""
        return self.failed / self.evaluated if self.evaluated else 0.0

    def to_json(self) -> dict[str, int]:
        """Write the counts as JSON types."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Counts:
        """Read what ``to_json`` wrote, other keys beside it or not, also before constraints."""
        infeasible = data.get("infeasible", 0)
        return cls(data["evaluated"], data["cached"], data["failed"], infeasible)

    def __str__(self) -> str:
        text = f"{self.evaluated} evaluated, {self.cached} repeats, {self.failed} failed"
        return f"{text}, {self.infeasible} infeasible" if self.infeasible else text


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
            **self.counts.to_json(),
            "survivors": list(self.survivors),
            "values": [list(values) for values in self.values],
            "best": self.best,
            "seconds": round(self.seconds, 3),
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> GenerationReport:
        """Read what ``to_json`` wrote."""
        return cls(
            generation=data["generation"],
            counts=Counts.from_json(data),
            survivors=tuple(data["survivors"]),
            values=tuple(tuple(values) for values in data["values"]),
            best=data["best"],
            seconds=data["seconds"],
        )


@dataclass(frozen=True, slots=True)
class Spread:
    """Repeats of a number; None stands for a repeat that gave none."""

    values: tuple[float | None, ...]

    @property
    def mean(self) -> float | None:
        """The mean, or None if a repeat gave no number."""
        known = [value for value in self.values if value is not None]
        return fmean(known) if known and len(known) == len(self.values) else None

    @property
    def std(self) -> float | None:
        """The standard deviation of a sample (over n - 1), or None without two numbers."""
        known = [value for value in self.values if value is not None]
        return stdev(known) if len(known) == len(self.values) > 1 else None

    def to_json(self) -> dict[str, Any]:
        """Write the mean, the standard deviation and the values as JSON types."""
        return {"mean": self.mean, "std": self.std, "values": list(self.values)}

    def __str__(self) -> str:
        if self.mean is None:
            missing = sum(value is None for value in self.values)
            return f"undefined in {missing} of {len(self.values)}"
        return f"{self.mean:.6g}" if self.std is None else f"{self.mean:.6g} ± {self.std:.2g}"


@dataclass(frozen=True, slots=True)
class Solution:
    """A candidate worth showing.

    Attributes:
        candidate: Its id.
        genome: Its genome.
        architecture: The hash of its network.
        scores: Its scores in the search.
        rescored: Its scores under fresh inits, for each fitness that depends on the weights; empty
            if it was not scored again.
    """

    candidate: int
    genome: Genome
    architecture: str
    scores: dict[str, Score]
    rescored: dict[str, Spread] = field(default_factory=dict)

    def to_json(self, *, timings: bool = True) -> dict[str, Any]:
        """Write the solution as JSON types."""
        return {
            "candidate": self.candidate,
            "genome": list(self.genome),
            "architecture": self.architecture,
            "scores": {name: score.to_json(timings=timings) for name, score in self.scores.items()},
            "rescored": {name: spread.to_json() for name, spread in self.rescored.items()},
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Solution:
        """Read what ``to_json`` wrote."""
        return cls(
            data["candidate"],
            tuple(data["genome"]),
            data["architecture"],
            {name: Score(**score) for name, score in data["scores"].items()},
            {name: Spread(tuple(one["values"])) for name, one in data["rescored"].items()},
        )


@dataclass(frozen=True, slots=True)
class RunResult:
    """How a run ended.

    Attributes:
        run: The run folder.
        status: ``done``, ``failed`` or ``interrupted``.
        reason: Why it ended, e.g. ``"generations"``.
        generations: How many generations were completed, the first one counted.
        counts: Candidates evaluated, repeated, failed and infeasible.
        objectives: What was optimised.
        best: The best first objective, ties by candidate id; None if nothing was selectable.
        front: The non-dominated solutions of the whole run.
        seconds: Wall time.
        best_rescored: The candidate with the best mean under fresh inits, of the first fitness that
            depends on the weights, ties by id; None if nothing was scored again.
        cache_hits: How many of the evaluated candidates were found in the shared cache.
        data_partial: What sets the data apart from the published data set; empty for a whole one.
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
    best_rescored: int | None = None
    cache_hits: int = 0
    data_partial: str = ""

    def to_json(self, *, timings: bool = True) -> dict[str, Any]:
        """Write the result as JSON types.

        Without timings the folder and ``cache_hits`` are left out as well: that is what
        ``result.json`` holds, and equal runs give equal bytes.
        """
        data: dict[str, Any] = {"run": str(self.run)} if timings else {}
        data |= {
            "status": self.status,
            "reason": self.reason,
            "generations": self.generations,
            **self.counts.to_json(),
            "objectives": [{"name": one.name, "goal": one.goal} for one in self.objectives],
            "best": self.best.to_json(timings=timings) if self.best else None,
            "best_rescored": self.best_rescored,
            "front": [solution.to_json(timings=timings) for solution in self.front],
        }
        if self.data_partial:
            data["data_partial"] = self.data_partial
        if timings:
            data |= {"cache_hits": self.cache_hits, "seconds": round(self.seconds, 3)}
        return data

    @classmethod
    def from_json(cls, data: dict[str, Any], run: Path) -> RunResult:
        """Read what ``to_json`` wrote.

        Args:
            data: The result with timings, as kept in the database.
            run: The run folder.
        """
        return cls(
            run=run,
            status=data["status"],
            reason=data["reason"],
            generations=data["generations"],
            counts=Counts.from_json(data),
            objectives=tuple(Objective(**one) for one in data["objectives"]),
            best=Solution.from_json(data["best"]) if data["best"] else None,
            front=tuple(Solution.from_json(one) for one in data["front"]),
            seconds=data["seconds"],
            best_rescored=data["best_rescored"],
            cache_hits=data.get("cache_hits", 0),
            data_partial=data.get("data_partial", ""),
        )

    def to_dataframe(self) -> pandas.DataFrame:
        """Give every candidate of the run as a row; see :mod:`evo_core.export`.

        Raises:
            EvoError: If pandas is not installed.
        """
        from evo_core.export import to_dataframe

        return to_dataframe(self.run)
