"""Candidates and their evaluations as rows of the database of a run."""

from __future__ import annotations

import json
from dataclasses import asdict, replace

from evo_core import database
from evo_core.evaluation import Candidate, Evaluation, Inheritance, Repeat, Score


def evaluation_row(one: Evaluation) -> database.Row:
    """Write an evaluation."""
    texts = (scores_text(one), json.dumps(one.details))
    costs = (float(one.seconds), one.peak_bytes)
    end = (one.error, one.copied_from, one.attempts, one.stage)
    return (one.candidate, one.status, *texts, *costs, *end)


def scores_text(evaluation: Evaluation) -> str:
    """Write the scores of an evaluation."""
    return json.dumps({name: score.to_json() for name, score in evaluation.scores.items()})


def _scores(text: str) -> dict[str, Score]:
    return {name: Score(**score) for name, score in json.loads(text).items()}


def lineage_rows(candidate: Candidate, one: Evaluation) -> list[database.Row]:
    """Write what a candidate inherits and passes on; nothing where none develops."""
    if candidate.key == candidate.architecture and one.body is None:
        return []
    inherited = asdict(candidate.inheritance) if candidate.inheritance is not None else None
    return [(candidate.id, candidate.key, json.dumps(inherited), one.body)]


def read_pair(
    candidate: database.Row, evaluation: database.Row, lineage: database.Row
) -> tuple[Candidate, Evaluation]:
    """Read a candidate with its evaluation.

    Raises:
        ValueError: If a row is not what was written.
    """
    one, other = _read_candidate(candidate), _read_evaluation(evaluation)
    if lineage[0] is None:
        return one, other
    _, key, inherited, body = database.unsealed(lineage)
    return replace(one, key=key, inheritance=_inheritance(inherited)), replace(other, body=body)


def _inheritance(text: str) -> Inheritance | None:
    data = json.loads(text)
    if data is None:
        return None
    mutations = tuple((str(name), int(seed)) for name, seed in data["mutations"])
    return Inheritance(tuple(data["bodies"]), mutations, data["epochs"])


def _read_candidate(row: database.Row) -> Candidate:
    number, generation, genome, architecture, parents, operators = database.unsealed(row)
    kin = (tuple(json.loads(parents)), tuple(json.loads(operators)))
    return Candidate(number, tuple(json.loads(genome)), architecture, generation, *kin)


def _read_evaluation(row: database.Row) -> Evaluation:
    number, status, scores, details, seconds, peak, *end = database.unsealed(row)
    texts = (_scores(scores), json.loads(details))
    return Evaluation(number, status, *texts, seconds, peak, *end)


def read_repeat(row: database.Row) -> Repeat:
    """Read an evaluation under a fresh init.

    Raises:
        ValueError: If the row is not what was written.
    """
    number, init, status, scores, seconds, error, attempts = database.unsealed(row)
    one = Evaluation(number, status, _scores(scores), {}, seconds, 0, error, attempts=attempts)
    return Repeat(number, init, one)
