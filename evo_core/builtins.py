"""What evo_core itself offers, by the same door as every plugin."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import Ge, Gt, Le, Lt

from evo_core.components import (
    Component,
    Dataset,
    Executor,
    NeuronModel,
    Observer,
    Operator,
    Strategy,
    option,
)
from evo_core.genome import SCALES
from evo_core.hookspecs import hookimpl

Surrogate = Literal["piecewise-quadratic", "atan", "sigmoid"]
Positive = Annotated[float, Gt(0), Lt(math.inf)]


@dataclass(frozen=True, slots=True)
class LifParameters:
    """Parameters of the leaky integrate-and-fire neuron; the defaults are the published ones."""

    tau: Annotated[float, Gt(1), Lt(math.inf)] = option(2.0, "membrane time constant in time steps")
    threshold: Positive = option(0.5, "membrane potential at which it fires")
    surrogate: Surrogate = option("piecewise-quadratic", "surrogate gradient, used in training")
    alpha: Positive = option(2.0, "steepness of the surrogate gradient")


@dataclass(frozen=True, slots=True)
class IfParameters:
    """Parameters of the integrate-and-fire neuron."""

    threshold: Positive = option(0.5, "membrane potential at which it fires")
    surrogate: Surrogate = option("piecewise-quadratic", "surrogate gradient, used in training")
    alpha: Positive = option(2.0, "steepness of the surrogate gradient")


@dataclass(frozen=True, slots=True)
class Nsga2Options:
    """Options of ``nsga2``."""

    protect: Annotated[float, Ge(0), Le(1)] = option(
        0.5, "share of the survivors kept for all choices of the macro genes alike; published: 0"
    )


@dataclass(frozen=True, slots=True)
class MuPlusLambdaOptions:
    """Options of ``mu-plus-lambda``."""

    offspring: Annotated[int, Ge(0)] = option(0, "children per generation; 0 means population")


@dataclass(frozen=True, slots=True)
class PolynomialOptions:
    """Options of ``polynomial``; the defaults are the published ones."""

    eta: Annotated[float, Ge(0)] = option(3.0, "distribution index; larger means smaller steps")
    probability: Annotated[float, Ge(0), Le(1)] = option(
        0.0, "probability that a gene is touched; 0 means one over the number of genes"
    )


@hookimpl
def evo_components() -> Iterable[Component]:
    """Offer neurons, operators, strategies, data, executors and observers."""
    yield NeuronModel(
        name="lif",
        summary="leaky integrate-and-fire, hard reset to zero",
        options=LifParameters,
        module="evo_core.snn.neurons:lif_module",
        step="evo_core.snn.steps:lif",
        run="evo_core.snn.steps:run_lif",
    )
    yield NeuronModel(
        name="if",
        summary="integrate-and-fire without leak, hard reset to zero",
        options=IfParameters,
        module="evo_core.snn.neurons:if_module",
        step="evo_core.snn.steps:integrate_and_fire",
        run="evo_core.snn.steps:run_if",
    )
    yield NeuronModel(
        name="plif",
        summary="LIF whose time constant is learnt, one for each population",
        options=LifParameters,
        module="evo_core.snn.neurons:plif_module",
        step="evo_core.snn.steps:plif",
        run="evo_core.snn.steps:run_lif",
    )
    yield _digits()
    yield from _operators()
    yield from _strategies()
    yield from _executors()
    yield Observer(
        name="progress",
        summary="live display in a terminal, plain lines elsewhere",
        build="evo_core.progress:build",
    )
    yield Observer(
        name="figures",
        summary="draws fitness, motif frequency and the best network when the run ends",
        build="evo_core.figures:build",
    )


def _digits() -> Dataset:
    return Dataset(
        name="digits",
        summary="1,797 scans of handwritten digits, 8x8, comes with scikit-learn",
        load="evo_core.data:digits",
        shape=(1, 8, 8),
        classes=10,
        licence="CC BY 4.0 (UCI, Alpaydin and Kaynak)",
    )


def _operators() -> Iterable[Operator]:
    yield Operator(
        name="two-point",
        summary="exchange what lies between two cut points, as published",
        scale="any",
        parents=2,
        apply="evo_core.operators:two_point",
    )
    yield Operator(
        name="polynomial",
        summary="step to near values of the genes, as published; weak, see docs/runs.md",
        options=PolynomialOptions,
        scale="any",
        parents=1,
        apply="evo_core.operators:polynomial",
    )
    for scale in SCALES:
        yield Operator(
            name=f"mate-{scale}",
            summary=f"exchange genes of the {scale} scale one by one",
            scale=scale,
            parents=2,
            apply=f"evo_core.operators:mate_{scale}",
        )
        yield Operator(
            name=f"mutate-{scale}",
            summary=f"change at least one active gene of the {scale} scale",
            scale=scale,
            parents=1,
            apply=f"evo_core.operators:mutate_{scale}",
        )


def _strategies() -> Iterable[Strategy]:
    yield Strategy(
        name="nsga2",
        summary="binary tournament and NSGA-II survival, macro choices protected",
        options=Nsga2Options,
        build="evo_core.strategies:Nsga2",
    )
    yield Strategy(
        name="mu-plus-lambda",
        summary="the best of old and new survive, by the first fitness",
        options=MuPlusLambdaOptions,
        build="evo_core.strategies:MuPlusLambda",
    )
    yield Strategy(
        name="random",
        summary="uniform random search, the baseline to beat",
        build="evo_core.strategies:RandomSearch",
    )


def _executors() -> Iterable[Executor]:
    yield Executor(
        name="serial",
        summary="one candidate after the other in this process",
        build="evo_core.executors:Serial",
        parallel=False,
    )
    yield Executor(
        name="loky",
        summary="worker processes on this machine (joblib's loky)",
        build="evo_core.loky_workers:Loky",
    )
