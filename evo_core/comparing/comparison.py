"""Compare fitness functions: what a score says of random networks, held against a reference."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from evo_core.binding import Binder
from evo_core.comparing import grouping
from evo_core.comparing.collect import Found, Seeds, keep_networks, read, score_all, search_free
from evo_core.comparing.networks import choose, draw, inputs_of, text_of
from evo_core.comparing.sample import Floats, Sample
from evo_core.comparing.table import PREFIX, Reference, read_table
from evo_core.components import Component, FitnessFunction
from evo_core.config import RunConfig
from evo_core.errors import EvoError
from evo_core.genome import Genome
from evo_core.plan import Job, Plan, make_plan
from evo_core.registry import installed

BASELINES = ("params", "macs", "firing-rate")
FEWEST = 10  # networks below which no statistic is worth its name


@dataclass(frozen=True, slots=True)
class Question:
    """What is compared, checked before anything is scored.

    Attributes:
        plan: The plan of the runs that score.
        scores: The names of all scores, baselines included, without ``k``.
        reference: The name of what they are held against.
        table: Where the reference comes from, if it is not scored.
        stratify: What networks are grouped by.
        seeds: The seeds.
        genomes: The networks.
    """

    plan: Plan
    scores: tuple[str, ...]
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
    scores = _names(binder, config.fitness, BASELINES)
    reference = table.name if table else binder.bind(FitnessFunction, against).text
    if table and reference in scores:
        raise EvoError(f"the reference {reference} of {table.path} is also a --fitness")
    others = tuple(name for name in scores if name != reference)
    scored = others if table else (reference, *others)  # the first ranks what runs call the best
    plan = make_plan(Job(search_free(config, scored, samples), loose))
    if stratify is None:
        stratify = grouping.NONE if inputs_of(plan, ()) is None else grouping.K
    grouping.check(stratify, plan, others)
    first = config.seed
    numbers = tuple(range(first, first + seeds))
    genomes = tuple(_genomes(plan, table, samples))
    return Question(plan, others, reference, table, stratify, Seeds(numbers, repeated), genomes)


def answer(question: Question, folder: Path) -> Found | None:
    """Score all networks, as far as the folder does not hold it already; None if interrupted.

    Raises:
        EvoError: If the folder holds something else.
        RunFailedError: If it could not go on.
    """
    keep_networks(folder, question.genomes, question.seeds.repeated)
    if not score_all(question.plan, folder, question.seeds):
        return None
    return read(question.plan, folder, question.seeds, len(question.genomes))


def sample_of(question: Question, found: Found) -> Sample:
    """Put together what is compared; k joins the baselines where the space has it."""
    plan, genomes = question.plan, question.genomes
    goals = {bound.text: bound.record.goal for bound in plan.fitness}
    values, seconds = dict(found.values), dict(found.seconds)
    undefined, baselines = dict(found.undefined), list(BASELINES)
    shape = (len(genomes), len(question.seeds.numbers))
    inputs = inputs_of(plan, genomes)
    if inputs is not None and grouping.K not in goals:
        goals[grouping.K] = "max"
        values[grouping.K] = np.repeat(np.array(inputs)[:, None], shape[1], axis=1)
        seconds[grouping.K], undefined[grouping.K] = np.zeros(shape), 0
        baselines.append(grouping.K)
    if question.table is not None:
        goals[question.reference] = question.table.goal
        values[question.reference] = _looked_up(question, question.table)
        seconds[question.reference] = np.full(shape, np.nan)
        undefined[question.reference] = 0
    ordered = [name for name in goals if name != question.reference] + [question.reference]
    is_accuracy = question.reference.partition("[")[0] == "accuracy"
    return Sample(
        networks=tuple(map(text_of, genomes)),
        goals={name: goals[name] for name in ordered},
        reference=question.reference,
        values=values,
        undefined=undefined,
        seconds=seconds,
        baselines=tuple(name for name in baselines if name != question.reference),
        strata=grouping.groups(question.stratify, plan, genomes, values),
        chance=1 / plan.splits.classes if is_accuracy else None,
    )


def _names(binder: Binder, *groups: Iterable[str]) -> tuple[str, ...]:
    """Give canonical names, each once; what the first group names twice is left to the plan."""
    given = [[binder.bind(FitnessFunction, text).text for text in group] for group in groups]
    named, more = given[0], given[1]
    return (*named, *(name for name in more if name not in named))


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


def _looked_up(question: Question, table: Reference) -> Floats:
    """Give the reference of each network, one column for each repeat in the table."""
    plan = question.plan
    keys = [text_of(one) if table.by_genome else plan.decode(one).hash for one in question.genomes]
    most = max(len(table.values[key]) for key in keys)
    padded = [[*table.values[key], *[math.nan] * (most - len(table.values[key]))] for key in keys]
    return np.array(padded, dtype=np.float64)
