"""What this package offers to evo: the fitness functions ``rdm`` and ``rdm-released``."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from evo_core.components import Component, FitnessFunction, Need, option
from evo_core.hookspecs import hookimpl

Metric = Literal["hamming", "euclidean", "cosine", "pearson"]
Feature = Literal["step", "rate"]
Normalise = Literal["size", "expected", "none"]


@dataclass(frozen=True, slots=True)
class RdmOptions:
    """Options of ``rdm``; the formulas are in :mod:`evo_rdm.distances`.

    Raises:
        ValueError: If ``normalise="expected"`` has nothing to divide by.
    """

    metric: Metric = option("hamming", "how two response patterns are compared")
    feature: Feature = option("step", "the pattern: spikes of each step, or rates over all steps")
    normalise: Normalise = option(
        "size", "divide by the layer size, by the distance expected at the firing rates, by nothing"
    )

    def __post_init__(self) -> None:
        if self.normalise != "expected":
            return
        if self.feature == "rate":
            raise ValueError(
                "normalise=expected takes feature=step: "
                "mean rates do not tell how far apart two rate patterns should be"
            )
        if self.metric == "pearson":
            raise ValueError(
                "normalise=expected does nothing to metric=pearson, "
                "whose expected distance is 1 at any rate; take normalise=size"
            )


def needs(options: RdmOptions) -> tuple[Need, ...]:
    """Tell what ``rdm`` reads: Gram matrices of each step, or the rates over all steps."""
    return ("gram",) if options.feature == "step" else ("rates",)


@hookimpl
def evo_components() -> Iterable[Component]:
    """Offer the fitness functions."""
    yield FitnessFunction(
        name="rdm",
        summary="mean dissimilarity of the responses to different inputs (MSE-NAS)",
        options=RdmOptions,
        goal="max",
        needs=needs,
        collect="evo_rdm.score:collect",
        score="evo_rdm.score:rdm",
    )
    yield FitnessFunction(
        name="rdm-released",
        summary="the Manhattan score of the released MSE-NAS code; grows with layer width",
        goal="max",
        needs=("gram",),
        score="evo_rdm.released:rdm_released",
    )
