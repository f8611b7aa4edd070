"""What this package offers to evo."""

from __future__ import annotations

from collections.abc import Iterable

from evo_core.components import Combiner, Component
from evo_core.hookspecs import hookimpl


@hookimpl
def evo_components() -> Iterable[Component]:
    """Offer the combiners."""
    yield Combiner(
        name="mean-rank",
        summary="mean over scores of the rank that each gives a network among the others",
        combine="evo_ranks.combine:mean_rank",
    )
    yield Combiner(
        name="log-rank",
        summary="sum over scores of the logarithm of that rank, as in AZ-NAS",
        combine="evo_ranks.combine:log_rank",
    )
