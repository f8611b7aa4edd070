"""Ask and tell on DEAP's tools: pure functions of a JSON state, no files, no hooks, no threads.

The state of a strategy is ``{"population": [member, ...]}`` (a strategy may add keys of its own);
a member is ``{"id": int, "genome": [int, ...], "values": [float, ...]}`` with its objective values,
and a ``"key"`` where candidates of one genome can differ.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from evo_core.binding import Bound
from evo_core.components import Operator, load
from evo_core.development import MATE
from evo_core.evaluation import Candidate, Evaluation, Objective
from evo_core.genome import Genome, random_genome
from evo_core.operators import GeneTable

State = dict[str, Any]
Member = dict[str, Any]
Evaluated = Sequence[tuple[Candidate, Evaluation]]

REDRAWS = 100  # as often as NSGA-Net's mating is retried for a child that is new


@dataclass(frozen=True, slots=True)
class Proposal:
    """A genome that a strategy wants to see evaluated, and how it came about.

    Attributes:
        genome: The genome.
        parents: The ids of its parents.
        operators: The names of the operators that made it, in order.
        heirs: Those of the parents whose bodies are passed on, if any are.
        mutations: What changes these: the name of each mutation, and its seed.
    """

    genome: Genome
    parents: tuple[int, ...] = ()
    operators: tuple[str, ...] = ()
    heirs: tuple[int, ...] = ()
    mutations: tuple[tuple[str, int], ...] = ()


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
        identity: Gives the hash of the network that a genome decodes to, or of that and its genes
            of development.
        feasible: Tells whether the network of a genome keeps the constraints.
        body_rates: The probability that each mutation of a body acts on that of a child; None
            where no bodies are passed on.
    """

    space: GeneTable
    objectives: tuple[Objective, ...]
    population: int
    operators: tuple[tuple[Bound[Operator], float], ...]
    identity: Callable[[Genome], str]
    feasible: Callable[[Genome], bool] = everything
    body_rates: Mapping[str, float] | None = None


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
    """Make feasible children that differ from the population and from each other.

    They differ in network or, where candidates develop, in what decides how they do.

    A child that does not is drawn again, up to 100 times; then it is taken as it is.

    Args:
        problem: The problem.
        population: The members no child may repeat.
        n: How many children to make.
        rng: The source of randomness.
        choose: Gives that many parents.
    """
    taken = {_key(problem, member) for member in population}
    children: list[Proposal] = []
    redraws = 0
    while len(children) < n:
        one, two = choose(2)
        for child in vary(problem, one, two, rng):
            key = _key_of_child(problem, child)
            new = key not in taken and problem.feasible(child.genome)
            redraws += not new
            if len(children) < n and (new or redraws > REDRAWS * n):
                children.append(child)
                taken.add(key)
    return children


def vary(
    problem: Problem, one: Member, two: Member, rng: np.random.Generator
) -> tuple[Proposal, Proposal]:
    """Mate two parents and mutate the children, each operator acting by its probability.

    Where bodies are passed on, the first child has that of the first parent, the second that of
    the second.
    """
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
    ids = (one["id"], two["id"])
    first, second = (
        _with_body(
            problem,
            Proposal(genomes[i], _unlike(*ids) if mated else (ids[i],), tuple(names[i])),
            (ids[i], ids[1 - i]),
            rng,
        )
        for i in range(2)
    )
    return first, second


def _with_body(
    problem: Problem, child: Proposal, ids: tuple[int, int], rng: np.random.Generator
) -> Proposal:
    """Pass on the body of the first parent, mutated, and perhaps mated with that of the second."""
    if problem.body_rates is None:
        return child
    drawn = [
        (name, int(rng.integers(2**32)))
        for name, rate in problem.body_rates.items()
        if rng.random() < rate and (name != MATE or ids[0] != ids[1])
    ]
    names = [name for name, _ in drawn]
    heirs = ids if MATE in names else ids[:1]
    parents = _unlike(*child.parents, *heirs)
    return Proposal(child.genome, parents, (*child.operators, *names), heirs, tuple(drawn))


def _unlike(*ids: int) -> tuple[int, ...]:
    return tuple(dict.fromkeys(ids))


def _key(problem: Problem, member: Member) -> str:
    key: str | None = member.get("key")
    return key or problem.identity(tuple(member["genome"]))


def _key_of_child(problem: Problem, child: Proposal) -> str:
    identity = problem.identity(child.genome)
    return f"{identity} of {child.heirs} by {child.mutations}" if child.heirs else identity


def members(evaluated: Evaluated, objectives: tuple[Objective, ...]) -> list[Member]:
    """Give the selectable candidates as members, by id, one for each key."""
    found: list[Member] = []
    seen: set[str] = set()
    for candidate, evaluation in sorted(evaluated, key=lambda pair: pair[0].id):
        values = evaluation.values(objectives)
        if values is None or candidate.key in seen:
            continue
        seen.add(candidate.key)
        member = {"id": candidate.id, "genome": list(candidate.genome), "values": list(values)}
        found.append(member | _own_key(candidate))
    return found


def _own_key(candidate: Candidate) -> Member:
    return {} if candidate.key == candidate.architecture else {"key": candidate.key}


def without_repeats(problem: Problem, candidates: Iterable[Member]) -> list[Member]:
    """Keep the first member of each key."""
    first: dict[str, Member] = {}
    for member in candidates:
        first.setdefault(_key(problem, member), member)
    return list(first.values())


def _apply(
    operator: Bound[Operator], rng: np.random.Generator, space: GeneTable, *genomes: Genome
) -> tuple[Genome, ...]:
    children: tuple[Genome, ...] = load(operator.record.apply)(
        rng, space, *genomes, options=operator.options
    )
    return children
