"""A cache that shares scores between runs: what one has evaluated, another need not.

It holds a record for each network and fitness function, and one for what the passes of a network
gave that all fitness functions share. A record is found only where everything it depends on is the
same (see :mod:`evo_core.basis`), and what would not come back as it was is not kept. While a run
goes on, a cache that fails is given up, and the run goes on without it.
"""

from __future__ import annotations

import functools
import json
import logging
import math
import sqlite3
import sys
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from evo_core.basis import SHARED, basis_of
from evo_core.cache_file import close, connect, parse, read, write
from evo_core.components import Goal
from evo_core.evaluation import Candidate, Evaluation, EvaluationStatus, Score, plain
from evo_core.executors import Bundle, ExecutorLike
from evo_core.plan import Plan

KEPT: tuple[EvaluationStatus, ...] = ("ok", "silent", "saturated", "nan")
_FIRING = {"firing_rate", "populations", "silent_populations"}  # the details that passes give
_NO_PASSES = {"status": "ok", "details": {}}
logger = logging.getLogger("evo")


class Cache:
    """The cache of a plan: finds and keeps evaluations.

    Args:
        plan: The plan, whose configuration names the file.

    Raises:
        EvoError: If the file can not be used, or the plan has components given in Python; nothing
            has been written then.
    """

    def __init__(self, plan: Plan) -> None:
        assert plan.config.cache is not None
        self._path = Path(plan.config.cache)
        self._goals: dict[str, Goal] = {one.name: one.goal for one in plan.objectives}
        self._addresses = functools.cache(basis_of(plan).addresses)
        self._db: sqlite3.Connection | None = connect(self._path)

    def find(self, candidate: Candidate) -> Evaluation | None:
        """Give the evaluation of a candidate if every part of it is there."""
        if self._db is None:
            return None
        addresses = self._addresses(candidate.inits)
        try:
            records = {
                name: read(self._db, address, candidate.architecture)
                for name, address in addresses.items()
            }
        except sqlite3.Error as error:
            self._give_up(error)
            return None
        return self._evaluation(candidate, records)

    def keep(self, candidate: Candidate, evaluation: Evaluation) -> None:
        """Keep the evaluation of a candidate, if it would come back as it is."""
        if self._db is None or evaluation.stage != "evaluate":
            return
        addresses = self._addresses(candidate.inits)
        contents = _contents(evaluation, addresses)
        records = {name: parse(content) for name, content in contents.items()}
        if self._evaluation(candidate, records) != _as_found(evaluation):
            return
        try:
            write(self._db, candidate.architecture, addresses, contents)
        except sqlite3.Error as error:
            self._give_up(error)

    def close(self) -> None:
        """Close the file."""
        if self._db is not None:
            close(self._db)
        self._db = None

    def _evaluation(self, candidate: Candidate, records: Mapping[str, Any]) -> Evaluation | None:
        """Make an evaluation of records; None if one is missing or not as evo writes it."""
        try:
            shared = records.get(SHARED, _NO_PASSES)
            if SHARED in records:
                _check_shared(**shared)
            scores = {name: _score(goal, **records[name]) for name, goal in self._goals.items()}
        except (KeyError, TypeError, ValueError, RecursionError):
            return None
        details = shared["details"] | {
            name: score.details for name, score in scores.items() if score.details
        }
        return Evaluation(candidate.id, shared["status"], scores, details, stage="cache")

    def _give_up(self, error: sqlite3.Error) -> None:
        self.close()
        line = f"cache {self._path} fails ({error}); the run goes on without it"
        logger.warning(line)
        print(line, file=sys.stderr)  # noqa: T201


class CachedExecutor:
    """An executor behind a cache: what is found there is not evaluated.

    Args:
        executor: Evaluates the rest.
        cache: Keeps what it evaluates.
    """

    def __init__(self, executor: ExecutorLike, cache: Cache) -> None:
        self._executor = executor
        self._cache = cache
        self._found: deque[list[Evaluation]] = deque()
        self._submitted: dict[int, Candidate] = {}

    def submit(self, bundle: Bundle) -> None:
        """Look for each candidate of a bundle; those that are not there will be evaluated."""
        found = [one for candidate in bundle if (one := self._cache.find(candidate))]
        known = {evaluation.candidate for evaluation in found}
        rest = tuple(candidate for candidate in bundle if candidate.id not in known)
        if found:
            self._found.append(found)
        if rest:
            self._submitted |= {candidate.id: candidate for candidate in rest}
            self._executor.submit(rest)

    def as_completed(self) -> Iterator[list[Evaluation]]:
        """Give what was found, then the evaluations of each bundle, in the order they finish."""
        while self._found:
            yield self._found.popleft()
        for evaluations in self._executor.as_completed():
            yield evaluations  # first the run stores them: what it has is never found by itself
            for evaluation in evaluations:
                self._cache.keep(self._submitted.pop(evaluation.candidate), evaluation)

    def cancel(self) -> None:
        """Forget the bundles that have not begun."""
        self._found.clear()
        self._executor.cancel()

    def close(self) -> None:
        """Give back all workers; the cache stays open."""
        self._executor.close()


@contextmanager
def cache_of(plan: Plan) -> Iterator[Cache | None]:
    """Open the cache of a plan, and close it at the end; None if the plan has none.

    Raises:
        EvoError: If it can not be used; nothing has been written then.
    """
    cache = Cache(plan) if plan.config.cache is not None else None
    try:
        yield cache
    finally:
        if cache is not None:
            cache.close()


def _contents(evaluation: Evaluation, addresses: Mapping[str, str]) -> dict[str, bytes]:
    """Write an evaluation as JSON, one text per record; empty if it is none."""
    details = {
        key: item for key, item in evaluation.details.items() if key not in evaluation.scores
    }
    records: dict[str, Any] = {
        name: {
            "value": score.value,
            "status": score.status,
            "forwards": score.forwards,
            "backwards": score.backwards,
            "details": score.details,
        }
        for name, score in evaluation.scores.items()
    }
    if SHARED in addresses:
        records[SHARED] = {"status": evaluation.status, "details": details}
    try:
        return {name: json.dumps(record).encode() for name, record in records.items()}
    except (TypeError, ValueError, RecursionError):
        return {}


def _as_found(evaluation: Evaluation) -> Evaluation:
    scores = {name: replace(score, seconds=0.0) for name, score in evaluation.scores.items()}
    return replace(evaluation, scores=scores, seconds=0.0, peak_bytes=0, attempts=1, stage="cache")


def _score(
    goal: Goal, *, value: Any, status: Any, forwards: Any, backwards: Any, details: Any
) -> Score:
    """Read a score strictly.

    Raises:
        TypeError, ValueError: If it is not as evo writes it.
    """
    if status == "ok":
        sound = type(value) is float and math.isfinite(value)
    else:
        sound = status == "undefined" and value is None
    if not sound or any(type(number) is not int or number < 0 for number in (forwards, backwards)):
        raise ValueError("no sound score")
    _check_details(details)
    return Score(value, status, goal, 0.0, forwards, backwards, details)


def _check_shared(*, status: Any, details: Any) -> None:
    """Read strictly what passes share.

    Raises:
        TypeError, ValueError: If it is not as evo writes it.
    """
    _check_details(details)
    if status not in KEPT or not _FIRING <= details.keys() <= {*_FIRING, "repeats"}:
        raise ValueError("no sound pass")


def _check_details(details: Any) -> None:
    if type(details) is not dict or plain(details) != details:  # infinity is not plain
        raise ValueError("no sound details")
