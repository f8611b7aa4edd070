"""What this package offers to evo."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge

from evo_core.components import Component, FitnessFunction, option
from evo_core.hookspecs import hookimpl


@dataclass(frozen=True, slots=True)
class ZicoOptions:
    """Options of ``zico``."""

    parts: Annotated[int, Ge(2)] = option(4, "how many parts the batch is split into")


@hookimpl
def evo_components() -> Iterable[Component]:
    """Offer the fitness functions of gradients and weights."""
    yield from _of_the_loss()
    yield from _of_the_jacobian()
    yield FitnessFunction(
        name="grasp",
        summary="what a gradient step does to the gradient flow (GraSP)",
        goal="max",
        needs=("network", "labels"),
        score="evo_gradients.grasp:grasp",
    )
    yield FitnessFunction(
        name="zico",
        summary="steadiness of gradients over parts of the batch (ZiCo)",
        options=ZicoOptions,
        goal="max",
        needs=("network", "labels"),
        score="evo_gradients.zico:zico",
    )
    yield FitnessFunction(
        name="synflow",
        summary="logarithm of the synaptic flow through the linearised network; reads no data",
        goal="max",
        needs=("network",),
        score="evo_gradients.synflow:synflow",
    )


def _of_the_loss() -> Iterable[Component]:
    for name, summary in (
        ("snip", "sum of |weight x gradient| of the loss (SNIP)"),
        ("grad-norm", "sum over layers of the norm of the gradient"),
        ("fisher", "Fisher information of the channels of all layers"),
    ):
        yield FitnessFunction(
            name=name,
            summary=summary,
            goal="max",
            needs=("gradients",),
            score=f"evo_gradients.saliency:{name.replace('-', '_')}",
        )


def _of_the_jacobian() -> Iterable[Component]:
    yield FitnessFunction(
        name="jacob-cov",
        summary="how little the gradients by different inputs are correlated",
        goal="max",
        needs=("network",),
        score="evo_gradients.jacobian:jacob_cov",
    )
    yield FitnessFunction(
        name="epe-nas",
        summary="correlation of the gradients by inputs of one class (EPE-NAS)",
        goal="max",
        needs=("network", "labels"),
        score="evo_gradients.jacobian:epe_nas",
    )
