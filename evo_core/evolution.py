"""Ask and tell on DEAP's tools: pure functions of a JSON state, no files, no hooks, no threads.

The state of a strategy is ``{"population": [member, ...]}`` (a strategy may add keys of its own);
a member is ``{"id": int, "genome": [int, ...], "values": [float, ...]}`` with its objective values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from evo_core.binding import Bound
from evo_core.components import Operator, load
from evo_core.evaluation import Candidate, Evaluation, Objective
from evo_core.genome import Genome, random_genome
from evo_core.operators import GeneTable

State = dict[str, Any]
Member = dict[str, Any]
Evaluated = Sequence[tuple[Candidate, Evaluation]]

REDRAWS = 100  # as often as NSGA-Net's mating is retried for a child that is new


@dataclass(frozen=True, slots=True)
class Proposal:
    """A genome that a strategy wants to see evaluated, and how it came about."""

    genome: Genome
    parents: tuple[int, ...] = ()
    operators: tuple[str, ...] = ()


def everything(genome: Genome) -> bool:
    """Call every genome feasible, as where there are no constraints."""
    return True


@dataclass(frozen=True, slots=True)
class Problem:
    """What a strategy works on.

    Attributes:
        space: The gene table.
        objectives: What to optimise; never empty.
        population: How many candidates survive a generation.
        operators: The variation operators, each with the probability that it acts on a child.
        identity: Gives the hash of the network that a genome decodes to.
        feasible: Tells whether the network of a genome keeps the constraints.
    """

    space: GeneTable
    objectives: tuple[Objective, ...]
    population: int
    operators: tuple[tuple[Bound[Operator], float], ...]
    identity: Callable[[Genome], str]
    feasible: Callable[[Genome], bool] = everything


class StrategyLike(Protocol):
    """What the build function of a Strategy record gives."""

    def start(self) -> State:
        """Give the state before the first generation."""

    def ask(self, state: State, n: int, rng: np.random.Generator) -> tuple[State, list[Proposal]]:
        """Propose a generation of at most ``n`` genomes."""

    def tell(self, state: State, evaluated: Evaluated) -> State:
        """Take in evaluations, also failed ones, and give the state with its new population."""


def random_proposals(problem: Problem, n: int, rng: np.random.Generator) -> list[Proposal]:
    """Draw genomes uniformly, of different feasible networks as far as the space allows."""
    proposals: list[Proposal] = []
    taken: set[str] = set()
    for _ in range(n):
        genome = random_genome(rng, problem.space.genes)
        for _ in range(REDRAWS):
            if problem.identity(genome) not in taken and problem.feasible(genome):
                break
            genome = random_genome(rng, problem.space.genes)
        taken.add(problem.identity(genome))
        proposals.append(Proposal(genome))
    return proposals


def reproduce(
    problem: Problem,
    population: Sequence[Member],
    n: int,
    rng: np.random.Generator,
    choose: Callable[[int], Sequence[Member]],
) -> list[Proposal]:
    """Make feasible children that differ in network from the population and from each other.

    A child that does not is drawn again, up to 100 times; then it is taken as it is.

    Args:
        problem: The problem.
        population: The members no child may repeat.
        n: How many children to make.
        rng: The source of randomness.
        choose: Gives that many parents.
    """
    taken = {problem.identity(tuple(member["genome"])) for member in population}
    children: list[Proposal] = []
    redraws = 0
    while len(children) < n:
        one, two = choose(2)
        for child in vary(problem, one, two, rng):
            new = problem.identity(child.genome) not in taken and problem.feasible(child.genome)
            redraws += not new
            if len(children) < n and (new or redraws > REDRAWS * n):
                children.append(child)
                taken.add(problem.identity(child.genome))
    return children


def vary(
    problem: Problem, one: Member, two: Member, rng: np.random.Generator
) -> tuple[Proposal, Proposal]:
    """Mate two parents and mutate the children, each operator acting by its probability."""
    genomes = [tuple(one["genome"]), tuple(two["genome"])]
    names: list[list[str]] = [[], []]
    mated = False
    for operator, rate in problem.operators:
        if operator.record.parents == 2 and rng.random() < rate:
            genomes = list(_apply(operator, rng, problem.space, *genomes))
            names = [[*used, operator.text] for used in names]
            mated = True
    for operator, rate in problem.operators:
        for index in range(2):
            if operator.record.parents == 1 and rng.random() < rate:
                (genomes[index],) = _apply(operator, rng, problem.space, genomes[index])
                names[index].append(operator.text)
    own = [(one["id"],), (two["id"],)]
    both = tuple(dict.fromkeys((one["id"], two["id"])))
    first, second = (
        Proposal(genomes[i], both if mated else own[i], tuple(names[i])) for i in range(2)
    )
    return first, second


def members(evaluated: Evaluated, objectives: tuple[Objective, ...]) -> list[Member]:
    """Give the selectable candidates as members, by id, one for each network."""
    found: list[Member] = []
    seen: set[str] = set()
    for candidate, evaluation in sorted(evaluated, key=lambda pair: pair[0].id):
        values = evaluation.values(objectives)
        if values is None or candidate.architecture in seen:
            continue
        seen.add(candidate.architecture)
        found.append({"id": candidate.id, "genome": list(candidate.genome), "values": list(values)})
    return found


def without_repeats(problem: Problem, candidates: Iterable[Member]) -> list[Member]:
    """Keep the first member of each network."""
    first: dict[str, Member] = {}
    for member in candidates:
        first.setdefault(problem.identity(tuple(member["genome"])), member)
    return list(first.values())


def _apply(
    operator: Bound[Operator], rng: np.random.Generator, space: GeneTable, *genomes: Genome
) -> tuple[Genome, ...]:
    children: tuple[Genome, ...] = load(operator.record.apply)(
        rng, space, *genomes, options=operator.options
    )
    return children
