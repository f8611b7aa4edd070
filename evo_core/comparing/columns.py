"""From what was scored to a sample: k, a table's reference and combinations join the scores."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from evo_core.comparing import grouping
from evo_core.comparing.collect import Found
from evo_core.comparing.combiners import Combination
from evo_core.comparing.comparison import BASELINES, Question
from evo_core.comparing.networks import inputs_of, text_of
from evo_core.comparing.sample import Floats, Sample
from evo_core.comparing.table import Reference
from evo_core.components import Goal


@dataclass(frozen=True, slots=True)
class _Column:
    """What a score says: its direction, ``[N, S]`` values and seconds, and how many are missing."""

    goal: Goal
    values: Floats
    seconds: Floats
    undefined: int = 0


def sample_of(question: Question, found: Found) -> Sample:
    """Put together what is compared; k joins the baselines where the space has it.

    As baselines, ``params`` and ``macs`` are not costs but capacity: more is better.
    """
    goals = {bound.text: bound.record.goal for bound in question.plan.fitness}
    columns = {
        name: _Column("max" if name in BASELINES else goal, *found.of(name))
        for name, goal in goals.items()
    }
    baselines = [name for name in BASELINES if name != question.reference]
    inputs = inputs_of(question.plan, question.genomes)
    if inputs is not None and grouping.K not in columns:
        columns[grouping.K] = _known(inputs, len(question.seeds.numbers))
        baselines.append(grouping.K)
    for one in question.combined:
        columns[one.bound.text] = _combined(one, columns, goals, len(found.rows))
    if question.table is not None:
        columns[question.reference] = _looked_up(question, question.table)
    columns[question.reference] = columns.pop(question.reference)  # the last
    values = {name: one.values for name, one in columns.items()}
    return Sample(
        networks=tuple(map(text_of, question.genomes)),
        goals={name: one.goal for name, one in columns.items()},
        reference=question.reference,
        values=values,
        undefined={name: one.undefined for name, one in columns.items()},
        seconds={name: one.seconds for name, one in columns.items()},
        baselines=tuple(baselines),
        strata=grouping.groups(question.stratify, question.plan, question.genomes, values),
        chance=_chance(question, columns[question.reference]),
    )


def _chance(question: Question, reference: _Column) -> float | None:
    """Give the accuracy of guessing; None if the reference is none, or is one in percent."""
    known = reference.values[np.isfinite(reference.values)]
    if question.reference.partition("[")[0] != "accuracy" or reference.goal == "min":
        return None
    return None if (known > 1).any() else 1 / question.plan.splits.classes


def _known(numbers: list[float], seeds: int) -> _Column:
    """Give a column of what costs nothing and is the same under every seed."""
    values = np.repeat(np.array(numbers)[:, None], seeds, axis=1)
    return _Column("max", values, np.zeros_like(values))


def _combined(
    one: Combination, columns: dict[str, _Column], goals: dict[str, Goal], evaluated: int
) -> _Column:
    values = one.values({name: column.values for name, column in columns.items()}, goals)
    seconds = np.sum([columns[part].seconds for part in one.parts], axis=0)
    return _Column("max", values, seconds, evaluated - int(np.isfinite(values).sum()))


def _looked_up(question: Question, table: Reference) -> _Column:
    """Give the reference of each network, with its repeats in the table for seeds."""
    plan = question.plan
    keys = [text_of(one) if table.by_genome else plan.decode(one).hash for one in question.genomes]
    most = max(len(table.values[key]) for key in keys)
    padded = [[*table.values[key], *[math.nan] * (most - len(table.values[key]))] for key in keys]
    values = np.array(padded, dtype=np.float64)
    return _Column(table.goal, values, np.full_like(values, np.nan))
