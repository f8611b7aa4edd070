"""The sample that a comparison of scores is made of."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evo_core.components import Goal

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
_FEWEST_TO_LEVEL = 5
_CHANCE_ODDS = 1.25  # a network at chance misses it by what a small test set allows


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """Networks, and what each score says of each of them under each seed.

    Args:
        networks: Genomes as text, e.g. ``"1,0,2"``, N of them.
        goals: The direction of every score and of the reference, by canonical text, in the order
            asked for.
        reference: The name of what all scores are held against; a key of ``goals`` and ``values``.
        values: By name [N, S], NaN where undefined or not scored under that seed.
        undefined: By name, how many of those that were evaluated have no value.
        seconds: By name [N, S], what scoring a network took, NaN where it is not known.
        baselines: Scores that are always shown, e.g. ``params``.
        strata: By name of what is stratified by, the label of each network; may be empty.
        chance: The reference of a network that guesses, e.g. 0.1 in ten classes, or None.
    """

    networks: tuple[str, ...]
    goals: Mapping[str, Goal]
    reference: str
    values: Mapping[str, Floats]
    undefined: Mapping[str, int]
    seconds: Mapping[str, Floats]
    baselines: tuple[str, ...]
    strata: Mapping[str, tuple[str, ...]]
    chance: float | None

    @property
    def scores(self) -> tuple[str, ...]:
        """All scores but the reference, in the order asked for."""
        return tuple(name for name in self.goals if name != self.reference)

    def means(self, name: str) -> Floats:
        """Give the mean over seeds of each network [N], NaN where no seed has a finite value.

        What a seed does to all networks alike is taken out before, see :func:`level`. To 12 digits:
        0.1 + 0.2 and 0.15 + 0.15 are ties, whatever their last bit says.
        """
        values, _ = level(np.where(np.isfinite(self.values[name]), self.values[name], np.nan))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # of networks without any value
            means = np.nanmean(values, axis=1)
        return np.array([float(f"{mean:.12g}") for mean in means], dtype=np.float64)

    def oriented(self, name: str) -> Floats:
        """Give the means over seeds [N], negative where smaller is declared better."""
        return self.means(name) if self.goals[name] == "max" else -self.means(name)

    def at_chance(self) -> Mask:
        """Tell which networks [N] do no better than guessing by the reference.

        Those whose odds of being right are at most 1.25 times those of chance: 0.122 in ten
        classes, 0.556 in two. All False where there is no chance level.
        """
        if self.chance is None:
            return np.zeros(len(self.networks), dtype=bool)
        means, chance = self.means(self.reference), self.chance
        if self.goals[self.reference] == "min":
            means, chance = 1 - means, 1 - chance
        odds = _CHANCE_ODDS * chance / (1 - chance)
        return np.asarray(means <= odds / (1 + odds))


def level(values: Floats) -> tuple[Floats, int]:
    """Take out what a seed does to all networks alike, such as a batch on which all fire more.

    It says nothing of a network, but would set those that were scored under all seeds apart from
    those that were not. It is told by the networks that have a value under each seed.

    Args:
        values: ``[N, S]``, NaN where there is none.

    Returns:
        The values, and how many degrees of freedom that took: 0 if fewer than five networks have
        all values, which leaves everything as it is.
    """
    seeds = np.isfinite(values).any(axis=0)
    complete = values[np.isfinite(values[:, seeds]).all(axis=1)][:, seeds]
    if complete.shape[1] < 2 or len(complete) < _FEWEST_TO_LEVEL:
        return values, 0
    shifts = (complete - complete[:, :1]).mean(axis=0)
    found = values.copy()
    found[:, seeds] -= shifts - shifts.mean()
    return found, complete.shape[1] - 1
