"""What a generation is, from what a run remembers: pure, so that a run can be replayed."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace

from evo_core.evaluation import Candidate, Evaluation
from evo_core.evolution import Proposal, State
from evo_core.heredity import inheritance_of, key_of
from evo_core.initial import start_from
from evo_core.memory import Memory
from evo_core.parts import Parts
from evo_core.plan import Plan
from evo_core.results import GenerationReport
from evo_core.seeds import generator

Evaluated = tuple[Candidate, Evaluation]


@dataclass(frozen=True, slots=True)
class Asked:
    """The candidates of a generation, and the state of the strategy that asked for them."""

    number: int
    state: State
    candidates: list[Candidate]


def ask(plan: Plan, parts: Parts, memory: Memory) -> Asked:
    """Ask the strategy for the next generation.

    What it answers depends on nothing but the seed and the generations before.
    """
    number = memory.generations
    rng = generator(plan.config.seed, "variation", number)
    state = parts.strategy.start() if memory.state is None else memory.state
    state, proposals = parts.strategy.ask(state, budget(plan, memory), rng)
    if number == 0:
        proposals = start_from(parts.given, proposals, parts.problem)
    candidates = [
        _candidate(plan, parts, memory, memory.next_id + place, proposal)
        for place, proposal in enumerate(proposals)
    ]
    return Asked(number, state, candidates)


def _candidate(
    plan: Plan, parts: Parts, memory: Memory, number: int, proposal: Proposal
) -> Candidate:
    """Make a candidate of a proposal, with the bodies of its parents if these are passed on."""
    genome = proposal.genome
    identity = parts.problem.identity(genome)
    inheritance = inheritance_of(proposal.heirs, proposal.mutations, memory.done)
    return Candidate(
        number,
        genome,
        identity if plan.development is None else plan.network(genome),
        memory.generations,
        proposal.parents,
        proposal.operators,
        key=key_of(identity, (), inheritance),
        inheritance=inheritance,
    )


def tell(
    parts: Parts, memory: Memory, asked: Asked, evaluated: list[Evaluated], seconds: float
) -> GenerationReport:
    """Tell the strategy what became of a generation, and remember how it ended.

    Args:
        parts: What holds the strategy.
        memory: Has taken in the evaluated candidates already.
        asked: The generation.
        evaluated: What became of it.
        seconds: How long the run has taken until now.
    """
    state = parts.strategy.tell(asked.state, evaluated)
    best = memory.best()
    report = GenerationReport(
        generation=asked.number,
        counts=memory.counts,
        survivors=tuple(member["id"] for member in state["population"]),
        values=tuple(tuple(member["values"]) for member in state["population"]),
        best=best["values"][0] if best else None,
        seconds=seconds,
    )
    memory.state, memory.report = state, report
    return report


def duplicate(original: Evaluation, candidate: Candidate) -> Evaluation:
    """Give a candidate the evaluation of the one whose network it repeats."""
    return replace(
        original,
        candidate=candidate.id,
        seconds=0.0,
        copied_from=original.candidate,
        stage="duplicate",
    )


def budget(plan: Plan, memory: Memory) -> int:
    """Tell how many candidates may still be evaluated."""
    most = plan.config.max_evaluations
    return sys.maxsize if most is None else most - memory.counts.evaluated
