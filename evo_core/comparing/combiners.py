"""Combinations of scores by their ranks: they belong to a set of networks, not to one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata

from evo_core.binding import Binder, Bound, parse_reference
from evo_core.comparing.sample import Floats
from evo_core.components import Combiner, FitnessFunction, Goal, load
from evo_core.errors import EvoError


@dataclass(frozen=True, slots=True)
class Combination:
    """A combination of scores: more is better.

    Attributes:
        bound: The combiner with its options; its text names the combination.
        parts: The scores, by canonical text.
    """

    bound: Bound[Combiner]
    parts: tuple[str, ...]

    def values(self, scores: Mapping[str, Floats], goals: Mapping[str, Goal]) -> Floats:
        """Combine scores by rank, each seed by itself.

        The rank of a network is its place from the worst (1) up, divided by the number of networks,
        and the mean of the places where networks tie: in (0, 1], 1 for the best.

        Args:
            scores: At least the parts, ``[N, S]``, NaN where undefined.
            goals: The direction of each.

        Returns:
            ``[N, S]``; NaN where any part is undefined. Networks are ranked among those for which
            all are defined.
        """
        stacked = np.stack(
            [scores[one] if goals[one] == "max" else -scores[one] for one in self.parts]
        )
        combine = load(self.bound.record.combine)
        found = np.full(stacked.shape[1:], np.nan)
        for seed in range(stacked.shape[2]):
            there = np.isfinite(stacked[:, :, seed]).all(axis=0)
            if there.any():
                ranks = rankdata(stacked[:, there, seed], axis=1) / there.sum()
                found[there, seed] = combine(ranks, self.bound.options)
        return found


def combination(binder: Binder, text: str) -> Combination | None:
    """Look up ``mean-rank[of=A+B+...]``, parts with their options in brackets; None for a score.

    Raises:
        EvoError: If it is a combination, but not of two scores or more, all different.
    """
    name = parse_reference(text)[0]
    if name not in binder.registry.all(Combiner):
        return None
    bound = binder.bind(Combiner, text)
    written = _split_plus(bound.options.of)
    if len(written) < 2 or "" in written:
        raise EvoError(f"{text!r} does not name two scores to combine; write {name}[of=rdm+nwot]")
    parts = tuple(binder.bind(FitnessFunction, part).text for part in written)
    if len(set(parts)) < len(parts):
        raise EvoError(f"{text!r} names a score twice")
    return Combination(bound, parts)


def _split_plus(text: str) -> tuple[str, ...]:
    """Split at plus signs outside brackets."""
    parts, depth = [""], 0
    for character in text:
        depth += (character in "[{") - (character in "]}")
        if character == "+" and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    return tuple(part.strip() for part in parts)
