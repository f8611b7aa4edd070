"""Offers the development ``sdsnn``."""

from __future__ import annotations

from collections.abc import Iterable

from evo_core import Component, Development, hookimpl
from evo_sdsnn.options import SdsnnOptions


@hookimpl
def evo_components() -> Iterable[Component]:
    """Offer the development."""
    yield Development(
        name="sdsnn",
        summary="SD-SNN: synapses are constrained, neurons and synapses pruned and regenerated",
        options=SdsnnOptions,
        attach="evo_sdsnn.develop:attach",
        after_backward="evo_sdsnn.develop:after_backward",
        after_epoch="evo_sdsnn.develop:after_epoch",
        tensors="evo_sdsnn.develop:tensors",
        restore="evo_sdsnn.develop:restore",
        numbers="evo_sdsnn.develop:numbers",
        check="evo_sdsnn.checking:check",
        genes="evo_sdsnn.genes:genes",
        configure="evo_sdsnn.genes:configure",
        mutations={
            "constrain": "evo_sdsnn.mutating:constrain",
            "prune": "evo_sdsnn.mutating:prune",
            "regenerate": "evo_sdsnn.mutating:regenerate",
        },
        mate="evo_sdsnn.mating:mate",
    )
