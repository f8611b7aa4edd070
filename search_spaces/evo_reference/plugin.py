"""What this package offers to evo: the space ``reference``."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from evo_core.components import Component, SearchSpace, option
from evo_core.hookspecs import hookimpl
from evo_core.primitives import Count


@dataclass(frozen=True, slots=True)
class ReferenceOptions:
    """Options of ``reference``; the defaults are the networks as they are described."""

    channels: Count | None = option(
        None, "channels of the first convolution, the others in proportion; by default as described"
    )
    hidden: Count | None = option(
        None, "neurons of the hidden fully connected layer; by default as described"
    )
    conv_neuron: str = option(
        "plif[threshold=1.0,surrogate=atan]", "the neuron model behind convolutions"
    )
    fc_neuron: str = option("lif", "the neuron model behind fully connected layers")
    pool: Literal["max", "average"] = option(
        "max", "how spikes are pooled; max is published, average can be written as NIR"
    )
    spiking_output: bool = option(
        True, "each class has a spiking neuron, as published; false: logits are its input current"
    )


@hookimpl
def evo_components() -> Iterable[Component]:
    """Offer the space."""
    yield SearchSpace(
        name="reference",
        summary="fixed networks to compare with: 2fc, 2conv2fc, 6conv2fc",
        options=ReferenceOptions,
        build="evo_reference.space:build",
    )
