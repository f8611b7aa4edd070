"""Compare fitness functions: what a score says of random networks, held against a reference."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from evo_core.binding import Binder
from evo_core.comparing import grouping
from evo_core.comparing.collect import Found, Seeds, keep_networks, read, score_all, search_free
from evo_core.comparing.combiners import Combination, combination
from evo_core.comparing.networks import FEWEST, choose, draw, inputs_of, text_of
from evo_core.comparing.table import PREFIX, Reference, read_table
from evo_core.components import Component, FitnessFunction
from evo_core.config import RunConfig
from evo_core.errors import EvoError
from evo_core.genome import Genome
from evo_core.plan import Job, Plan, make_plan
from evo_core.registry import installed

BASELINES = ("params", "macs", "firing-rate")


@dataclass(frozen=True, slots=True)
class Question:
    """What is compared, checked before anything is scored.

    Attributes:
        plan: The plan of the runs that score.
        combined: What is made of the scores.
        reference: The name of what they are held against.
        table: Where the reference comes from, if it is not scored.
        stratify: What networks are grouped by.
        seeds: The seeds.
        genomes: The networks.
    """

    plan: Plan
    combined: tuple[Combination, ...]
    reference: str
    table: Reference | None
    stratify: str
    seeds: Seeds
    genomes: tuple[Genome, ...]


def ask(
    config: RunConfig,
    components: Iterable[Component] = (),
    *,
    against: str,
    samples: int,
    seeds: int,
    repeated: int | None = None,
    stratify: str | None = None,
) -> Question:
    """Check what is to be compared, and choose the networks.

    Raises:
        EvoError: One line about the first thing that is wrong.
    """
    repeated = samples if repeated is None else repeated
    if samples < FEWEST:
        raise EvoError(f"--samples is {samples}; a comparison needs at least {FEWEST} networks")
    if seeds < 1:
        raise EvoError(f"--seeds is {seeds}; take at least one")
    if not 2 <= repeated <= samples:
        raise EvoError(f"--repeated is {repeated}; take 2 to {samples}, the number of --samples")
    table = read_table(against) if against.startswith(PREFIX) else None
    loose = tuple(components)
    binder = Binder(installed(config.plugins, loose), config.options)
    combined, scores = _scores(binder, config.fitness)
    reference = table.name if table else binder.bind(FitnessFunction, against).text
    if table and reference in (*scores, grouping.K, *(one.bound.text for one in combined)):
        raise EvoError(
            f"the column {reference} of {table.path} has the name of a score that is computed "
            "here; rename it"
        )
    others = tuple(name for name in scores if name != reference)
    scored = others if table else (reference, *others)  # the first ranks what runs call the best
    plan = make_plan(Job(search_free(config, scored, samples), loose))
    if stratify is None:
        stratify = grouping.NONE if inputs_of(plan, ()) is None else grouping.K
    grouping.check(stratify, plan, others)
    first = config.seed
    numbers = tuple(range(first, first + seeds))
    genomes = tuple(_genomes(plan, table, samples))
    return Question(plan, combined, reference, table, stratify, Seeds(numbers, repeated), genomes)


def answer(question: Question, folder: Path) -> Found | None:
    """Score all networks, as far as the folder does not hold it already; None if interrupted.

    Raises:
        EvoError: If the folder holds something else.
        RunFailedError: If it could not go on.
    """
    keep_networks(folder, question.genomes, question.seeds.repeated)
    if not score_all(question.plan, folder, question.seeds):
        return None
    return read(question.plan, folder, question.seeds, question.genomes)


def _scores(
    binder: Binder, texts: Iterable[str]
) -> tuple[tuple[Combination, ...], tuple[str, ...]]:
    """Tell combinations from scores; what they combine and the baselines join the scores.

    Scores have canonical names; one that is named twice is left to the plan to refuse.
    """
    found = {text: combination(binder, text) for text in texts}
    combined = tuple(one for one in found.values() if one is not None)
    named = [binder.bind(FitnessFunction, text).text for text in texts if found[text] is None]
    for name in (*(part for one in combined for part in one.parts), *BASELINES):
        if name not in named:
            named.append(name)
    return combined, tuple(named)


def _genomes(plan: Plan, table: Reference | None, samples: int) -> list[Genome]:
    if table is None:
        return draw(plan, samples)
    if table.by_genome:
        return choose(plan, list(table.values), samples, str(table.path))
    genomes = draw(plan, samples)
    missing = [one for one in genomes if plan.decode(one).hash not in table.values]
    if missing:
        raise EvoError(
            f"{table.path} has no {table.name} for {len(missing)} of the {samples} networks, e.g. "
            f"architecture {plan.decode(missing[0]).hash}, genome {text_of(missing[0])}; complete "
            "it, or give genomes in a column network: then they are chosen from the table"
        )
    return genomes
