"""What a fitness function reads of a candidate."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from evo_core.architecture import Architecture
from evo_core.recipe import Recipe
from evo_core.seeds import torch_generator
from evo_core.snn.gradients import Gradients, run
from evo_core.snn.operations import Statistics
from evo_core.train_results import EpochMetrics


@dataclass(frozen=True, slots=True)
class SpikeRecord:
    """The spikes of one population at one time step.

    Attributes:
        population: Its name, ``"<state>:<neuron>"``.
        step: The time step, from 0.
        spikes: 0 and 1, ``[B, N]`` for N neurons, float32 or float64.
    """

    population: str
    step: int
    spikes: Tensor


@dataclass(frozen=True, slots=True)
class RateRecord:
    """How often each neuron of one population fired over the whole sequence.

    Attributes:
        population: Its name, ``"<state>:<neuron>"``.
        counts: Spikes of each neuron over all time steps, ``[B, N]``, whole numbers.
        steps: The number T of time steps.
    """

    population: str
    counts: Tensor
    steps: int

    @property
    def rates(self) -> Tensor:
        """The time-mean firing rate of each neuron, spikes per time step, ``[B, N]``."""
        return self.counts / self.steps


@dataclass(frozen=True, slots=True)
class GramRecord:
    """The Gram matrix of one population at one time step: all that pattern distances need.

    Attributes:
        population: Its name, ``"<state>:<neuron>"``.
        step: The time step, from 0.
        gram: ``X X^T`` of the spikes X ``[B, N]``: shared spikes of each pair, ``[B, B]``, float64.
        counts: Spikes of each sample, ``[B]``: the diagonal of ``gram``.
        size: The number N of neurons.
        fanout: How many edges read the population. In published code each edge has neurons of its
            own, all with these spikes; a population stands for that many of them.
    """

    population: str
    step: int
    gram: Tensor
    counts: Tensor
    size: int
    fanout: int = 1


@dataclass(frozen=True, slots=True)
class Trained:
    """A trained network.

    Attributes:
        network: The SpikingJelly module, in training mode.
        history: Its epochs, with the accuracy on the validation split.
        forwards: How many batches were passed forward, those of the validation split counted.
        backwards: How many were passed backward.
    """

    network: nn.Module
    history: tuple[EpochMetrics, ...]
    forwards: int
    backwards: int


@dataclass(frozen=True, slots=True)
class View:
    """One candidate under one draw of weights and one batch; what was not asked for is empty.

    Attributes:
        architecture: The network as a graph; None for a torch module of the user's own.
        grams: One GramRecord per population and step (need ``gram``).
        collected: What the function's own ``collect`` gave, in the order of firing (``spikes``), or
            in the order in which populations made their last step (``rates``).
        logits: ``[T, B, classes]``, float32, whenever a forward pass was made; else None.
        inputs: The batch, ``[T, B, C, H, W]``; None when only the graph is needed.
        labels: Its classes, ``[B]``; None when only the graph is needed.
        duplicates: Which samples of the batch are the very same input, ``[B, B]``, bool, True on
            the diagonal; None when only the graph is needed.
        network: Builds the SpikingJelly module with the same weights, a new one at each call.
        statistics: What BatchNorm averaged over in the pass. Given the inputs step by step
            (``"step"``) or in one call (``"sequence"``), the module fires as the pass did, in
            float32 whatever the precision of the pass.
        gradients: Gives the gradients of the loss of the batch; computed once, whoever asks.
        seed: Of the random numbers that a score draws itself.
        init: The number of the draw of the weights.
        trained: ``trained(recipe)`` trains the network from the same weights on the train split;
            once for each recipe, whoever asks. What it gives is shared and not to be changed.
    """

    architecture: Architecture | None
    grams: tuple[GramRecord, ...] = ()
    collected: tuple[Any, ...] = ()
    logits: Tensor | None = None
    inputs: Tensor | None = None
    labels: Tensor | None = None
    duplicates: Tensor | None = None
    network: Callable[[], nn.Module] | None = None
    statistics: Statistics = "step"
    gradients: Callable[[], Gradients] | None = None
    seed: int = 0
    init: int = 0
    trained: Callable[[Recipe], Trained] | None = None

    def run(self, network: nn.Module, inputs: Tensor | None = None) -> Tensor:
        """Run a new network as the pass ran: logits ``[T, B, classes]``.

        Args:
            network: What ``network()`` gave, perhaps changed since.
            inputs: ``[T, B, ...]``; by default the batch.
        """
        given = self.inputs if inputs is None else inputs
        assert given is not None
        return run(network, given, self.statistics)

    def generator(self, purpose: str) -> torch.Generator:
        """Give the random numbers of a score, on the CPU; others for each draw of the weights."""
        return torch_generator(self.seed, purpose, self.init)


def flat(spikes: Tensor) -> Tensor:
    """Put the neurons of ``[T', B, ...]`` in a row, ``[T', B, N]``, in whatever order they lie."""
    if spikes.dim() == 5 and not spikes.is_contiguous():
        spikes = spikes.permute(0, 1, 3, 4, 2)  # channels last
    return spikes.flatten(2)


def gram_matrices(patterns: Tensor) -> Tensor:
    """Give ``X X^T`` of binary X ``[..., B, N]``: ``[..., B, B]``, float64.

    The numbers are exact for fewer than 2^24 neurons, although single factors may be rounded to
    bfloat16 or TF32 where a processor is fast at that: these types hold 0 and 1, and the sums are
    kept in float32.
    """
    wide = patterns if patterns.dtype == torch.float64 else patterns.float()
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("medium")
    try:
        return (wide @ wide.mT).double()
    finally:
        torch.set_float32_matmul_precision(before)


def gram_record(record: SpikeRecord, fanout: int = 1) -> GramRecord:
    """Make the Gram matrix of a spike record."""
    gram = gram_matrices(record.spikes)
    size = record.spikes.shape[1]
    return GramRecord(record.population, record.step, gram, gram.diagonal(), size, fanout)


def duplicates_in(inputs: Tensor) -> Tensor:
    """Tell which samples of a batch ``[T, B, ...]`` are the very same input: ``[B, B]``, bool."""
    rows = inputs.transpose(0, 1).flatten(1)
    return torch.stack([(rows == row).all(1) for row in rows])
