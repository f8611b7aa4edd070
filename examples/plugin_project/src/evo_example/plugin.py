"""What the package offers. Implementations are named as text, so that listing imports no torch."""

from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge, Le

from evo_core import FitnessFunction, Motif, hookimpl, option


@dataclass(frozen=True, slots=True)
class LatencyOptions:
    share: Annotated[float, Ge(0), Le(1)] = option(0.5, "share of neurons that must have fired")


@hookimpl
def evo_components():
    yield FitnessFunction(
        name="time-to-first-spike",
        summary="time steps until a share of the neurons has fired; sooner is better",
        options=LatencyOptions,
        goal="min",
        needs=("graph", "spikes"),
        collect="evo_example.latency:collect",
        score="evo_example.latency:score",
    )
    yield Motif(
        name="DI",
        summary="disinhibition: one inhibitory node silences another",
        nodes=("a = +(x*)", "i = +(a)", "j = +(a) -(i)", "b = +(a) -(j) + id(x0)"),
        output=("a", "b"),
    )
