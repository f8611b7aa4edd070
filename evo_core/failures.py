"""Which candidates fail, and with which gene choices: pure functions on evaluated candidates.

Counted is what was evaluated: no repeats of a network, nothing that violates a constraint. A
candidate has failed if it can not be selected. A choice counts only where its gene is active.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import exp, lgamma
from typing import TYPE_CHECKING

from evo_core.evaluation import Candidate, Evaluation, Objective

if TYPE_CHECKING:
    from evo_core.operators import GeneTable

Pairs = Iterable[tuple[Candidate, Evaluation]]
Objectives = tuple[Objective, ...]

HINTS = 3  # so many gene choices are named at most
CHANCE = 0.2  # where failures have nothing to do with genes, one is named in at most so many runs


@dataclass(frozen=True, slots=True)
class Choice:
    """What became of the candidates with one choice of a gene.

    Attributes:
        gene: The name of the gene.
        choice: The choice.
        candidates: How many evaluated candidates have it, with the gene active.
        statuses: How many of them failed, by what they are, e.g. ``{"silent": 2}``.
        chance: The probability of as many failures or more, were the failures of all candidates
            with the gene active dealt out at random (one-sided Fisher exact test).
    """

    gene: str
    choice: str
    candidates: int
    statuses: Mapping[str, int]
    chance: float

    @property
    def failed(self) -> int:
        """How many of them failed."""
        return sum(self.statuses.values())

    @property
    def rate(self) -> float:
        """The share of them that failed."""
        return self.failed / self.candidates

    def __str__(self) -> str:
        return f"{self.gene}={self.choice} {self.failed} of {self.candidates}"


def failure(evaluation: Evaluation, objectives: Objectives) -> str | None:
    """Say what a failed evaluation is, e.g. ``silent`` or ``undefined rdm``; None if it is none."""
    if evaluation.values(objectives) is not None:
        return None
    if evaluation.status != "ok":
        return evaluation.status
    names = [one.name for one in objectives if evaluation.values((one,)) is None]
    return f"undefined {' and '.join(names)}"


def tally(kinds: Mapping[str, int]) -> str:
    """Write counts, the largest first.

    >>> tally({"silent": 2, "error": 7})
    'error 7, silent 2'
    """
    ordered = sorted(kinds.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{kind} {count}" for kind, count in ordered)


def failure_table(pairs: Pairs, space: GeneTable, objectives: Objectives) -> list[Choice]:
    """Count candidates and failures for each choice that occurs, in the order of the genes."""
    kinds: dict[int, dict[int, list[str | None]]] = {}
    for candidate, evaluation in evaluated(pairs):
        kind = failure(evaluation, objectives)
        active = space.active(candidate.genome)
        for place, value in enumerate(candidate.genome):
            if active[place]:
                kinds.setdefault(place, {}).setdefault(value, []).append(kind)
    return [
        choice
        for place, by_value in sorted(kinds.items())
        for choice in _choices(space, place, by_value)
    ]


def explain(pairs: Pairs, table: Sequence[Choice], objectives: Objectives) -> str:
    """Say on one line how many failed, what they are, which choices stand out, the first error."""
    tried = evaluated(pairs)
    kinds = Counter(kind for _, one in tried if (kind := failure(one, objectives)) is not None)
    parts = [f"{kinds.total()} of {len(tried)} candidates failed ({tally(kinds)})"]
    if hints := worst(table):
        parts.append(f"more often than by chance: {', '.join(map(str, hints))}")
    if errors := [one.error for _, one in tried if one.error]:
        parts.append(f"first error: {_last_line(errors[0])}")
    return "; ".join(parts)


def worst(table: Sequence[Choice]) -> list[Choice]:
    """Give the choices that fail more often than chance explains, the least likely first.

    The more choices there are, the less likely one has to be (Bonferroni); see
    benchmarks/failure_hints.py for how often this finds the culprit.
    """
    found = [choice for choice in table if choice.chance * len(table) <= CHANCE]
    return sorted(found, key=lambda choice: choice.chance)[:HINTS]


def listing(table: Iterable[Choice]) -> str:
    """Write a table for the log, one line for each choice."""
    return "\n".join(
        f"{choice} ({tally(choice.statuses)})" if choice.failed else str(choice) for choice in table
    )


def first_reason(pairs: Pairs, objectives: Objectives) -> str:
    """Say on one line why the first candidate could not be scored."""
    first = next(iter(evaluated(pairs)), None)
    if first is None:
        return "the time was over before the first was done"
    candidate, evaluation = first
    if evaluation.error:
        return _last_line(evaluation.error)
    told = (evaluation.details.get(one.name, {}).get("reason") for one in objectives)
    reason = next((f": {one}" for one in told if one), "")
    return f"candidate {candidate.id}: {failure(evaluation, objectives)}{reason}"


def evaluated(pairs: Pairs) -> list[tuple[Candidate, Evaluation]]:
    """Leave out repeats and what violates a constraint, and order by id."""
    own = [
        (candidate, one)
        for candidate, one in pairs
        if one.copied_from is None and one.status != "infeasible"
    ]
    return sorted(own, key=lambda pair: pair[0].id)


def upper_tail(failed: int, tried: int, all_failed: int, total: int) -> float:
    """Give P(X >= failed) for the failures X among ``tried`` of ``total`` candidates.

    X is hypergeometric: ``all_failed`` of the ``total`` failed, and ``tried`` are drawn at random.

    >>> round(upper_tail(2, 2, 2, 4), 6)
    0.166667
    """

    def ways(n: int, k: int) -> float:
        return lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1)

    passed = total - all_failed
    numbers = range(max(failed, tried - passed), min(tried, all_failed) + 1)
    logs = (ways(all_failed, k) + ways(passed, tried - k) - ways(total, tried) for k in numbers)
    return min(1.0, sum(map(exp, logs)))


def _choices(
    space: GeneTable, place: int, by_value: Mapping[int, Sequence[str | None]]
) -> list[Choice]:
    gene = space.genes[place]
    counts = {
        value: Counter(kind for kind in kinds if kind is not None)
        for value, kinds in sorted(by_value.items())
    }
    total = sum(map(len, by_value.values()))
    all_failed = sum(kinds.total() for kinds in counts.values())
    return [
        Choice(
            gene.name,
            gene.choice(value),
            len(by_value[value]),
            kinds,
            upper_tail(kinds.total(), len(by_value[value]), all_failed, total),
        )
        for value, kinds in counts.items()
    ]


def _last_line(error: str) -> str:
    return error.strip().splitlines()[-1]
