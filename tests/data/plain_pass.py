"""The untrained pass in its plainest form, kept as the reference that the fast one is held to.

One forward of a batch: neurons step by step, nothing in place, nothing left out or done at once.

It computes what the SpikingJelly module of the same Architecture computes, with BatchNorm on the
statistics of the batch: an untrained BatchNorm in evaluation mode would leave networks silent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping
from typing import Any, Literal

import torch
from torch import Tensor
from torch.nn import functional

from evo_core.architecture import INPUT, Architecture, Edge, Node, Segment, population
from evo_core.components import NeuronModel, load
from evo_core.errors import EvoError
from evo_core.limits import check_deadline
from evo_core.primitives import (
    BatchNorm,
    Clip,
    Conv,
    Crop,
    Flatten,
    GlobalAveragePool,
    Linear,
    Neuron,
    Pool,
    Primitive,
    Zero,
)
from evo_core.snn.weights import Weights

Statistics = Literal["step", "sequence"]
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
        frames: The input, ``[T, B, C, H, W]``, in the dtype and on the device of ``weights``.
        neurons: The NeuronModel records by name.
        weights: Where the initial weights come from.
        on_spikes: Called as ``on_spikes(population, step, spikes)`` with binary ``[B, ...]``, for
            each population and time step.
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
    executor = _Pass(neurons, weights, on_spikes, statistics)
    with torch.inference_mode():
        return Walker(architecture, executor.fire, executor.carry).run(frames, {})


class _Pass:
    """The states of one pass: what each population remembers and how many steps it has made."""

    def __init__(
        self,
        neurons: Mapping[str, NeuronModel],
        weights: Weights,
        on_spikes: OnSpikes,
        statistics: Statistics,
    ) -> None:
        self._neurons = neurons
        self._weights = weights
        self._on_spikes = on_spikes
        self._statistics = statistics
        self._states: dict[str, Any] = {}
        self._steps: dict[str, int] = {}
        self._drawn: dict[str, Tensor] = {}

    def fire(self, name: str, neuron: Neuron, current: Tensor) -> Tensor:
        """Fire a population over the steps of ``current``, ``[T', B, ...]``."""
        record = self._neurons[neuron.model]
        step_function = load(record.step)
        parameters = record.options(**dict(neuron.settings))
        state = self._states.get(name)
        step = self._steps.get(name, 0)
        fired = []
        for frame in current:
            check_deadline()
            spikes, state = step_function(frame, state, parameters)
            self._on_spikes(name, step, spikes)
            fired.append(spikes)
            step += 1
        self._states[name], self._steps[name] = state, step
        return torch.stack(fired)

    def carry(self, path: str, edge: Edge, value: Tensor) -> Tensor:
        """Apply the operations of an edge after its opening neuron to ``[T', B, ...]``."""
        for position, operation in enumerate(edge.operations):
            if position > 0 or edge.neuron is None:
                value = self._apply(f"{path}/{position}", operation, value)
        return value

    def _apply(self, path: str, operation: Primitive, value: Tensor) -> Tensor:
        match operation:
            case Neuron():
                return self.fire(path, operation, value)
            case Conv(inputs, outputs, kernel, stride, dilation, groups):
                shape = (outputs, inputs // groups, kernel, kernel)
                weight = self._weight(f"{path}.weight", shape, operation.fan_in)
                pad = operation.padding
                folded = functional.conv2d(
                    value.flatten(0, 1), weight, None, stride, pad, dilation, groups
                )
                return _unfolded(folded, value)
            case Linear(inputs, outputs):
                weight = self._weight(f"{path}.weight", (outputs, inputs), inputs)
                bias = self._weight(f"{path}.bias", (outputs,), inputs)
                return functional.linear(value, weight, bias)
            case BatchNorm():
                return self._normalised(value)
        return _without_weights(operation, value)

    def _normalised(self, value: Tensor) -> Tensor:
        if self._statistics == "sequence":
            folded = _batch_norm(value.flatten(0, 1))
            return _unfolded(folded, value)
        return torch.stack([_batch_norm(frame) for frame in value])

    def _weight(self, path: str, shape: tuple[int, ...], fan_in: int) -> Tensor:
        if path not in self._drawn:
            self._drawn[path] = self._weights.draw(path, shape, fan_in)
        return self._drawn[path]


def _without_weights(operation: Primitive, value: Tensor) -> Tensor:
    match operation:
        case Pool():
            return _unfolded(_pool(value.flatten(0, 1), operation), value)
        case Clip(sign):
            return value.clamp(min=0) if sign > 0 else value.clamp(max=0)
        case GlobalAveragePool():
            return value.mean((-2, -1))
        case Flatten():
            return value.flatten(2)
        case Crop(pixels):
            return value[..., pixels:, pixels:]
        case Zero():
            return value * 0
    raise TypeError(f"the untrained pass has no operation {operation}")


def _pool(frames: Tensor, pool: Pool) -> Tensor:
    sizes = (pool.kernel, pool.stride, pool.padding)
    if pool.mode == "max":
        return functional.max_pool2d(frames, *sizes, ceil_mode=True)
    return functional.avg_pool2d(frames, *sizes, ceil_mode=True, count_include_pad=False)


def _unfolded(folded: Tensor, like: Tensor) -> Tensor:
    return folded.view(*like.shape[:2], *folded.shape[1:])


def _batch_norm(frames: Tensor) -> Tensor:
    return functional.batch_norm(frames, None, None, training=True)


Fire = Callable[[str, Neuron, Tensor], Tensor]
Carry = Callable[[str, Edge, Tensor], Tensor]
Values = MutableMapping[str, Tensor]


class Walker:
    """One architecture, and the functions that compute its parts.

    Args:
        architecture: The graph.
        fire: ``fire(population, neuron, current) -> spikes``; both ``[T', B, ...]``.
        carry: ``carry(path, edge, value) -> current``: the operations of an edge after the neuron
            that opens it.
    """

    def __init__(self, architecture: Architecture, fire: Fire, carry: Carry) -> None:
        self.architecture = architecture
        self._fire = fire
        self._carry = carry
        self._last_reader = _last_readers(architecture)

    def run(self, frames: Tensor, held: Values) -> Tensor:
        """Run a piece of a sequence.

        Args:
            frames: The input, ``[T', B, C, H, W]``.
            held: What delayed edges hold between steps; empty at the start of a sequence.

        Returns:
            The logits, ``[T', B, classes]``.
        """
        values: Values = {}
        self._settle(values, INPUT, frames)
        for segment in self.architecture.segments:
            if segment.recurrent:
                self._step_by_step(segment, values, held)
            else:
                for node in segment.nodes:
                    self._settle(values, node.name, self._joined(node, values, held))
                    self._forget(values, node)
        return values[self.architecture.output]

    def _step_by_step(self, segment: Segment, values: Values, held: Values) -> None:
        inside = {node.name for node in segment.nodes}
        names = inside | {
            name for node in segment.nodes for name in self.architecture.populations[node.name]
        }
        steps: list[Values] = []
        for step in range(next(iter(values.values())).shape[0]):
            local = {name: value[step : step + 1] for name, value in values.items()}
            for node in segment.nodes:
                self._settle(local, node.name, self._joined(node, local, held))
            for node in segment.nodes:
                for path, edge in self.architecture.incoming[node.name]:
                    if edge.stage == "next-step":
                        held[path] = self._brought(path, edge, local)
            steps.append({name: local[name] for name in names})
        for name in names:
            values[name] = torch.cat([step[name] for step in steps])
        self._forget(values, segment.nodes[-1])

    def _joined(self, node: Node, values: Values, held: Values) -> Tensor:
        parts = []
        for path, edge in self.architecture.incoming[node.name]:
            if edge.stage != "next-step":
                parts.append(self._brought(path, edge, values))
            elif path in held:
                parts.append(held[path])
        if node.join == "concat":
            return torch.cat(parts, dim=2)
        total = parts[0]
        for part in parts[1:]:
            total = total + part
        return total

    def _brought(self, path: str, edge: Edge, values: Values) -> Tensor:
        if edge.neuron is None:
            return self._carry(path, edge, values[edge.source])
        return self._carry(path, edge, values[population(edge.source, edge.neuron)])

    def _settle(self, values: Values, name: str, value: Tensor) -> None:
        values[name] = value
        for key, neuron in self.architecture.populations[name].items():
            values[key] = self._fire(key, neuron, value)

    def _forget(self, values: Values, node: Node) -> None:
        for name in self._last_reader.get(node.name, ()):
            values.pop(name, None)


def _last_readers(architecture: Architecture) -> dict[str, list[str]]:
    """Tell after which node each value is no longer read (recurrent segments count as a whole)."""
    end = {
        node.name: segment.nodes[-1].name if segment.recurrent else node.name
        for segment in architecture.segments
        for node in segment.nodes
    }
    order = {node.name: index for index, node in enumerate(architecture.nodes)}
    last = {name: end[name] for name in order} | {INPUT: architecture.nodes[0].name}
    for edge in sorted(architecture.edges, key=lambda edge: order[edge.target]):
        key = population(edge.source, edge.neuron) if edge.neuron else edge.source
        last[key] = max(last.get(key, end[edge.target]), end[edge.target], key=order.__getitem__)
    last.pop(architecture.output)
    readers: dict[str, list[str]] = {}
    for name, node in last.items():
        readers.setdefault(node, []).append(name)
    return readers
