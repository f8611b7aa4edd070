"""DEAP's selection on members: a DEAP individual is made for the moment of choosing only."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Hashable, Sequence
from typing import Any

import numpy as np
from deap import base, tools

from evo_core.evaluation import Objective
from evo_core.seeds import deap_randomness

Member = dict[str, Any]


class _Individual:
    """A member with the fitness object that DEAP's tools read."""

    def __init__(self, member: Member, fitness: base.Fitness) -> None:
        self.member = member
        self.fitness = fitness


def nsga2(members: Sequence[Member], objectives: Sequence[Objective], count: int) -> list[Member]:
    """Select by non-dominated rank, then crowding distance (NSGA-II, Deb et al. 2002)."""
    chosen = tools.selNSGA2(_individuals(members, objectives), min(count, len(members)), nd="log")
    return [individual.member for individual in chosen]


def protected(
    members: Sequence[Member],
    objectives: Sequence[Objective],
    count: int,
    niche: Callable[[Member], Hashable],
    share: float,
) -> list[Member]:
    """Select as :func:`nsga2` does, with a share of the places kept for all niches alike.

    The kept places go round: the best of each niche, then the second of each, and so on, niches in
    the order of their best member. So a choice that is behind early on is not lost at once.
    """
    ranked = nsga2(members, objectives, len(members))
    niches: dict[Hashable, list[Member]] = {}
    for member in ranked:
        niches.setdefault(niche(member), []).append(member)
    rounds = itertools.zip_longest(*niches.values())
    turns = [member for turn in rounds for member in turn if member is not None]
    kept = {member["id"] for member in turns[: int(share * count)]}
    others = [member["id"] for member in ranked if member["id"] not in kept]
    kept.update(others[: count - len(kept)])
    return [member for member in ranked if member["id"] in kept]


def best(members: Sequence[Member], objectives: Sequence[Objective], count: int) -> list[Member]:
    """Select the best by the first objective, ties by the next ones, then by id."""
    ordered = sorted(
        members,
        key=lambda member: (
            [
                -objective.sign * v
                for objective, v in zip(objectives, member["values"], strict=False)
            ],
            member["id"],
        ),
    )
    return ordered[:count]


def tournament(
    members: Sequence[Member],
    objectives: Sequence[Objective],
    count: int,
    rng: np.random.Generator,
) -> list[Member]:
    """Choose parents by binary tournament: domination, then crowding distance, then chance.

    DEAP's tournament takes multiples of four individuals; with fewer than four members parents are
    drawn uniformly.
    """
    if len(members) < 4:
        return [members[int(i)] for i in rng.integers(len(members), size=count)]
    individuals = _individuals(members, objectives)
    tools.selNSGA2(individuals, len(individuals), nd="log")  # assigns crowding distances
    winners: list[Member] = []
    with deap_randomness(rng):
        while len(winners) < count:
            chosen = tools.selTournamentDCD(individuals, len(individuals) // 4 * 4)
            winners.extend(individual.member for individual in chosen)
    return winners[:count]


def front(members: Sequence[Member], objectives: Sequence[Objective]) -> list[Member]:
    """Give the non-dominated members, best first objective first, ties by id."""
    if not members:
        return []
    individuals = _individuals(members, objectives)
    first = tools.sortLogNondominated(individuals, len(individuals), first_front_only=True)
    return best([individual.member for individual in first], objectives, len(first))


def _individuals(members: Sequence[Member], objectives: Sequence[Objective]) -> list[_Individual]:
    # DEAP's logarithmic sort fails on a single objective; the same one twice sorts alike
    times = 2 if len(objectives) == 1 else 1
    weights = tuple(float(objective.sign) for objective in objectives) * times
    kind = type("Fitness", (base.Fitness,), {"weights": weights})
    return [_Individual(member, kind(list(member["values"]) * times)) for member in members]
