"""What a network must keep to be evaluated: ``params<2e6``, or ``NAME`` alone, which means > 0.

A constraint compares a fitness function that reads only the graph with a number. It is checked on
the decoded network before anything is sent to a worker, so it costs next to nothing.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from evo_core.architecture import Architecture
from evo_core.binding import Binder, Bound
from evo_core.components import FitnessFunction, load
from evo_core.errors import EvoError
from evo_core.evaluation import Score
from evo_core.registry import one_line

_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_FORM = re.compile(r"([\w-]+(?:\[.*\])?)\s*(?:(<=|>=|<|>)\s*(\S+))?")


@dataclass(frozen=True, slots=True)
class Constraint:
    """A bound on what a fitness function gives.

    Attributes:
        fitness: The fitness function with its options; it reads only the graph.
        comparison: ``<``, ``<=``, ``>`` or ``>=``.
        limit: The number, as it was written.
    """

    fitness: Bound[FitnessFunction]
    comparison: str
    limit: str

    @property
    def text(self) -> str:
        """The constraint as it may be written."""
        return f"{self.fitness.text}{self.comparison}{self.limit}"

    def keeps(self, value: float) -> bool:
        """Tell whether a value satisfies the constraint."""
        return _COMPARISONS[self.comparison](value, float(self.limit))

    def measure(self, architecture: Architecture) -> tuple[float | None, str | None]:
        """Give the value of a network, or None, and what is wrong with it, or None."""
        from evo_core.snn.view import View  # imports torch

        name = self.fitness.text
        try:
            score = Score.of(
                load(self.fitness.record.score)(View(architecture), self.fitness.options)
            )
        except Exception as error:  # noqa: BLE001  (a stranger's function; its fault is recorded)
            return None, f"{name} fails: {one_line(error)}"
        if score.value is None or score.status != "ok":
            return None, f"{name} is undefined"
        if self.keeps(score.value):
            return score.value, None
        return score.value, f"{name} is {_number(score.value)}, not {self.comparison} {self.limit}"


def parse_constraint(text: str) -> tuple[str, str, str]:
    """Read ``NAME[options] OP NUMBER``; ``NAME`` alone stands for ``NAME > 0``.

    >>> parse_constraint("params < 2e6")
    ('params', '<', '2e6')
    >>> parse_constraint("exportable")
    ('exportable', '>', '0')

    Raises:
        EvoError: If it is of another form, or the number is not finite.
    """
    match = _FORM.fullmatch(text.strip())
    if match is None:
        raise EvoError(
            f"constraint {text!r} is not of the form NAME<NUMBER, with <, <=, > or >=, "
            "nor a NAME alone"
        )
    name, comparison, limit = match[1], match[2] or ">", match[3] or "0"
    try:
        finite = math.isfinite(float(limit))
    except ValueError:
        finite = False
    if not finite:
        raise EvoError(f"constraint {text!r}: {limit!r} is no finite number; write e.g. 2e6")
    return name, comparison, limit


def bind_constraints(binder: Binder, texts: Iterable[str]) -> tuple[Constraint, ...]:
    """Look up the fitness functions that constraints name.

    Raises:
        EvoError: If one is of another form, names no fitness function, or one that reads more than
            the graph.
    """
    return tuple(_bind(binder, text) for text in texts)


def violation(constraints: Iterable[Constraint], architecture: Architecture) -> str | None:
    """Say which constraint a network violates first and how; None if it keeps all of them.

    A fitness function that fails, or is undefined for the network, counts as violated.
    """
    problems = (constraint.measure(architecture)[1] for constraint in constraints)
    return next((problem for problem in problems if problem is not None), None)


def none_keeps(constraints: Sequence[Constraint], architectures: Sequence[Architecture]) -> str:
    """Say on one line which constraint none of some networks keeps, and how near they come."""
    for constraint in constraints:
        measured = [constraint.measure(architecture) for architecture in architectures]
        problems = [problem for _, problem in measured if problem is not None]
        if len(problems) < len(measured):
            continue
        values = [value for value, _ in measured if value is not None]
        return f"keeps {constraint.text}; {_nearest(constraint, values) or problems[0]}"
    texts = " and ".join(constraint.text for constraint in constraints)
    return f"keeps {texts} together, though each by itself is kept"


def _bind(binder: Binder, text: str) -> Constraint:
    name, comparison, limit = parse_constraint(text)
    try:
        bound = binder.bind(FitnessFunction, name)
        needs = bound.record.needs_with(bound.options) - {"graph"}
    except EvoError as error:
        raise EvoError(f"constraint {text!r}: {error}") from None
    if needs:
        raise EvoError(
            f"constraint {text!r}: {bound.text} reads more than the graph "
            f"({', '.join(sorted(needs))}); a constraint must be cheap, e.g. params<2e6"
        )
    return Constraint(bound, comparison, limit)


def _nearest(constraint: Constraint, values: Sequence[float]) -> str | None:
    if not values:
        return None
    below = constraint.comparison in ("<", "<=")
    word, value = ("smallest", min(values)) if below else ("largest", max(values))
    return f"the {word} {constraint.fitness.text} is {_number(value)}"


def _number(value: float) -> str:
    return f"{value:,.12g}"
