"""Replay the decisions of a run from what it has stored, and say where it decided otherwise."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

from evo_core.evaluation import Candidate, Evaluation, Repeat
from evo_core.generations import Asked, ask, duplicate, tell
from evo_core.memory import Memory
from evo_core.outcome import outcome, to_rescore
from evo_core.parts import Parts
from evo_core.plan import Plan
from evo_core.rescore import repeats_of
from evo_core.results import RunResult
from evo_core.store import Generation, Store

Stored = dict[int, tuple[Candidate, Evaluation]]


def replay(
    plan: Plan, parts: Parts, memory: Memory, stored: Stored, complete: list[Generation]
) -> Iterator[str]:
    """Go through the generations until one does not repeat; the memory takes in what was stored.

    Yields:
        What differs, a phrase each.
    """
    for kept in complete:
        asked = ask(plan, parts, memory)
        there = _pairs_of(asked.number, stored)
        cut = plan.config.max_seconds is not None
        difference = _asked_otherwise(asked, there, cut=cut)
        if difference:
            yield f"generation {asked.number + 1}: {difference}"
            return
        yield from _take_in(plan, memory, there)
        report = tell(parts, memory, asked, there, kept.report.seconds)
        if json.loads(json.dumps(memory.state)) != kept.state:
            yield f"generation {asked.number + 1}: the strategy is in another state after it"
            return
        if report != kept.report:
            yield f"generation {asked.number + 1}: its report says something else"
    begun = _pairs_of(memory.generations, stored)
    if begun:
        difference = _asked_otherwise(ask(plan, parts, memory), begun, cut=True)
        if difference:
            yield f"generation {memory.generations + 1}: {difference}"
        yield from _take_in(plan, memory, begun)


def result_differs(plan: Plan, store: Store, memory: Memory) -> Iterator[str]:
    """Compare what a run tells of its end with what its evaluations say; nothing while it goes on.

    Yields:
        What differs, a phrase each.
    """
    result = store.result()
    if result is None:
        return
    repeats = store.rescores()
    if result.status == "done":
        wanted = {(one.id, init) for one, init in repeats_of(plan, to_rescore(memory))}
        if wanted != {(one.candidate, one.init) for one in repeats}:
            yield "other candidates were scored under fresh inits than the front"
    again = outcome(plan, store.folder, memory, repeats)
    again = replace(again, status=result.status, reason=result.reason)
    if _told(again) != _told(result):
        yield "the result is not what its evaluations give"
    path = store.folder / "result.json"
    text = json.dumps(result.to_json(timings=False), indent=2, allow_nan=False) + "\n"
    if not path.is_file() or path.read_bytes() != text.encode():
        yield "result.json is not as evo wrote it"


def repeats_to_check(store: Store, memory: Memory) -> list[Repeat]:
    """Give the scores of the best candidate under fresh inits, those that failed left out."""
    best = memory.best()
    return [one for one in store.rescores() if best is not None and one.candidate == best["id"]]


def _told(result: RunResult) -> dict[str, object]:
    """Give what a result tells; one that was cut off may tell less of the fresh inits."""
    data = result.to_json(timings=False)
    if result.status != "done":
        del data["best_rescored"]
        for solution in [data["best"], *data["front"]]:
            if solution is not None:
                del solution["rescored"]
    return data


def _pairs_of(generation: int, stored: Stored) -> list[tuple[Candidate, Evaluation]]:
    return [pair for _, pair in sorted(stored.items()) if pair[0].generation == generation]


def _asked_otherwise(
    asked: Asked, there: list[tuple[Candidate, Evaluation]], *, cut: bool
) -> str | None:
    """Compare the candidates asked for with those stored; some are missing if time was over."""
    wanted = {candidate.id: candidate for candidate in asked.candidates}
    for candidate, _ in there:
        if wanted.get(candidate.id) != candidate:
            return f"candidate {candidate.id} is not the one that the strategy asks for"
    missing = sorted(wanted.keys() - {candidate.id for candidate, _ in there})
    if missing and not cut:
        return f"candidate {missing[0]} is not stored"
    return None


def _take_in(
    plan: Plan, memory: Memory, pairs: list[tuple[Candidate, Evaluation]]
) -> Iterator[str]:
    """Remember evaluations, and check those that no worker made."""
    for candidate, evaluation in pairs:
        memory.keep(candidate, evaluation)
    for candidate, evaluation in pairs:
        fault = _settled_otherwise(plan, memory, candidate, evaluation)
        if fault:
            yield f"candidate {candidate.id} {fault}"


def _settled_otherwise(
    plan: Plan, memory: Memory, candidate: Candidate, one: Evaluation
) -> str | None:
    if one.stage == "duplicate":
        original = memory.by_key.get(candidate.key)
        same = original is not None and one == duplicate(original, candidate)
        return None if same else f"is no duplicate of candidate {one.copied_from}"
    if one.copied_from is not None:
        return "was evaluated and copied at once"
    refused = plan.violation(candidate.genome)
    if refused is None:
        fits = one.stage != "constraint" and one.status != "infeasible"
        return None if fits else "violates no constraint, but was refused for one"
    if (one.stage, one.status, one.scores, one.error) != ("constraint", "infeasible", {}, refused):
        return f"has to be refused: {refused}"
    return None
