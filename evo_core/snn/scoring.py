"""The untrained pass: one forward of a batch, every spike seen once, nothing kept.

It computes what the SpikingJelly module of the same Architecture computes, with BatchNorm on the
statistics of the batch: an untrained BatchNorm in evaluation mode would leave networks silent.

What makes it fast: all steps at once wherever no next-step feedback forbids it, an input that
stands still computed once up to the first neurons, and memory written in place where no one else
reads it. Who reads what: a value may be read by several edges, so it is never written to; what an
operation of an edge has made is that edge's own, and the next operation may write to it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from evo_core.architecture import Architecture, Edge
from evo_core.components import NeuronModel, load
from evo_core.errors import EvoError
from evo_core.limits import check_deadline
from evo_core.primitives import Neuron
from evo_core.snn import operations
from evo_core.snn.operations import Statistics
from evo_core.snn.steps import over_time
from evo_core.snn.walk import Walker
from evo_core.snn.weights import Weights

OnSpikes = Callable[[str, int, Tensor], None]


def untrained_pass(
    architecture: Architecture,
    frames: Tensor,
    *,
    neurons: Mapping[str, NeuronModel],
    weights: Weights,
    on_spikes: OnSpikes,
    statistics: Statistics = "step",
) -> Tensor:
    """Run a batch through a network with fresh weights.

    Args:
        architecture: The network.
        frames: The input, ``[T, B, C, H, W]``, in the dtype and on the device of ``weights``. One
            frame expanded over T (stride 0) is an input that stands still.
        neurons: The NeuronModel records by name.
        weights: Where the initial weights come from.
        on_spikes: Called as ``on_spikes(population, step, spikes)`` with binary ``[T', B, ...]``
            for T' steps from ``step`` on: every population and step once, steps in order. The
            spikes are not to be changed.
        statistics: What BatchNorm averages over: the batch at one time step, or T and B together.

    Returns:
        The logits, ``[T, B, classes]``.

    Raises:
        EvoError: If ``statistics="sequence"`` meets next-step feedback, which forbids it.
    """
    if statistics == "sequence" and any(segment.recurrent for segment in architecture.segments):
        raise EvoError(
            "scoring.statistics='sequence' does not go with next-step feedback; take 'step'"
        )
    executor = _Pass(len(frames), neurons, weights, on_spikes, statistics)
    with torch.inference_mode():
        return Walker(architecture, executor.fire, executor.carry, ahead=True).run(frames, {})


class _Pass:
    """The states of one pass: what each population remembers and how many steps it has made."""

    def __init__(
        self,
        steps: int,
        neurons: Mapping[str, NeuronModel],
        weights: Weights,
        on_spikes: OnSpikes,
        statistics: Statistics,
    ) -> None:
        self._all_steps = steps
        self._neurons = neurons
        self._weights = weights
        self._on_spikes = on_spikes
        self._statistics = statistics
        self._states: dict[str, Any] = {}
        self._steps: dict[str, int] = {}

    def fire(self, name: str, neuron: Neuron, current: Tensor) -> Tensor:
        """Fire a population over the steps of ``current``, ``[T', B, ...]``."""
        check_deadline()
        record = self._neurons[neuron.model]
        parameters = record.options(**dict(neuron.settings))
        state, step = self._states.pop(name, None), self._steps.get(name, 0)
        run = load(record.run) if record.run is not None else over_time(load(record.step))
        spikes: Tensor
        spikes, state = run(current, state, parameters)
        self._on_spikes(name, step, spikes)
        self._steps[name] = step + len(current)
        if self._steps[name] < self._all_steps:
            self._states[name] = state
        return spikes

    def carry(self, path: str, edge: Edge, value: Tensor) -> Tensor:
        """Apply the operations of an edge after its opening neuron to ``[T', B, ...]``."""
        first = 0 if edge.neuron is None else 1
        steps, still = len(value), _stands_still(value)
        value, mine = (value[:1] if still else value), False
        for position, operation in enumerate(edge.operations[first:], first):
            where = f"{path}/{position}"
            if isinstance(operation, Neuron):
                value = self.fire(where, operation, _shown(value, steps))
                mine = False
            elif not (mine and operations.apply_in_place(operation, value, self._statistics)):
                value = operations.apply(operation, where, value, self._weights, self._statistics)
                mine = mine or not isinstance(operation, operations.VIEWS)
        return _shown(value, steps)


def _stands_still(value: Tensor) -> bool:
    """Tell whether every step of ``[T', B, ...]`` is the same memory."""
    return len(value) > 1 and value.stride(0) == 0


def _shown(value: Tensor, steps: int) -> Tensor:
    return value.expand(steps, *value.shape[1:])
