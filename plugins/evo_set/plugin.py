"""Offers the development ``set``."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge, Gt, Le

from evo_core import Component, Development, hookimpl, option


@dataclass(frozen=True, slots=True)
class SetOptions:
    """Options of ``set``."""

    density: Annotated[float, Gt(0), Le(1)] = option(0.2, "share of the weights that are there")
    replaced: Annotated[float, Ge(0), Le(1)] = option(
        0.3, "share of them pruned, and grown elsewhere, after each epoch"
    )

    rewired: Annotated[float, Ge(0), Le(1)] = option(
        0.2, "share of them pruned and grown at random when a child inherits them"
    )


@hookimpl
def evo_components() -> Iterable[Component]:
    """Offer the development."""
    yield Development(
        name="set",
        summary="sparse evolutionary training: weak weights are pruned, others grow at random",
        options=SetOptions,
        attach="evo_set.sparse:attach",
        after_backward="evo_set.sparse:after_backward",
        after_epoch="evo_set.sparse:after_epoch",
        tensors="evo_set.sparse:tensors",
        restore="evo_set.sparse:restore",
        numbers="evo_set.sparse:numbers",
        genes="evo_set.evolving:genes",
        configure="evo_set.evolving:configure",
        mutations={"rewire": "evo_set.evolving:rewire"},
        mate="evo_set.evolving:mate",
    )
