"""Groups of alike networks, within which scores are held against the reference again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from evo_core.comparing.networks import inputs_of
from evo_core.comparing.sample import Floats
from evo_core.errors import EvoError, did_you_mean
from evo_core.genome import Genome
from evo_core.plan import Plan

K = "k"
NONE = "none"
UNDEFINED, NOT_READ = "undefined", "not read"
_MOST = 5  # different numbers, beyond which networks are put into thirds


def check(name: str, plan: Plan, scores: Sequence[str]) -> None:
    """Refuse a name that nothing can be stratified by.

    Raises:
        EvoError: If it is none of ``k``, ``none``, a gene and a score.
    """
    known = [K, NONE, *(gene.name for gene in plan.space.genes), *scores]
    if name not in known:
        raise EvoError(f"--stratify: there is no {name!r}; {did_you_mean(name, known)}")
    if name == K and inputs_of(plan, ()) is None:
        raise EvoError(
            f"--stratify: {plan.config.space} has no macro gene with numbers, so no k; name a gene "
            "or a score, or none"
        )


def groups(
    name: str, plan: Plan, genomes: Sequence[Genome], values: Mapping[str, Floats]
) -> dict[str, tuple[str, ...]]:
    """Give the label of each network by what is stratified by; empty for ``none``.

    Args:
        name: ``k``, ``none``, a gene or a score; numbers of more than five kinds become thirds.
        plan: The plan.
        genomes: The networks.
        values: What the scores say of them, ``[N, S]``.
    """
    if name == NONE:
        return {}
    places = {gene.name: place for place, gene in enumerate(plan.space.genes)}
    if name in places:
        return {name: tuple(_choice(plan, genome, places[name]) for genome in genomes)}
    means = np.array(inputs_of(plan, genomes)) if name == K else _means(values[name])
    return {name: _labels(means)}


def _choice(plan: Plan, genome: Genome, place: int) -> str:
    """Give what a genome chooses; networks in which the gene is not read are a group as well."""
    active = plan.space.active(genome)[place]
    return plan.space.genes[place].choice(genome[place]) if active else NOT_READ


def _labels(numbers: Floats) -> tuple[str, ...]:
    known = numbers[~np.isnan(numbers)]
    if len(np.unique(known)) <= _MOST:
        return tuple(UNDEFINED if np.isnan(number) else f"{number:g}" for number in numbers)
    low, high = np.quantile(known, [1 / 3, 2 / 3])
    thirds = ("lowest third", "middle third", "highest third", UNDEFINED)
    place = np.where(np.isnan(numbers), 3, (numbers > low).astype(int) + (numbers > high))
    return tuple(thirds[at] for at in place)


def _means(values: Floats) -> Floats:
    """Average over seeds, NaN where no seed has a value."""
    found: Floats = np.ma.masked_invalid(values).mean(axis=1).filled(np.nan)
    return found
