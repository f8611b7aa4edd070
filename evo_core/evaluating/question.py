"""What is asked of networks: under which conditions, how often and how they are measured."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from evo_core.errors import EvoError, unknown
from evo_core.evaluating.given import at_least, listed, number, texts, whole

CLEAN, DROP, STEPS = "clean", "drop-events", "timesteps"
SPLITS = ("test", "validation")
ENERGY = ("simple", "spikesim")


@dataclass(frozen=True, slots=True)
class Noise:
    """A kind of noise: what its level says, and between which numbers it lies, 0 aside."""

    summary: str
    least: float
    most: float


NOISE: Mapping[str, Noise] = {
    "gaussian": Noise(
        "a normal number is added to each value; the level is its standard deviation in units of "
        "the input range; values are clipped to that range",
        0.0,
        10.0,
    ),
    "salt-pepper": Noise(
        "each value becomes the lowest or the highest of the input range, either equally often, "
        "with the level as probability",
        0.0,
        1.0,
    ),
    "shot": Noise(
        "each value becomes a count of photons (Poisson), 1 / level^2 of them at the top of the "
        "input range, where the level is the standard deviation in units of that range; values "
        "are clipped to that range",
        0.001,
        10.0,
    ),
}
DROPPED = Noise("each event, or spike of an encoded image, is lost with the level as chance", 0, 1)


@dataclass(frozen=True, slots=True)
class Condition:
    """One way to show the samples.

    Attributes:
        kind: ``"clean"``, a kind of noise, ``"drop-events"`` or ``"timesteps"``.
        level: How strong; of ``"timesteps"`` how many.
    """

    kind: str
    level: float = 0.0

    def __str__(self) -> str:
        if self.kind == CLEAN:
            return CLEAN
        return f"T = {self.level:g}" if self.kind == STEPS else f"{self.kind} {self.level:g}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked of every network alike.

    Attributes:
        split: ``"test"`` or ``"validation"``.
        samples: So many of it, classes in proportion; None for all.
        conditions: How they are shown; the first is clean.
        energy: Energy models of SpikingJelly.
        repeats: How often what is random is drawn.
        seed: The seed of these draws.
    """

    split: str
    samples: int | None
    conditions: tuple[Condition, ...]
    energy: tuple[str, ...]
    repeats: int
    seed: int

    def kinds(self) -> list[str]:
        """Name the kinds of conditions besides clean, each once, in their order."""
        return [one for one in dict.fromkeys(each.kind for each in self.conditions) if one != CLEAN]


def ask(
    *,
    split: str = "test",
    samples: int | None = None,
    noise: str | Iterable[str] = (),
    drop_events: str | float | Iterable[str | float] = (),
    timesteps: str | int | Iterable[str | int] = (),
    energy: str | Iterable[str] = ENERGY,
    repeats: int = 3,
    seed: int = 0,
) -> Question:
    """Read what is asked; levels are put in order, and 0, which is ``clean``, is left out.

    A value alone stands for a list of one; what is named twice is asked once.

    Raises:
        EvoError: If a name does not exist or a number does not fit.
    """
    if split not in SPLITS:
        raise unknown("split", str(split), SPLITS)
    models = tuple(dict.fromkeys(texts("energy", energy)))
    for name in models:
        if name not in ENERGY:
            raise unknown("energy model", name, ENERGY)
    levels = _noise(noise)
    levels[DROP] = {_level(DROP, DROPPED, one) for one in listed(drop_events)}
    strengths = (Condition(kind, one) for kind in levels for one in sorted(levels[kind]) if one)
    steps = (Condition(STEPS, one) for one in sorted({_steps(one) for one in listed(timesteps)}))
    return Question(
        split=split,
        samples=None if samples is None else at_least(1, "samples", samples),
        conditions=(Condition(CLEAN), *strengths, *steps),
        energy=models,
        repeats=at_least(1, "repeats", repeats),
        seed=at_least(0, "seed", seed),
    )


def meaning(kind: str) -> str:
    """Say what the level of a kind of condition is."""
    if kind == STEPS:
        return "the level is the number of time steps that the network is shown"
    return DROPPED.summary if kind == DROP else NOISE[kind].summary


def _noise(given: str | Iterable[str]) -> dict[str, set[float]]:
    levels: dict[str, set[float]] = {}
    for text in texts("noise", given):
        kind, _, numbers = text.partition(":")
        if kind not in NOISE:
            raise unknown("noise", kind, NOISE)
        if not numbers:
            raise EvoError(f"noise {text!r} has no level; write e.g. {kind}:0.1,0.2")
        found = {_level(f"noise {kind}", NOISE[kind], one) for one in numbers.split(",")}
        levels.setdefault(kind, set()).update(found)
    return levels


def _level(what: str, noise: Noise, given: object) -> float:
    level = number(given)
    if level is None:
        raise EvoError(f"{what} has the level {given!r}, which is not a number")
    if level == 0:
        return 0.0
    if not (math.isfinite(level) and noise.least <= level <= noise.most):
        raise EvoError(
            f"{what} has the level {given}; take one from {noise.least:g} to {noise.most:g}"
        )
    return level


def _steps(given: object) -> int:
    steps = whole(given)
    if steps is None:
        raise EvoError(f"timesteps has {given!r}, which is not a whole number")
    if steps < 1:
        raise EvoError(f"timesteps has {steps}; a network is shown 1 time step or more")
    return steps
