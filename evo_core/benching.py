"""What scoring costs on this machine: random networks of a space, timed as a run scores them."""

from __future__ import annotations

import os
import statistics
import time
from collections import Counter
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from evo_core.errors import EvoError
from evo_core.evaluation import Candidate, Evaluation
from evo_core.evolution import random_proposals
from evo_core.executors import make_evaluator
from evo_core.plan import Plan, needs_data
from evo_core.seeds import generator

if TYPE_CHECKING:
    from evo_core.snn.worker import Evaluator

_MOST = 50  # networks; more say nothing new


@dataclass(frozen=True, slots=True)
class ScoringCost:
    """What the evaluation of a candidate costs in one process with one thread.

    Seconds are those of this process on the CPU, where other programs do not count; on CUDA, of the
    clock on the wall. Where several networks were timed, they are medians over networks.

    Attributes:
        networks: How many random networks were timed.
        candidates_per_second: By the clock on the wall: what other programs leave.
        seconds: Of an evaluation: decoding, weights, a forward pass, the fitness functions.
        floor_seconds: Of the convolutions of the network alone, each in the best memory format.
        ratio: Seconds over floor seconds.
        shares: Where the seconds go, by heading; they add up to one.
        peak_bytes: The largest resident memory of the process.
        load: How many programs wanted to run, over the last minute.
    """

    networks: int
    candidates_per_second: float
    seconds: float
    floor_seconds: float
    ratio: float | None
    shares: dict[str, float]
    peak_bytes: int
    load: float | None

    def to_json(self) -> dict[str, Any]:
        """Write the cost as JSON types."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class _Timed:
    """One network: seconds of its evaluation, on the wall, of its convolutions, and by heading."""

    seconds: float
    wall: float
    floor: float
    parts: dict[str, float]


def scoring_cost(plan: Plan, budget: float) -> ScoringCost:
    """Time random networks of the space of a plan, one after the other, in this process.

    Args:
        plan: The plan: space, data, fitness, device and all that decides the cost.
        budget: Seconds after which no other network is begun; there are at least two.

    Raises:
        EvoError: If no fitness function looks at spikes, or an evaluation fails.
    """
    if not needs_data(plan.fitness):
        raise EvoError("these fitness functions read only the graph: there is no pass to time")
    from evo_core.snn.devices import prepare

    problem = plan.problem()
    drawn = random_proposals(problem, _MOST, generator(plan.config.seed, "bench"))
    candidates = [Candidate(n, one.genome, "") for n, one in enumerate(drawn)]
    prepare(plan.config)
    evaluator = make_evaluator(plan.job)
    _evaluated(evaluator, candidates[-1])  # the libraries choose and load their kernels
    end = time.perf_counter() + budget
    timed: list[_Timed] = []
    for candidate in candidates:
        if len(timed) > 1 and time.perf_counter() > end:
            break
        timed.append(_timed(plan, evaluator, candidate))
    return _summary(timed, _evaluated(evaluator, candidates[-1]).peak_bytes)


def _timed(plan: Plan, evaluator: Evaluator, candidate: Candidate) -> _Timed:
    from evo_core.snn.devices import clock
    from evo_core.snn.floor import floor
    from evo_core.snn.stopwatch import Stopwatch
    from evo_core.snn.worker import DTYPES

    device, scoring = plan.config.device, plan.config.scoring
    began, start = time.perf_counter(), clock(device)
    _evaluated(evaluator, candidate)
    seconds, wall = clock(device) - start, time.perf_counter() - began
    with Stopwatch(plan) as stopwatch:
        _evaluated(evaluator, candidate)
    architecture = plan.decode(candidate.genome)
    static, dtype = plan.shows_stills, DTYPES[plan.config.precision]
    least = floor(architecture, scoring.batch, static=static, dtype=dtype, device=device)
    least *= scoring.inits * scoring.batches
    return _Timed(seconds, wall, least, stopwatch.seconds)


def _evaluated(evaluator: Evaluator, candidate: Candidate) -> Evaluation:
    evaluation = evaluator.evaluate(candidate)
    if evaluation.error:
        raise EvoError(f"a candidate fails: {evaluation.error.strip().splitlines()[-1]}")
    return evaluation


def _summary(timed: list[_Timed], peak_bytes: int) -> ScoringCost:
    total = sum(one.seconds for one in timed)
    watched = Counter[str]()
    for one in timed:
        watched.update({part: each for part, each in one.parts.items() if part != "rest"})
    whole = max(total, sum(watched.values()))
    shares = {part: seconds / whole for part, seconds in watched.items()}
    floors = statistics.median(one.floor for one in timed)
    return ScoringCost(
        networks=len(timed),
        candidates_per_second=len(timed) / sum(one.wall for one in timed),
        seconds=statistics.median(one.seconds for one in timed),
        floor_seconds=floors,
        ratio=statistics.median(one.seconds / one.floor for one in timed) if floors else None,
        shares=shares | {"rest": 1 - sum(shares.values())},
        peak_bytes=peak_bytes,
        load=os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
    )
