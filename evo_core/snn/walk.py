"""Run an Architecture over time: the order of things, shared by both executors.

The executor brings two functions, one that fires a neuron population and one that carries spikes
along an edge. Segments without next-step feedback run layer by layer on ``[T, B, ...]``; the others
run step by step on slices ``[1, B, ...]``. States of neurons and of delayed edges live outside, so
a sequence may also be fed in pieces.
"""

from __future__ import annotations

from collections.abc import Callable, MutableMapping

import torch
from torch import Tensor

from evo_core.architecture import INPUT, Architecture, Edge, Node, Segment, population
from evo_core.primitives import Neuron

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
