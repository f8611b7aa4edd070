"""Which networks are compared: different ones, drawn at random from the space or from a table."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from evo_core.errors import EvoError, InvalidGenomeError
from evo_core.genome import Gene, Genome, check_genome, parse_genome, random_genome
from evo_core.plan import Plan
from evo_core.seeds import generator

FEWEST = 10  # networks below which no statistic is worth its name
_DRAWS = 1000  # per network that is wanted, before the space is said to be too small


def draw(plan: Plan, count: int) -> list[Genome]:
    """Draw genomes uniformly, of different networks that keep all constraints.

    They depend on the seed of the plan, and a larger sample begins with the smaller one.

    Raises:
        EvoError: If the space does not seem to hold that many.
    """
    rng = generator(plan.config.seed, "sample")
    found: dict[str, Genome] = {}
    for _ in range(_DRAWS * count):
        _take(plan, random_genome(rng, plan.space.genes), found)
        if len(found) == count:
            return list(found.values())
    hint = f"take --samples {len(found)}" if len(found) >= FEWEST else "too few to compare"
    raise EvoError(
        f"{_DRAWS * count:,} random genomes of {plan.config.space} gave {len(found)} different "
        f"networks that keep the constraints; {hint}"
    )


def choose(plan: Plan, texts: Sequence[str], count: int, table: str) -> list[Genome]:
    """Choose genomes of a table at random, of different networks that keep all constraints.

    Raises:
        EvoError: If a genome does not fit the space, or the table holds too few.
    """
    found: dict[str, Genome] = {}
    for row in generator(plan.config.seed, "sample").permutation(len(texts)):
        try:
            genome = check_genome(parse_genome(texts[row]), plan.space.genes, plan.config.space)
        except EvoError as error:
            raise EvoError(f"{table}: {error}") from None
        _take(plan, genome, found)
        if len(found) == count:
            return list(found.values())
    raise EvoError(f"{table} has {len(found)} different networks; take --samples {len(found)}")


def _take(plan: Plan, genome: Genome, found: dict[str, Genome]) -> None:
    try:
        network = plan.decode(genome).hash
    except InvalidGenomeError:
        return
    if network not in found and plan.violation(genome) is None:
        found[network] = genome


def text_of(genome: Genome) -> str:
    """Write a genome as ``evo show mse:1,0,2`` takes it."""
    return ",".join(map(str, genome))


def inputs_of(plan: Plan, genomes: Sequence[Genome]) -> list[float] | None:
    """Give k of each network: the mean of its macro genes whose choices are numbers.

    In ``mse`` that is the number of inputs of a cell. None if the space has no such gene.
    """
    genes = plan.space.genes
    places = [place for place, gene in enumerate(genes) if _counts(gene)]
    if not places:
        return None
    found = []
    for genome in genomes:
        active = plan.space.active(genome)
        said = [place for place in places if active[place]] or places
        found.append(statistics.fmean(float(genes[at].choice(genome[at])) for at in said))
    return found


def _counts(gene: Gene) -> bool:
    return gene.scale == "macro" and all(choice.isdecimal() for choice in gene.choices)
