"""Check that a run repeats: replay its decisions, and evaluate some of its candidates again.

The replay asks the strategy again, generation by generation, tells it what was stored, and compares
every candidate, every state and the result. No evaluation is needed for that, so it takes seconds;
the evaluations themselves are checked on a sample.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from evo_core.bodies import Bodies, body_in
from evo_core.components import Component
from evo_core.errors import EvoError
from evo_core.evaluation import Candidate, Evaluation
from evo_core.executors import make_evaluator
from evo_core.memory import Memory
from evo_core.parts import assemble
from evo_core.plan import Plan
from evo_core.provenance import differences, lock
from evo_core.replaying import repeats_to_check, replay, result_differs
from evo_core.seeds import generator
from evo_core.store import Store
from evo_core.stored import given_to, plan_of

_OF_THE_DAY = ("timeout", "crashed", "oom")  # statuses that another day need not repeat


@dataclass(frozen=True, slots=True)
class Verification:
    """What a check of a run found.

    Attributes:
        run: The run folder.
        generations: How many generations were replayed.
        candidates: How many candidates were compared.
        rescored: The ids of those that were evaluated again.
        unverified: How many can not be checked: they timed out, crashed or ran out of memory, or
            what they inherited is gone.
        largest_difference: The largest absolute difference of a score that was evaluated again.
        differences: What does not repeat, a phrase each; empty if all does.
        changed: What the run was made with and is another now: evo, plugins, libraries.
    """

    run: Path
    generations: int
    candidates: int
    rescored: tuple[int, ...]
    unverified: int
    largest_difference: float
    differences: tuple[str, ...]
    changed: tuple[str, ...] = ()

    @property
    def repeats(self) -> bool:
        """Whether everything that was checked repeats exactly."""
        return not self.differences

    def to_json(self) -> dict[str, Any]:
        """Write the check as JSON types."""
        return {
            "run": str(self.run),
            "repeats": self.repeats,
            "generations": self.generations,
            "candidates": self.candidates,
            "rescored": list(self.rescored),
            "unverified": self.unverified,
            "largest_difference": self.largest_difference,
            "differences": list(self.differences),
            "changed": list(self.changed),
        }


def verify(
    run: str | Path,
    *,
    sample: int = 10,
    components: Iterable[Component] = (),
    plugins: Sequence[str] = (),
    allow_plugins: bool = False,
) -> Verification:
    """Check that a run repeats; nothing is written.

    Args:
        run: The run folder.
        sample: How many candidates are evaluated again; the best one under its fresh inits too.
        components: The records of your own that the run was started with.
        plugins: The plugin files it was started with.
        allow_plugins: Load the plugin files that the run names.

    Raises:
        EvoError: If the run can not be read, or has no complete generation.

    Example:
        >>> verify("runs/first").repeats  # doctest: +SKIP
    """
    settings = {"executor": "serial", "observers": [], "plugins": list(plugins)}
    with closing(Store.open(Path(run))) as store:
        plan = plan_of(store, [settings], components, allow_plugins=allow_plugins)
        plan = _without_cache(plan)
        complete = store.generations()
        if not complete:
            raise EvoError(f"{run} has no complete generation yet; there is nothing to verify")
        stored = {candidate.id: (candidate, one) for candidate, one in store.evaluated()}
        memory = Memory(plan.objectives)
        with assemble(plan, given_to(store, plan)) as parts:
            found = list(replay(plan, parts, memory, stored, complete))
        if not found:
            found += result_differs(plan, store, memory)
        repeats = repeats_to_check(store, memory) if sample else []
        changed = differences(store.fact("lock") or lock(plan), lock(plan))
    lost = _lost(store.bodies, memory)
    again = _sample(plan, memory, sample, lost)
    pairs = [(store.bodies.locate(stored[number][0]), stored[number][1]) for number in again]
    pairs += [
        (replace(stored[one.candidate][0], inits=(one.init,)), one.evaluation) for one in repeats
    ]
    largest, otherwise = _evaluate(plan, pairs)
    return Verification(
        Path(run),
        memory.generations,
        len(memory.done),
        again,
        len(lost),
        largest,
        (*found, *otherwise),
        tuple(changed),
    )


def _without_cache(plan: Plan) -> Plan:
    config = replace(plan.config, cache=None)
    return replace(plan, job=replace(plan.job, config=config))


def _lost(bodies: Bodies, memory: Memory) -> set[int]:
    """Name the candidates that nothing can evaluate again as they were."""
    return {
        number
        for number, (candidate, one) in memory.done.items()
        if one.status in _OF_THE_DAY
        or (candidate.inheritance is not None and not bodies.has(candidate.inheritance.bodies))
    }


def _sample(plan: Plan, memory: Memory, size: int, lost: Collection[int]) -> tuple[int, ...]:
    """Choose who is evaluated again: the best, and others at random."""
    numbers = [
        number
        for number, (_, one) in sorted(memory.done.items())
        if one.stage in ("evaluate", "cache") and number not in lost
    ]
    best = memory.best()
    first = [best["id"]] if best is not None and best["id"] in numbers else []
    rest = [number for number in numbers if number not in first]
    order = generator(plan.config.seed, "verify").permutation(len(rest))
    return tuple(sorted([*first, *(rest[place] for place in order)][:size]))


def _evaluate(plan: Plan, pairs: list[tuple[Candidate, Evaluation]]) -> tuple[float, list[str]]:
    """Evaluate candidates again, and compare statuses and scores."""
    evaluator = make_evaluator(plan.job) if pairs else None
    largest, found = 0.0, []
    for candidate, before in pairs:
        assert evaluator is not None
        if before.status in _OF_THE_DAY:
            continue
        name = f"candidate {candidate.id}"
        name += "".join(f" under init {init}" for init in candidate.inits)
        now = evaluator.evaluate(candidate)
        if now.status != before.status:
            found.append(f"{name} is {now.status}, was {before.status}")
        if before.body is not None and not candidate.inits and body_in(now) != before.body:
            found.append(f"{name} leaves another body")
        for fitness, score in before.scores.items():
            value = now.scores[fitness].value if fitness in now.scores else None
            if value != score.value:
                found.append(f"{name}: {fitness} is {value}, was {score.value}")
            if value is not None and score.value is not None:
                largest = max(largest, abs(value - score.value))
    return largest, found
