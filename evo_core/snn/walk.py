"""Run an Architecture over time: the order of things, shared by both executors.

The executor brings two functions, one that fires a neuron population and one that carries spikes
along an edge. Segments without next-step feedback run layer by layer on ``[T, B, ...]``; the others
run step by step on slices ``[1, B, ...]``. States of neurons and of delayed edges live outside, so
a sequence may also be fed in pieces.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, MutableMapping

import torch
from torch import Tensor

from evo_core.architecture import INPUT, Architecture, Edge, Node, Segment, population
from evo_core.primitives import Neuron, Zero

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
        ahead: Whether edges that enter a segment with feedback from before it may carry all steps
            at once, where the segment itself runs step by step.
    """

    def __init__(
        self, architecture: Architecture, fire: Fire, carry: Carry, *, ahead: bool = False
    ) -> None:
        self.architecture = architecture
        self._fire = fire
        self._carry = carry
        self._ahead = ahead
        self._entering = {node.name: entering(architecture, node) for node in architecture.nodes}
        self._reads = {
            path: population(edge.source, edge.neuron) if edge.neuron else edge.source
            for path, edge in zip(architecture.paths, architecture.edges, strict=True)
        }
        self._last_reader = self._last_readers()

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
                self._step_by_step(segment, values, held, len(frames))
            else:
                for node in segment.nodes:
                    self._settle(values, node.name, self._joined(node, values, held, {}))
                    self._forget(values, node)
        return values[self.architecture.output]

    def _step_by_step(self, segment: Segment, values: Values, held: Values, steps: int) -> None:
        inside = {node.name for node in segment.nodes}
        early = dict(self._brought_ahead(segment, inside, values)) if self._ahead else {}
        given: dict[str, list[Tensor]] = {name: [] for name in self._read_after(segment, inside)}
        for step in range(steps):
            now = slice(step, step + 1)
            local = {name: value[now] for name, value in values.items()}
            brought = {path: value[now] for path, value in early.items()}
            for node in segment.nodes:
                self._settle(local, node.name, self._joined(node, local, held, brought))
            for node in segment.nodes:
                for path, edge in self._entering[node.name]:
                    if edge.stage == "next-step":
                        held[path] = self._brought(path, edge, local)
            for name, pieces in given.items():
                pieces.append(local[name])
        for name, pieces in given.items():
            values[name] = torch.cat(pieces)
        self._forget(values, segment.nodes[-1])

    def _brought_ahead(
        self, segment: Segment, inside: set[str], values: Values
    ) -> Iterator[tuple[str, Tensor]]:
        for node in segment.nodes:
            for path, edge in self._entering[node.name]:
                if edge.source not in inside:
                    yield path, self._brought(path, edge, values)

    def _read_after(self, segment: Segment, inside: set[str]) -> Iterator[str]:
        """Name what is read of a segment when it has ended."""
        names = {self.architecture.output} & inside
        for path, edge in zip(self.architecture.paths, self.architecture.edges, strict=True):
            if edge.source in inside and edge.target not in inside:
                names.add(self._reads[path])
        yield from sorted(names)

    def _joined(
        self, node: Node, values: Values, held: Values, brought: Mapping[str, Tensor]
    ) -> Tensor:
        parts = self._parts(node, values, held, brought)
        if node.join == "concat":
            return _concatenated(list(parts))
        total = next(parts)
        mine = False  # the first part may be the value of another node
        for part in parts:
            total = total.add_(part) if mine else total + part
            mine = True
        return total

    def _parts(
        self, node: Node, values: Values, held: Values, brought: Mapping[str, Tensor]
    ) -> Iterator[Tensor]:
        """Give what each edge brings, in their order."""
        for path, edge in self._entering[node.name]:
            if edge.stage == "next-step":
                if path in held:
                    yield held[path]
            elif path in brought:
                yield brought[path]
            else:
                yield self._brought(path, edge, values)

    def _brought(self, path: str, edge: Edge, values: Values) -> Tensor:
        return self._carry(path, edge, values[self._reads[path]])

    def _settle(self, values: Values, name: str, value: Tensor) -> None:
        values[name] = value
        for key, neuron in self.architecture.populations[name].items():
            values[key] = self._fire(key, neuron, value)

    def _forget(self, values: Values, node: Node) -> None:
        for name in self._last_reader.get(node.name, ()):
            values.pop(name, None)

    def _last_readers(self) -> dict[str, list[str]]:
        """Tell after which node a value is no longer read (recurrent segments count as a whole)."""
        architecture = self.architecture
        end = {
            node.name: segment.nodes[-1].name if segment.recurrent else node.name
            for segment in architecture.segments
            for node in segment.nodes
        }
        order = {node.name: index for index, node in enumerate(architecture.nodes)}
        end[INPUT] = architecture.nodes[0].name
        last = {
            key: end[name]
            for name, populations in architecture.populations.items()
            for key in (name, *populations)
        }
        for node in architecture.nodes:
            for path, _ in self._entering[node.name]:
                key = self._reads[path]
                last[key] = max(last[key], end[node.name], key=order.__getitem__)
        last.pop(architecture.output)
        readers: dict[str, list[str]] = {}
        for name, where in last.items():
            readers.setdefault(where, []).append(name)
        return readers


def entering(architecture: Architecture, node: Node) -> tuple[tuple[str, Edge], ...]:
    """Give the edges that enter a node; one that adds zero is left out if another is there."""
    edges = architecture.incoming[node.name]
    if node.join == "concat":
        return edges
    bringing = [
        (path, edge)
        for path, edge in edges
        if not (edge.operations and isinstance(edge.operations[-1], Zero))
    ]
    arrives = any(edge.stage != "next-step" for _, edge in bringing)
    return tuple(bringing) if arrives else edges


def _concatenated(parts: list[Tensor]) -> Tensor:
    """Concatenate ``[T', B, C, ...]`` along C, time folded into the batch to keep the layout."""
    whole = torch.cat([part.flatten(0, 1) for part in parts], dim=1)
    return whole.view(*parts[0].shape[:2], *whole.shape[1:])
