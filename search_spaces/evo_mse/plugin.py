"""What this package offers to evo: the space ``mse`` and its five motifs.

The motifs follow the textbook definitions of the five circuit motifs (L. Luo, "Architectures of
neuronal circuits", Science 2021), repaired against the published templates.
"""

from __future__ import annotations

from collections.abc import Iterable

from evo_core.components import Component, Motif, SearchSpace
from evo_core.hookspecs import hookimpl
from evo_mse.options import MseOptions

MOTIFS = (
    Motif(
        name="FE",
        summary="feed-forward excitation: the drive is passed on and amplified along a chain",
        nodes=("a = +(x*)", "b = +(a) + id(x0)"),
        output=("a", "b"),
    ),
    Motif(
        name="FI",
        summary="feed-forward inhibition: the source excites the target and its inhibitor",
        nodes=("a = +(x*)", "i = +(a)", "b = +(a) -(i) + id(x0)"),
        output=("a", "b"),
    ),
    Motif(
        name="FbI",
        summary="feedback inhibition: the target recruits the inhibition of its own source",
        nodes=("a = +(x*)", "b = +(a) + id(x0)", "i = +(b)"),
        feedback=("a <- -(i)",),
        output=("a", "b"),
    ),
    Motif(
        name="LI",
        summary="lateral inhibition: parallel pathways inhibit their neighbour",
        nodes=(
            "p = +(xeven)",
            "q = +(xodd)",
            "p2 = +(p) -(q) + id(x0)",
            "q2 = +(q) -(p) + id(x1)",
        ),
        output=("p2", "q2"),
    ),
    Motif(
        name="MI",
        summary="mutual inhibition: two pathways inhibit each other reciprocally",
        nodes=("p = +(xeven)", "q = +(xodd)", "p2 = +(p) + id(x0)", "q2 = +(q) + id(x1)"),
        feedback=("p <- -(q)", "q <- -(p)"),
        output=("p2", "q2"),
    ),
)


@hookimpl
def evo_components() -> Iterable[Component]:
    """Offer the space and its motifs."""
    yield SearchSpace(
        name="mse",
        summary="neuron operation, motif and macro connectivity (MSE-NAS, repaired)",
        options=MseOptions,
        build="evo_mse.space:build",
    )
    yield from MOTIFS
