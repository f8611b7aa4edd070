"""The strategies evo brings: NSGA-II, (mu + lambda), and random search as the honest baseline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evo_core import selection
from evo_core.builtins import MuPlusLambdaOptions, Nsga2Options
from evo_core.components import NoOptions
from evo_core.evolution import (
    Evaluated,
    Member,
    Problem,
    Proposal,
    State,
    members,
    random_proposals,
    reproduce,
    without_repeats,
)


@dataclass(frozen=True, slots=True)
class Nsga2:
    """The published evolution: binary tournament, variation, NSGA-II survival of old and new.

    One thing is added: early on one choice of a macro gene, say the number of inputs, easily takes
    over the population before the others had time to improve. A share of the survivors is therefore
    kept for all choices alike.
    """

    options: Nsga2Options
    problem: Problem

    def start(self) -> State:
        """Begin with an empty population."""
        return {"population": []}

    def ask(self, state: State, n: int, rng: np.random.Generator) -> tuple[State, list[Proposal]]:
        """Propose random genomes first, then children of tournament winners."""
        population = state["population"]
        n = min(n, self.problem.population)
        if len(population) < 2:
            return state, random_proposals(self.problem, n, rng)
        winners: list[Member] = []

        def choose(count: int) -> Sequence[Member]:
            while len(winners) < count:
                objectives = self.problem.objectives
                winners.extend(selection.tournament(population, objectives, max(n, 2), rng))
            return [winners.pop(0) for _ in range(count)]

        return state, reproduce(self.problem, population, n, rng, choose)

    def tell(self, state: State, evaluated: Evaluated) -> State:
        """Keep the best of old and new by rank and crowding."""
        pool = _pool(self.problem, state, evaluated)
        count, share = self.problem.population, self.options.protect
        chosen = selection.protected(pool, self.problem.objectives, count, self._niche, share)
        return {"population": chosen}

    def _niche(self, member: Member) -> tuple[int, ...]:
        genes = zip(self.problem.space.genes, member["genome"], strict=True)
        return tuple(value for gene, value in genes if gene.scale == "macro")


@dataclass(frozen=True, slots=True)
class MuPlusLambda:
    """Parents drawn uniformly; the best of old and new survive, by the first objective."""

    options: MuPlusLambdaOptions
    problem: Problem

    def start(self) -> State:
        """Begin with an empty population."""
        return {"population": []}

    def ask(self, state: State, n: int, rng: np.random.Generator) -> tuple[State, list[Proposal]]:
        """Propose random genomes first, then children of random parents."""
        population = state["population"]
        if len(population) < 2:
            first = min(n, self.problem.population)
            return state, random_proposals(self.problem, first, rng)

        def choose(count: int) -> Sequence[Member]:
            return [population[int(i)] for i in rng.integers(len(population), size=count)]

        n = min(n, self.options.offspring or self.problem.population)
        return state, reproduce(self.problem, population, n, rng, choose)

    def tell(self, state: State, evaluated: Evaluated) -> State:
        """Keep the best of old and new."""
        pool = _pool(self.problem, state, evaluated)
        chosen = selection.best(pool, self.problem.objectives, self.problem.population)
        return {"population": chosen}


@dataclass(frozen=True, slots=True)
class RandomSearch:
    """Draws genomes uniformly and remembers the best: what every search has to beat."""

    options: NoOptions
    problem: Problem

    def start(self) -> State:
        """Begin with an empty population."""
        return {"population": []}

    def ask(self, state: State, n: int, rng: np.random.Generator) -> tuple[State, list[Proposal]]:
        """Propose random genomes."""
        return state, random_proposals(self.problem, min(n, self.problem.population), rng)

    def tell(self, state: State, evaluated: Evaluated) -> State:
        """Keep the best seen."""
        pool = _pool(self.problem, state, evaluated)
        chosen = selection.nsga2(pool, self.problem.objectives, self.problem.population)
        return {"population": chosen}


def _pool(problem: Problem, state: State, evaluated: Evaluated) -> list[Member]:
    return without_repeats(problem, [*state["population"], *members(evaluated, problem.objectives)])
