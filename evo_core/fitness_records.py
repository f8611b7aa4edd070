"""The records of fitness functions: what scores a network, and what combines scores."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, get_args

from evo_core.errors import EvoError, did_you_mean
from evo_core.record import Component, Ref, option

Goal = Literal["max", "min"]
Need = Literal[
    "graph", "gram", "spikes", "rates", "network", "labels", "gradients", "trained"
]  # fmt: skip
NEEDS: tuple[Need, ...] = get_args(Need)
Needs = tuple[Need, ...] | Callable[[Any], tuple[Need, ...]]
_COLLECTED: frozenset[Need] = frozenset(("spikes", "rates"))


@dataclass(frozen=True, slots=True, kw_only=True)
class FitnessFunction(Component):
    """A score of one candidate.

    Attributes:
        goal: Whether ``"max"`` or ``"min"`` is better.
        needs: What it reads, of ``graph``, ``gram``, ``spikes``, ``rates``, ``network``,
            ``labels``, ``gradients``, ``trained``, or ``needs(options)``, which tells; the cheapest
            way to meet the needs of all fitness functions together is taken once per candidate.
        score: ``score(view, options) -> float | Score``; not finite or None means undefined.
        collect: ``collect(record, options) -> value``, called with every SpikeRecord (need
            ``spikes``) or every RateRecord (need ``rates``) as it passes; the values reach
            ``score`` in order as ``view.collected``.
    """

    kind: ClassVar[str] = "fitness"

    goal: Goal
    needs: Needs
    score: Ref
    collect: Ref | None = None

    def __post_init__(self) -> None:
        Component.__post_init__(self)
        if self.goal not in get_args(Goal):
            raise EvoError(f"fitness {self.name!r} has goal {self.goal!r}; take 'max' or 'min'")
        if not callable(self.needs):
            self._check(self.needs)
            if self.collect is not None and not _COLLECTED & set(self.needs):
                raise self._needs_together()

    def needs_with(self, options: Any) -> frozenset[Need]:
        """Tell what it reads under the given options.

        Raises:
            EvoError: If ``needs(options)`` names something that can not be read.
        """
        needs = self.needs(options) if callable(self.needs) else self.needs
        self._check(needs)
        return frozenset(needs)

    def _check(self, needs: tuple[Need, ...]) -> None:
        for need in needs:
            if need not in NEEDS:
                raise EvoError(
                    f"fitness {self.name!r} needs {need!r}; {did_you_mean(str(need), NEEDS)}"
                )
        collected = _COLLECTED & set(needs)
        if len(collected) > 1:
            raise EvoError(f"fitness {self.name!r} can collect 'spikes' or 'rates', not both")
        if collected and self.collect is None:
            raise self._needs_together()

    def _needs_together(self) -> EvoError:
        return EvoError(
            f"fitness {self.name!r}: one of the needs 'rates', 'spikes' and a collect function "
            "go together"
        )


@dataclass(frozen=True, slots=True)
class Parts:
    """Options of a combiner, or the base of such options."""

    of: str = option("", "the scores that are combined, with plus signs between, e.g. rdm+nwot")


@dataclass(frozen=True, slots=True, kw_only=True)
class Combiner(Component):
    """Several scores in one, by the ranks that they give a set of networks.

    Attributes:
        options: A dataclass with the field ``of``; :class:`Parts` has no other.
        combine: ``combine(ranks, options) -> values``: of ranks ``[scores, networks]`` in (0, 1], 1
            for the best, makes values ``[networks]``, of which more is better.
    """

    kind: ClassVar[str] = "combiner"

    options: type[Any] = Parts
    combine: Ref
