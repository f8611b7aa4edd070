"""Check that a run repeats: replay its decisions, and evaluate some of its candidates again.

The replay asks the strategy again, generation by generation, tells it what was stored, and compares
every candidate, every state and the result. No evaluation is needed for that, so it takes seconds;
the evaluations themselves are checked on a sample.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from evo_core.components import Component
from evo_core.errors import EvoError
from evo_core.evaluation import Candidate, Evaluation
from evo_core.executors import make_evaluator
from evo_core.generations import Asked, ask, duplicate, tell
from evo_core.memory import Memory
from evo_core.outcome import outcome
from evo_core.parts import Parts, assemble
from evo_core.plan import Plan
from evo_core.seeds import generator
from evo_core.store import Generation, Store
from evo_core.stored import given_to, plan_of

_WALL_CLOCK = ("timeout", "crashed", "oom")  # statuses that another day may not repeat


@dataclass(frozen=True, slots=True)
class Verification:
    """What a check of a run found.

    Attributes:
        run: The run folder.
        generations: How many generations were replayed.
        candidates: How many candidates were compared.
        rescored: The ids of those that were evaluated again.
        largest_difference: The largest absolute difference of a score that was evaluated again.
        differences: What does not repeat, a phrase each; empty if all does.
    """

    run: Path
    generations: int
    candidates: int
    rescored: tuple[int, ...]
    largest_difference: float
    differences: tuple[str, ...]

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
            "largest_difference": self.largest_difference,
            "differences": list(self.differences),
        }


def verify(
    run: str | Path,
    *,
    sample: int = 10,
    components: Iterable[Component] = (),
    allow_plugins: bool = False,
) -> Verification:
    """Check that a run repeats; nothing is written.

    Args:
        run: The run folder.
        sample: How many candidates are evaluated again.
        components: The records of your own that the run was started with.
        allow_plugins: Load the plugin files that the run names.

    Raises:
        EvoError: If the run can not be read, or has no complete generation.

    Example:
        >>> verify("runs/first").repeats  # doctest: +SKIP
    """
    with closing(Store.open(Path(run))) as store:
        settings = [{"executor": "serial", "observers": []}]
        plan = plan_of(store, settings, components, allow_plugins=allow_plugins)
        complete = store.generations()
        if not complete:
            raise EvoError(f"{run} has no complete generation yet; there is nothing to verify")
        stored = {candidate.id: (candidate, one) for candidate, one in store.evaluated()}
        memory = Memory(plan.objectives)
        with assemble(plan, given_to(store, plan)) as parts:
            found = list(_replay(plan, parts, memory, stored, complete))
        found += _result(plan, store, memory)
    again = _sample(plan, memory, sample)
    largest, changed = _evaluate(plan, [stored[number] for number in again])
    return Verification(
        Path(run), memory.generations, len(memory.done), again, largest, (*found, *changed)
    )


def _replay(
    plan: Plan,
    parts: Parts,
    memory: Memory,
    stored: dict[int, tuple[Candidate, Evaluation]],
    complete: list[Generation],
) -> Iterator[str]:
    """Go through the generations until one does not repeat."""
    for kept in complete:
        asked = ask(plan, parts, memory)
        difference = _asked_otherwise(asked, stored, cut=plan.config.max_seconds is not None)
        if difference:
            yield f"generation {asked.number + 1}: {difference}"
            return
        there = [stored[one.id] for one in asked.candidates if one.id in stored]
        for candidate, evaluation in there:
            memory.keep(candidate, evaluation)
        yield from (fault for one in there if (fault := _settled_otherwise(plan, memory, *one)))
        report = tell(parts, memory, asked, there, kept.report.seconds)
        if json.loads(json.dumps(memory.state)) != kept.state:
            yield f"generation {asked.number + 1}: the strategy is in another state after it"
            return
        if report != kept.report:
            yield f"generation {asked.number + 1}: its report says something else"


def _asked_otherwise(
    asked: Asked, stored: dict[int, tuple[Candidate, Evaluation]], *, cut: bool
) -> str | None:
    """Compare the candidates asked for with those stored; some are missing if time was over."""
    wanted = {candidate.id: candidate for candidate in asked.candidates}
    there = {
        number: candidate
        for number, (candidate, _) in stored.items()
        if candidate.generation == asked.number
    }
    for number, candidate in there.items():
        if wanted.get(number) != candidate:
            return f"candidate {number} is not the one that the strategy asks for"
    missing = sorted(wanted.keys() - there.keys())
    if missing and not cut:
        return f"candidate {missing[0]} is not stored"
    return None


def _settled_otherwise(
    plan: Plan, memory: Memory, candidate: Candidate, evaluation: Evaluation
) -> str | None:
    """Check that a candidate which no worker evaluated was settled as it had to be."""
    original = memory.by_architecture.get(candidate.architecture)
    if evaluation.stage == "duplicate":
        if original is None or evaluation != duplicate(original, candidate):
            return f"candidate {candidate.id} is no duplicate of {evaluation.copied_from}"
    elif (plan.violation(candidate.genome) is None) == (evaluation.stage == "constraint"):
        return f"candidate {candidate.id} was taken for what the constraints say it is not"
    return None


def _result(plan: Plan, store: Store, memory: Memory) -> Iterator[str]:
    """Compare what the run tells of its end with what its evaluations say."""
    result = store.result()
    if result is None or result.generations != memory.generations:
        return  # it is not over
    chosen = {(repeat.candidate, repeat.init): repeat for repeat in store.rescores()}
    again = outcome(plan, store.folder, memory, list(chosen.values()))
    again = replace(again, status=result.status, reason=result.reason)
    if result.status == "done" and again.to_json(timings=False) != result.to_json(timings=False):
        yield "the result is not what its evaluations give"
    path = store.folder / "result.json"
    text = json.dumps(result.to_json(timings=False), indent=2, allow_nan=False) + "\n"
    if not path.is_file() or path.read_bytes() != text.encode():
        yield "result.json is not as evo wrote it"


def _sample(plan: Plan, memory: Memory, size: int) -> tuple[int, ...]:
    """Choose who is evaluated again: the best, and others at random."""
    numbers = [
        number
        for number, (_, one) in sorted(memory.done.items())
        if one.stage in ("evaluate", "cache") and one.status not in _WALL_CLOCK
    ]
    best = memory.best()
    first = [best["id"]] if best is not None and best["id"] in numbers else []
    rest = [number for number in numbers if number not in first]
    order = generator(plan.config.seed, "verify").permutation(len(rest))
    return tuple(sorted([*first, *(rest[place] for place in order)][:size]))


def _evaluate(plan: Plan, pairs: list[tuple[Candidate, Evaluation]]) -> tuple[float, list[str]]:
    """Evaluate candidates again, and compare statuses and scores."""
    evaluator = make_evaluator(plan.job) if pairs else None
    largest, differences = 0.0, []
    for candidate, before in pairs:
        assert evaluator is not None
        now = evaluator.evaluate(candidate)
        if now.status != before.status:
            differences.append(f"candidate {candidate.id} is {now.status}, was {before.status}")
        for name, score in before.scores.items():
            value = now.scores[name].value if name in now.scores else None
            if value != score.value:
                differences.append(
                    f"candidate {candidate.id}: {name} is {value}, was {score.value}"
                )
            if value is not None and score.value is not None:
                largest = max(largest, abs(value - score.value))
    return largest, differences
