"""Candidates, their scores and what an evaluation says."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from evo_core.components import Goal
from evo_core.genome import Genome

ScoreStatus = Literal["ok", "undefined", "error"]
EvaluationStatus = Literal[
    "ok", "invalid", "infeasible", "silent", "saturated", "nan", "oom", "timeout", "crashed",
    "error", "interrupted",
]  # fmt: skip
Stage = Literal["evaluate", "duplicate", "constraint", "cache"]


@dataclass(frozen=True, slots=True)
class Score:
    """One fitness of one candidate.

    Attributes:
        value: The number, or None when it is undefined; never NaN or infinite.
        status: ``ok``, ``undefined`` or ``error``.
        goal: Whether more or less is better; filled in by evo.
        seconds: Time spent in the fitness function itself.
        forwards: Forward passes it needed (shared ones count for each).
        backwards: Backward passes it needed.
        details: Anything worth keeping beside the number, as JSON types.
    """

    value: float | None
    status: ScoreStatus = "ok"
    goal: Goal = "max"
    seconds: float = 0.0
    forwards: int = 0
    backwards: int = 0
    details: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, value: Any) -> Score:
        """Make a score of what a fitness function gave; None, NaN and infinity are undefined.

        Raises:
            TypeError: If the value is neither a Score, a number nor None.
        """
        score = value if isinstance(value, Score) else cls(value)
        for count in (score.forwards, score.backwards):
            if not isinstance(count, int) or count < 0:
                raise TypeError(f"passes are counted in whole numbers, not {count!r}")
        details = plain(score.details)
        if score.value is None:
            status: ScoreStatus = "error" if score.status == "error" else "undefined"
            return replace(score, status=status, details=details)
        if isinstance(score.value, str | bytes):
            raise TypeError(f"a score must be a number, not {score.value!r}")
        number = float(score.value)
        if math.isfinite(number):
            return replace(score, value=number, details=details)
        return replace(score, value=None, status="undefined", details=details)

    @classmethod
    def undefined(
        cls,
        reason: str,
        *,
        forwards: int = 0,
        backwards: int = 0,
        details: Mapping[str, Any] | None = None,
    ) -> Score:
        """Make a score without a value, and say why; the reason joins the details."""
        return cls(
            None,
            "undefined",
            forwards=forwards,
            backwards=backwards,
            details={**(details or {}), "reason": reason},
        )

    def to_json(self, *, timings: bool = True) -> dict[str, Any]:
        """Write the score as JSON types; without timings, equal scores give equal text."""
        data: dict[str, Any] = {"value": self.value, "status": self.status, "goal": self.goal}
        if timings:
            data["seconds"] = round(self.seconds, 6)
        return data | {"forwards": self.forwards, "backwards": self.backwards}


def plain(value: Any) -> Any:
    """Turn a value into JSON types: arrays into lists, NaN and infinity into None."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, set | frozenset):
        return sorted((plain(item) for item in value), key=repr)
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if value is None or isinstance(value, str | int) else str(value)


@dataclass(frozen=True, slots=True)
class Inheritance:
    """What a candidate begins with, where bodies are passed on.

    Attributes:
        bodies: The digests of the bodies it takes: one, or two that are mated.
        mutations: What changes them, in order: the name, and the seed of what is drawn.
        epochs: The epochs of all trainings that they come from.
    """

    bodies: tuple[str, ...]
    mutations: tuple[tuple[str, int], ...] = ()
    epochs: int = 0


@dataclass(frozen=True, slots=True)
class Candidate:
    """A genome on its way to be evaluated.

    Attributes:
        id: Its number within the run, counted from 0.
        genome: The genome.
        architecture: The hash of the decoded network, or ``"invalid:..."`` when none decodes.
        generation: When it was made.
        parents: The ids of its parents.
        operators: The names of the operators that made it, in order.
        inits: The numbers of the initial weights to score it under; empty for those of the search.
        key: What tells it from others: the hash of the network, or a digest of all that decides
            its evaluation where it develops.
        inheritance: What it begins with; None for initial weights.
        weights: The folder of the bodies that it inherits, while it is on its way.
    """

    id: int
    genome: Genome
    architecture: str
    generation: int = 0
    parents: tuple[int, ...] = ()
    operators: tuple[str, ...] = ()
    inits: tuple[int, ...] = ()
    key: str = ""
    inheritance: Inheritance | None = None
    weights: str = ""

    def __post_init__(self) -> None:
        if not self.key:
            object.__setattr__(self, "key", self.architecture)


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What evaluating a candidate gave.

    Attributes:
        candidate: The id of the candidate.
        status: ``ok``, or why it can not be selected.
        scores: One Score per fitness, by canonical text.
        details: Firing rate, silent populations and what fitness functions add, as JSON types.
        seconds: Wall time of the evaluation.
        peak_bytes: The largest resident memory its worker has had.
        error: What went wrong, when something did.
        copied_from: The candidate with the same architecture whose evaluation this repeats.
        attempts: How often it was tried: more than once if its worker died or ran out of memory.
        stage: Where it was settled: evaluated by a worker, as the duplicate of a network that was,
            by a constraint, or from the shared cache.
        body: The digest of what its training left, where that can be inherited.
        tensors: The body itself on its way to the run folder, as a safetensors file.
    """

    candidate: int
    status: EvaluationStatus
    scores: dict[str, Score] = field(default_factory=dict)
    details: dict[str, Any] = field(default_factory=dict)
    seconds: float = 0.0
    peak_bytes: int = 0
    error: str | None = None
    copied_from: int | None = None
    attempts: int = 1
    stage: Stage = "evaluate"
    body: str | None = None
    tensors: bytes = field(default=b"", repr=False, compare=False)

    def values(self, objectives: tuple[Objective, ...]) -> tuple[float, ...] | None:
        """Give the value of each objective, or None if the candidate is not selectable."""
        scores = [self.scores.get(objective.name) for objective in objectives]
        if self.status != "ok" or any(score is None or score.status != "ok" for score in scores):
            return None
        return tuple(float(score.value) for score in scores if score and score.value is not None)


@dataclass(frozen=True, slots=True)
class Repeat:
    """The evaluation of one candidate under one fresh draw of the weights."""

    candidate: int
    init: int
    evaluation: Evaluation


@dataclass(frozen=True, slots=True)
class Objective:
    """One axis of the search: the canonical text of a fitness and its direction."""

    name: str
    goal: Goal

    @property
    def sign(self) -> int:
        """+1 to maximise, -1 to minimise."""
        return 1 if self.goal == "max" else -1
