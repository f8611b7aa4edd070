"""What a run found, from all it remembers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from evo_core.evaluation import Candidate, Repeat
from evo_core.memory import Memory
from evo_core.plan import Plan
from evo_core.rescore import MOST, best_of, spreads, weight_objectives
from evo_core.results import RunResult, Solution


def to_rescore(memory: Memory) -> list[Candidate]:
    """Choose what is scored again: the best, and the front as far as it is not too large.

    The best can be missing from the front: another may equal its first objective and be better in
    the next.
    """
    best = memory.best()
    chosen = [member["id"] for member in ([best] if best else []) + memory.front()[:MOST]]
    return [memory.done[number][0] for number in dict.fromkeys(chosen)]


def outcome(plan: Plan, folder: Path, memory: Memory, repeats: Sequence[Repeat]) -> RunResult:
    """Sum up a run; how and why it ended is for the loop to say."""
    weighed = weight_objectives(plan)
    found = spreads(repeats, weighed)

    def solution(number: int) -> Solution:
        candidate, evaluation = memory.done[number]
        return Solution(
            number,
            candidate.genome,
            candidate.architecture,
            evaluation.scores,
            found.get(number, {}),
        )

    best = memory.best()
    return RunResult(
        run=folder,
        status="failed",
        reason="",
        generations=memory.generations,
        counts=memory.counts,
        objectives=plan.objectives,
        best=solution(best["id"]) if best else None,
        front=tuple(solution(member["id"]) for member in memory.front()),
        best_rescored=best_of(found, weighed) if found else None,
        data_partial=plan.splits.partial,
        cache_hits=sum(one.stage == "cache" for _, one in memory.done.values()),
    )
