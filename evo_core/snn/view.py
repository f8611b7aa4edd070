"""What a fitness function reads of a candidate."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from evo_core.architecture import Architecture


@dataclass(frozen=True, slots=True)
class SpikeRecord:
    """The spikes of one population at one time step.

    Attributes:
        population: Its name, ``"<state>:<neuron>"``.
        step: The time step, from 0.
        spikes: 0 and 1, ``[B, N]`` for N neurons.
    """

    population: str
    step: int
    spikes: Tensor


@dataclass(frozen=True, slots=True)
class GramRecord:
    """The Gram matrix of one population at one time step: all that pattern distances need.

    Attributes:
        population: Its name, ``"<state>:<neuron>"``.
        step: The time step, from 0.
        gram: ``X X^T`` of the spikes X ``[B, N]``: shared spikes of each pair, ``[B, B]``, float64.
        counts: Spikes of each sample, ``[B]``: the diagonal of ``gram``.
        size: The number N of neurons.
    """

    population: str
    step: int
    gram: Tensor
    counts: Tensor
    size: int


@dataclass(frozen=True, slots=True)
class View:
    """One candidate under one draw of weights and one batch; what was not asked for is empty.

    Attributes:
        architecture: The network as a graph.
        grams: One GramRecord per population and step (need ``gram``).
        collected: What the function's own ``collect`` gave, in the order of firing (``spikes``).
        logits: ``[T, B, classes]``, whenever a forward pass was made; else None.
        inputs: The batch, ``[T, B, C, H, W]``; None when only the graph is needed.
        labels: Its classes, ``[B]``; None when only the graph is needed.
        network: Builds the SpikingJelly module with the same weights, a new one at each call.
    """

    architecture: Architecture
    grams: tuple[GramRecord, ...] = ()
    collected: tuple[Any, ...] = ()
    logits: Tensor | None = None
    inputs: Tensor | None = None
    labels: Tensor | None = None
    network: Callable[[], nn.Module] | None = None


def gram_record(record: SpikeRecord) -> GramRecord:
    """Make the Gram matrix of a spike record; exact for fewer than 2^24 neurons."""
    spikes = record.spikes
    gram = (spikes @ spikes.T).double()
    return GramRecord(record.population, record.step, gram, gram.diagonal(), spikes.shape[1])
