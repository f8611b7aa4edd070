"""What this package offers to evo."""

from __future__ import annotations

from collections.abc import Iterable

from evo_core.components import Component, FitnessFunction
from evo_core.hookspecs import hookimpl


@hookimpl
def evo_components() -> Iterable[Component]:
    """Offer the fitness functions of patterns of spikes."""
    yield from _kernels()
    yield from _activity()
    yield FitnessFunction(
        name="swap",
        summary="number of different patterns that neurons show over the samples (SWAP)",
        goal="max",
        needs=("spikes",),
        collect="evo_patterns.swap:collect",
        score="evo_patterns.swap:swap",
    )


def _kernels() -> Iterable[Component]:
    for name, summary in (
        ("nwot", "log-determinant of how many neurons samples agree on (NASWOT); grows with size"),
        ("nwot-normalised", "nwot of the share of neurons: without the term of size"),
        ("sahd", "log-determinant of Hamming distances relative to the firing rates"),
        ("sahd-snasnet", "sahd as first released, nearly singular"),
        ("jaccard", "log-determinant of the share of spikes that samples have in common"),
    ):
        yield FitnessFunction(
            name=name,
            summary=summary,
            goal="max",
            needs=("gram",),
            score=f"evo_patterns.kernels:{name.replace('-', '_')}",
        )


def _activity() -> Iterable[Component]:
    yield FitnessFunction(
        name="firing-rate",
        summary="spikes per neuron, sample and step; a baseline, not a merit",
        goal="max",
        needs=("gram",),
        score="evo_patterns.activity:firing_rate",
    )
    yield FitnessFunction(
        name="silent-share",
        summary="share of neurons that never fire on the batch; less is better",
        goal="min",
        needs=("rates",),
        collect="evo_patterns.activity:silent",
        score="evo_patterns.activity:mean_of_populations",
    )
    yield FitnessFunction(
        name="neuron-entropy",
        summary="mean entropy of single neurons, in bits",
        goal="max",
        needs=("rates",),
        collect="evo_patterns.activity:entropy",
        score="evo_patterns.activity:mean_of_populations",
    )
