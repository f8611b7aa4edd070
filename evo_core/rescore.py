"""After the search: score the final front again, under initial weights the search has not seen.

A search keeps what scored best under its own few draws of the weights, and so rewards luck. Fresh
draws tell what is left of a score without it. They change nothing in the search: ``best`` stays
the best of the search.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from evo_core.evaluation import Candidate, Evaluation, Objective, Repeat
from evo_core.executors import ExecutorLike
from evo_core.plan import Plan
from evo_core.results import Spread

MOST = 20  # of a larger front, so many of the best by the first objective are scored again
Spreads = dict[int, dict[str, Spread]]


def repeats_of(plan: Plan, candidates: Sequence[Candidate]) -> list[tuple[Candidate, int]]:
    """Say which candidates are to be evaluated under which inits.

    These are ``rescore`` inits each, numbered after those of the search; none when no fitness
    function depends on the weights.
    """
    if not weight_objectives(plan):
        return []
    first = plan.config.scoring.inits
    inits = range(first, first + plan.config.rescore)
    return [(candidate, init) for candidate in candidates for init in inits]


def rescore(wanted: Sequence[tuple[Candidate, int]], executor: ExecutorLike) -> Iterator[Repeat]:
    """Evaluate candidates under fresh inits, and give each as it arrives."""
    for number, (candidate, init) in enumerate(wanted):
        executor.submit((replace(candidate, id=number, inits=(init,)),))
    for evaluations in executor.as_completed():
        for one in evaluations:
            candidate, init = wanted[one.candidate]
            yield Repeat(candidate.id, init, replace(one, candidate=candidate.id))


def weight_objectives(plan: Plan) -> tuple[Objective, ...]:
    """Give the objectives that depend on the weights: those that read more than the graph."""
    return tuple(
        objective
        for objective, bound in zip(plan.objectives, plan.fitness, strict=True)
        if bound.record.needs_with(bound.options) - {"graph"}
    )


def spreads(repeats: Sequence[Repeat], objectives: Sequence[Objective]) -> Spreads:
    """Sum up the repeats of each candidate; a network that failed gave no number."""
    return {
        candidate: {
            objective.name: Spread(
                tuple(
                    _value(repeat.evaluation, objective)
                    for repeat in repeats
                    if repeat.candidate == candidate
                )
            )
            for objective in objectives
        }
        for candidate in dict.fromkeys(repeat.candidate for repeat in repeats)
    }


def best_of(found: Spreads, objectives: Sequence[Objective]) -> int | None:
    """Name the candidate with the best mean of the first of the objectives, ties by id."""
    means = {number: named[objectives[0].name].mean for number, named in found.items()}
    known = [
        (-objectives[0].sign * mean, number) for number, mean in means.items() if mean is not None
    ]
    return min(known)[1] if known else None


def _value(evaluation: Evaluation, objective: Objective) -> float | None:
    values = evaluation.values((objective,))
    return values[0] if values else None
