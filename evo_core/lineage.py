"""What a candidate inherited and passed on, for tables and for people."""

from __future__ import annotations

from typing import Any

from evo_core.evaluation import Candidate, Evaluation
from evo_core.plan import Plan
from evo_core.spaces import DevelopedSpace

COLUMNS = ("inherits", "mutations", "body", "epochs", "inherited_epochs")


def cells(candidate: Candidate, evaluation: Evaluation) -> tuple[Any, ...]:
    """Give what stands under :data:`COLUMNS`; mutations stand as ``name:seed``."""
    inherited = candidate.inheritance
    training = evaluation.details.get("training", {})
    return (
        inherited.bodies if inherited is not None else (),
        tuple(f"{name}:{seed}" for name, seed in inherited.mutations) if inherited else (),
        evaluation.body,
        training.get("epochs"),
        training.get("inherited"),
    )


def to_json(plan: Plan, candidate: Candidate, evaluation: Evaluation) -> dict[str, Any]:
    """Describe how a candidate developed, as JSON types."""
    named = dict(zip(COLUMNS, cells(candidate, evaluation), strict=True))
    return {
        "develop": plan.config.develop,
        "inherit": plan.config.inherit,
        "choices": _choices(plan, candidate),
        "parents": list(candidate.parents),
        **{key: list(one) if isinstance(one, tuple) else one for key, one in named.items()},
    }


def lines(plan: Plan, candidate: Candidate, evaluation: Evaluation) -> list[str]:
    """Describe the same for people."""
    chosen = ", ".join(f"{name} {one}" for name, one in _choices(plan, candidate).items())
    found = [f"  develops by {plan.config.develop}{f', {chosen}' if chosen else ''}"]
    training = evaluation.details.get("training")
    if training:
        found += [f"  trained {training['epochs']} epochs, {training['inherited']} before that"]
    inherited = candidate.inheritance
    if inherited is not None:
        steps = ", ".join(name for name, _ in inherited.mutations) or "nothing"
        bodies = " and ".join(body[:12] for body in inherited.bodies)
        found += [f"  began with body {bodies}, changed by {steps}"]
    if evaluation.body is not None:
        found += [f"  left body {evaluation.body[:12]}"]
    return found


def _choices(plan: Plan, candidate: Candidate) -> dict[str, str]:
    space = plan.space
    return space.choices(candidate.genome) if isinstance(space, DevelopedSpace) else {}
