"""What a run knows of its past; kept while it goes on, and read again from its database."""

from __future__ import annotations

from dataclasses import dataclass, field

from evo_core import selection
from evo_core.evaluation import Candidate, Evaluation, Objective, Repeat
from evo_core.evolution import Member, State, members
from evo_core.results import Counts, GenerationReport
from evo_core.store import Store

Objectives = tuple[Objective, ...]


@dataclass(slots=True)
class Memory:
    """Everything that decides how a run goes on.

    Attributes:
        objectives: What is optimised.
        done: The evaluated candidates by id.
        by_key: The evaluation of each candidate that repeats no other.
        counts: How many were evaluated, repeated, failed and infeasible.
        next_id: The id of the next candidate.
        state: The state of the strategy after the last generation; None before the first.
        report: The report of the last generation; None before the first.
        stored: What a run that was killed has already evaluated of its next generation, by id.
        rescores: What was evaluated under fresh inits, by candidate and init.
    """

    objectives: Objectives
    done: dict[int, tuple[Candidate, Evaluation]] = field(default_factory=dict)
    by_key: dict[str, Evaluation] = field(default_factory=dict)
    counts: Counts = field(default_factory=Counts)
    next_id: int = 0
    state: State | None = None
    report: GenerationReport | None = None
    stored: dict[int, tuple[Candidate, Evaluation]] = field(default_factory=dict)
    rescores: dict[tuple[int, int], Repeat] = field(default_factory=dict)
    _best: Member | None = None

    @property
    def generations(self) -> int:
        """How many generations are complete."""
        return self.report.generation + 1 if self.report else 0

    def keep(self, candidate: Candidate, evaluation: Evaluation) -> None:
        """Take in an evaluated candidate, and count it."""
        if evaluation.copied_from is None:
            self.by_key[candidate.key] = evaluation
        self.counts = self.counts.plus(evaluation, self.objectives)
        self.done[candidate.id] = (candidate, evaluation)
        self.next_id = max(self.next_id, candidate.id + 1)
        rivals = members([(candidate, evaluation)], self.objectives)
        if self._best is not None:
            rivals.append(self._best)
        self._best = min(rivals, key=self._rank, default=None)

    def best(self) -> Member | None:
        """Give the best first objective so far, ties by id."""
        return self._best

    def bodies(self) -> set[str]:
        """Name the bodies that are still needed.

        These are those of the survivors, the best, and what was evaluated of a generation that was
        cut off, and those that the survivors and the best began with, so that they can be evaluated
        again.
        """
        survivors = self.report.survivors if self.report is not None else ()
        best = (self._best["id"],) if self._best is not None else ()
        kept = [*(self.done[number] for number in (*survivors, *best)), *self.stored.values()]
        own = {one.body for _, one in kept if one.body is not None}
        return own.union(*(one.inheritance.bodies for one, _ in kept if one.inheritance))

    def _rank(self, member: Member) -> tuple[float, int]:
        return -self.objectives[0].sign * member["values"][0], member["id"]

    def front(self) -> list[Member]:
        """Give the non-dominated members of the whole run, the best first objective first."""
        return selection.front(members(list(self.done.values()), self.objectives), self.objectives)


def recall(store: Store, objectives: Objectives) -> Memory:
    """Read the memory of a run as it was after its last complete generation."""
    memory = Memory(objectives)
    complete = store.generations()
    if complete:
        memory.report, memory.state = complete[-1].report, complete[-1].state
    for candidate, evaluation in store.evaluated():
        if candidate.generation < len(complete):
            memory.keep(candidate, evaluation)
        else:
            memory.stored[candidate.id] = (candidate, evaluation)
    memory.rescores = {(one.candidate, one.init): one for one in store.rescores()}
    return memory
