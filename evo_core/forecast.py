"""``evo run --dry-run``: time two candidates and forecast the run, writing nothing."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from evo_core.components import load
from evo_core.constraints import none_keeps
from evo_core.errors import EvoError
from evo_core.evaluation import Candidate, Evaluation
from evo_core.evolution import Problem, random_proposals
from evo_core.executors import ExecutorLike
from evo_core.genome import Genome
from evo_core.heredity import check_development
from evo_core.plan import Plan
from evo_core.seeds import generator


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a run is expected to cost.

    Attributes:
        evaluations: At most so many candidates are evaluated.
        workers: Worker processes.
        seconds_per_candidate: The mean of the timed candidates, in seconds.
        seconds: The forecast wall time without the start of the workers, in seconds.
        bytes_per_worker: The largest resident memory of a worker.
        bytes: The same for all workers together.
    """

    evaluations: int
    workers: int
    seconds_per_candidate: float
    seconds: float
    bytes_per_worker: int
    bytes: int

    def to_json(self) -> dict[str, Any]:
        """Write the forecast as JSON types."""
        return asdict(self)

    def text(self) -> str:
        """Write the forecast for people."""
        return (
            f"at most {self.evaluations:,} evaluations of {self.seconds_per_candidate:.3g} s "
            f"on {self.workers} workers: about {_duration(self.seconds)}, "
            f"{self.bytes_per_worker / 2**20:,.0f} MiB per worker, "
            f"{self.bytes / 2**20:,.0f} MiB in all; nothing was written"
        )


def forecast(plan: Plan) -> Forecast:
    """Evaluate two random candidates, one after the other, and extrapolate.

    Raises:
        EvoError: If a candidate fails, with its error, no random network keeps the constraints, or
            a development would do nothing.
    """
    check_development(plan.development, plan.fitness, plan.config)
    problem = plan.problem()
    genomes = _three(plan, problem)
    executor: ExecutorLike = load(plan.executor.record.build)(plan.executor.options, 1, plan.job)
    timed: list[Evaluation] = []
    try:
        # the first one warms up: the libraries choose and compile their kernels
        for genome in genomes:
            executor.submit((Candidate(len(timed), genome, problem.identity(genome)),))
            timed += [evaluation for bundle in executor.as_completed() for evaluation in bundle]
    finally:
        executor.close()
    for evaluation in timed:
        if evaluation.error:
            raise EvoError(f"a candidate fails: {evaluation.error.strip().splitlines()[-1]}")
    each = sum(evaluation.seconds for evaluation in timed[1:]) / len(timed[1:])
    workers, evaluations = plan.workers, plan.evaluations
    peak = max(evaluation.peak_bytes for evaluation in timed)
    seconds = min(evaluations * each / workers, plan.config.max_seconds or float("inf"))
    return Forecast(evaluations, workers, each, seconds, peak, peak * workers)


def _three(plan: Plan, problem: Problem) -> list[Genome]:
    """Draw three genomes that keep the constraints, some of them repeated if fewer do."""
    rng = generator(plan.config.seed, "forecast")
    drawn = [proposal.genome for proposal in random_proposals(problem, 3, rng)]
    kept = [genome for genome in drawn if problem.feasible(genome)]
    if not kept:
        reason = none_keeps(plan.constraints, [plan.decode(genome) for genome in drawn])
        raise EvoError(f"no random network {reason}")
    return (kept * 3)[:3]


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    if seconds < 7200:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
