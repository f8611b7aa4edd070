"""One score of what a fitness function gave for each draw of the weights and each batch."""

from __future__ import annotations

from collections.abc import Sequence

from evo_core.evaluation import Score


def mean(parts: Sequence[Score]) -> Score:
    """Average the repeats, inits before batches; one undefined repeat leaves it undefined."""
    values = [part.value for part in parts if part.value is not None and part.status == "ok"]
    details = parts[0].details
    if len(parts) > 1:
        details = {"values": [part.value for part in parts]}
        if any(part.details for part in parts):
            details["repeats"] = [part.details for part in parts]
    extra = {
        "forwards": sum(part.forwards for part in parts),
        "backwards": sum(part.backwards for part in parts),
        "details": details,
    }
    if len(values) < len(parts):
        failed = any(part.status == "error" for part in parts)
        return Score(None, "error" if failed else "undefined", **extra)  # type: ignore[arg-type]
    return Score(sum(values) / len(values), **extra)  # type: ignore[arg-type]
