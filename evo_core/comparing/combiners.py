"""Combinations of scores by their ranks: they belong to a set of networks, not to one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, cast, get_args

import numpy as np
from scipy.stats import rankdata

from evo_core.binding import parse_reference
from evo_core.comparing.sample import Floats
from evo_core.components import Goal
from evo_core.errors import EvoError

How = Literal["mean-rank", "log-rank"]


@dataclass(frozen=True, slots=True)
class Combination:
    """A combination of scores: larger is better.

    ``parts`` are the texts of the scores; replace them by canonical texts to get a canonical text.
    """

    how: How
    parts: tuple[str, ...]

    @property
    def text(self) -> str:
        """What :func:`combination` reads again, e.g. ``"mean-rank[of=rdm+nwot]"``."""
        return f"{self.how}[of={'+'.join(self.parts)}]"


def combination(text: str) -> Combination | None:
    """Read ``mean-rank[of=A+B+...]`` or ``log-rank[of=...]``, parts with their options in brackets.

    >>> combination("mean-rank[of=rdm[metric=pearson]+nwot]").parts
    ('rdm[metric=pearson]', 'nwot')
    >>> combination("rdm") is None
    True

    Raises:
        EvoError: If it is a combination, but not of two scores or more, all different.
    """
    name = text.strip().partition("[")[0]
    if name not in get_args(How):
        return None
    options = parse_reference(text)[1]
    example = f"write {name}[of=rdm+nwot]"
    if set(options) != {"of"} or not isinstance(options["of"], str):
        raise EvoError(f"{text!r} does not say what is combined; {example}")
    parts = _split_plus(options["of"])
    if len(parts) < 2 or len(set(parts)) < len(parts) or "" in parts:
        raise EvoError(f"{text!r} does not combine two different scores or more; {example}")
    for part in parts:
        if part.partition("[")[0] in get_args(How):
            raise EvoError(f"{text!r} combines a combination; name the scores themselves")
    return Combination(cast(How, name), parts)


def combine(values: Mapping[str, Floats], goals: Mapping[str, Goal], how: How) -> Floats:
    """Combine the scores of a set of networks by rank, each column (seed) by itself.

    The rank fraction of a network is its rank from the worst (1) up, divided by the number of
    networks, average ranks for ties: in (0, 1], 1 for the best. ``mean-rank`` is the mean of the
    fractions, ``log-rank`` the sum of their logarithms, which punishes a bad place in any score
    more than a good one elsewhere makes up for (AZ-NAS: Lee & Ham 2024, arXiv 2403.19232).

    Args:
        values: By score [N] or [N, S], NaN where undefined.
        goals: The direction of each.
        how: ``mean-rank`` or ``log-rank``.

    Returns:
        Values of the same shape, larger better; NaN where any score is undefined. Networks are
        ranked among those for which all are defined.
    """
    stacked = np.stack([one if goals[name] == "max" else -one for name, one in values.items()])
    there = np.isfinite(stacked).all(axis=0)
    ranks = rankdata(np.where(there, stacked, np.nan), axis=1, nan_policy="omit")
    with np.errstate(divide="ignore", invalid="ignore"):
        fractions = ranks / there.sum(axis=0)
        joined = fractions.mean(axis=0) if how == "mean-rank" else np.log(fractions).sum(axis=0)
    return np.where(there, joined, np.nan)


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
