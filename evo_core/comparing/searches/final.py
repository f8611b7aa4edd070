"""The number by which searches are compared: what the best network of each is worth.

A search keeps what was lucky under the weights it drew, the more so the longer it looked. So a
network is judged under fresh weights that its search has not seen: those of ``rescore``, where the
run has them for that fitness, or drawn and evaluated now, in the same way and as many.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from evo_core.binding import Binder, parse_reference
from evo_core.comparing.searches.read import Search
from evo_core.components import FitnessFunction, Goal
from evo_core.config import Layer, from_layers
from evo_core.errors import EvoError
from evo_core.evaluation import Candidate, Evaluation
from evo_core.executors import make_evaluator
from evo_core.parts import assemble
from evo_core.registry import installed
from evo_core.rescore import repeats_of, rescore
from evo_core.results import Spread
from evo_core.stored import check_plugins
from evo_core.sweeps import NOT_THE_SEARCH
from evo_core.targets import Target, check_task, resolve

CACHE = "scores.sqlite"
_NOT_THE_SCORE = {*NOT_THE_SEARCH, "rescore", "plugins", "out"}


@dataclass(frozen=True, slots=True)
class Final:
    """What the best network of a run is worth.

    Attributes:
        draws: Its value under each fresh draw of the weights; a single one where the fitness reads
            the graph alone.
        source: ``run`` if the run had it, ``now`` if it was evaluated for the comparison.
        reason: Why there is no value; None if there is one.
    """

    draws: Spread
    source: Literal["run", "now"]
    reason: str | None = None

    @property
    def value(self) -> float | None:
        """The mean over the draws; None if one of them gave none."""
        return self.draws.mean


@dataclass(frozen=True, slots=True)
class By:
    """What is compared: a fitness by its canonical text, and over how many draws of the weights.

    ``settings`` makes a run evaluate it with these options, whatever its own tables say.
    """

    name: str
    goal: Goal
    draws: int
    settings: Layer


def choose(
    searches: Sequence[Search], by: str | None, layers: Sequence[Layer], *, allow_plugins: bool
) -> By:
    """Find the fitness to compare by; without one: accuracy, or else what all have searched for.

    Raises:
        EvoError: If there is no such fitness, or none that all share.
    """
    objectives = {one.name: one for search in searches for one in search.result.objectives}
    text = by or _default(searches, layers, allow_plugins=allow_plugins)
    given = from_layers(*layers)
    draws = _draws(searches, text, layers)
    if all(text in _names(search) for search in searches):
        return By(text, objectives[text].goal, draws, {})
    for search in searches:
        check_plugins(search.folder, search.config, layers, allow_plugins=allow_plugins)
    plugins = [*given.plugins, *(one for search in searches for one in search.config.plugins)]
    registry = installed(tuple(dict.fromkeys(plugins)))
    bound = Binder(registry, given.options).bind(FitnessFunction, text)
    table = dataclasses.asdict(bound.options)
    settings: Layer = {bound.record.name: table} if table else {}
    return By(bound.text, bound.record.goal, draws, settings)


def finals(
    searches: Sequence[Search],
    by: By,
    out: Path,
    layers: Sequence[Layer] = (),
    *,
    allow_plugins: bool = False,
) -> list[Final]:
    """Say what the best of each run is worth, and evaluate what no run tells.

    What is evaluated is kept in ``out/scores.sqlite``, under all that it depends on, so that a
    second call takes it from there. Nothing is written before every network is found.

    Raises:
        EvoError: If a network can not be evaluated here.
    """
    files = dict.fromkeys(file for one in searches for file in one.config.plugins)
    if allow_plugins and files:  # what one run brought along, all are judged by
        layers = [*layers, {"plugins": list(files)}]
    kept = not any(layer.keys() - _NOT_THE_SCORE for layer in layers)
    found = [stored(search, by) if kept else None for search in searches]
    wanted = {
        number: _target(search, by, out, layers, allow_plugins=allow_plugins)
        for number, search in enumerate(searches)
        if found[number] is None and search.result.best is not None
    }
    if wanted:
        out.mkdir(parents=True, exist_ok=True)
    nothing = Final(Spread((None,)), "run", "no candidate could be selected")
    return [
        one or (_evaluate(wanted[number]) if number in wanted else nothing)
        for number, one in enumerate(found)
    ]


def stored(search: Search, by: By) -> Final | None:
    """Give what a run itself knows of its best under fresh weights; None if it does not."""
    best = search.result.best
    if best is None or by.name not in best.scores:
        return None
    fresh = best.rescored.get(by.name)
    if fresh is not None:
        draws = fresh.values[: by.draws]
        return _final(draws, "run", None) if len(draws) == by.draws else None
    if not search.config.rescore:
        return None  # nothing tells whether it depends on the weights
    return _final((best.scores[by.name].value,), "run", None)


def _default(searches: Sequence[Search], layers: Sequence[Layer], *, allow_plugins: bool) -> str:
    shared = [name for name in _names(searches[0]) if all(name in _names(one) for one in searches)]
    for name in shared:
        if parse_reference(name)[0] == "accuracy":
            return name
    plan = resolve(str(searches[0].folder), layers, allow_plugins=allow_plugins).plan
    if len(plan.splits.validation):
        return "accuracy"
    if not shared:
        raise EvoError(
            f"{plan.config.data} has no validation samples for accuracy, and the searches share no "
            "fitness; name one with --by"
        )
    return shared[0]


def _draws(searches: Sequence[Search], text: str, layers: Sequence[Layer]) -> int:
    """Say under how many draws of the weights every network is judged.

    As many as all runs have that know the fitness; one if none does, for more seeds tell more than
    more draws under the same seed. A layer with ``rescore`` says otherwise.
    """
    if any("rescore" in layer for layer in layers):
        return max(1, from_layers(*layers).rescore)
    known = [search.config.rescore for search in searches if text in _names(search)]
    return max(1, min(known, default=1))


def _names(search: Search) -> list[str]:
    return [one.name for one in search.result.objectives]


def _target(
    search: Search, by: By, out: Path, layers: Sequence[Layer], *, allow_plugins: bool
) -> Target:
    """Find the best of a run, to be evaluated as the comparison wants it.

    The limits of the search were meant for its own fitness; executor and workers are chosen here,
    for a folder of somebody else may name any.
    """
    below: Layer = {"executor": "loky", "workers": 0, "timeout": None, "memory": None}
    above: Layer = {
        "fitness": [by.name],
        "rescore": by.draws,
        "observers": [],
        "cache": str(out / CACHE),
    }
    stack = [below, *layers, by.settings, above]
    target = resolve(str(search.folder), stack, allow_plugins=allow_plugins)
    check_task(target)
    return target


def _evaluate(target: Target) -> Final:
    assert target.genome is not None
    candidate = Candidate(target.candidate or 0, target.genome, target.architecture.hash)
    wanted = repeats_of(target.plan, [candidate])
    if not wanted:
        one = make_evaluator(target.plan.job).score(candidate.id, target.architecture)
        return _of([one], target)
    with assemble(target.plan) as parts:
        repeats = sorted(rescore(wanted, parts.executor), key=lambda repeat: repeat.init)
    return _of([repeat.evaluation for repeat in repeats], target)


def _of(evaluations: Sequence[Evaluation], target: Target) -> Final:
    objectives = target.plan.objectives
    values = [one.values(objectives) for one in evaluations]
    failed = next((one for one, value in zip(evaluations, values, strict=True) if not value), None)
    reason = _reason(failed, objectives[0].name) if failed else None
    return _final([value[0] if value else None for value in values], "now", reason)


def _reason(one: Evaluation, name: str) -> str:
    """Say why an evaluation has no value: an error by its last line."""
    if one.error:
        return f"{one.status}: {one.error.strip().splitlines()[-1]}"
    score = one.scores.get(name)
    why = score.details.get("reason") if score else None
    return str(why or (one.status if one.status != "ok" else "undefined"))


def _final(
    draws: Sequence[float | None], source: Literal["run", "now"], reason: str | None
) -> Final:
    if reason is None and None in draws:
        reason = f"undefined under {sum(one is None for one in draws)} of {len(draws)} draws"
    return Final(Spread(tuple(draws)), source, reason)
