"""What of a network NIR, the neuromorphic exchange format, can not say; read off the graph.

NIR (Pedersen et al., Nature Communications 2024) joins nodes by edges that add: convolutions,
linear layers, average pools, and neurons with a hard reset.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from evo_core.architecture import Architecture, Edge
from evo_core.primitives import Clip, Crop, Neuron, Pool, Primitive, Shape, Zero

NEURONS = ("if", "lif", "plif")
FEEDBACK = "next-step feedback"


class Unsupported(NamedTuple):
    """One thing that NIR can not say.

    Attributes:
        path: The path of the edge, with the place of the operation as in parameter names.
        operation: The tag of the operation, or :data:`FEEDBACK`.
        reason: Why not.
    """

    path: str
    operation: str
    reason: str

    def __str__(self) -> str:
        return f"{self.path}: {self.operation}: {self.reason}"


def unsupported(architecture: Architecture) -> tuple[Unsupported, ...]:
    """List all that keeps a network from being written as NIR; nothing if it can be."""
    return tuple(
        found
        for path, edge in zip(architecture.paths, architecture.edges, strict=True)
        for found in _on_edge(path, edge, architecture.shapes[edge.source])
    )


def _on_edge(path: str, edge: Edge, shape: Shape) -> Iterator[Unsupported]:
    if edge.stage == "next-step":
        yield Unsupported(path, FEEDBACK, "NIR does not say which edge of a loop waits for a step")
    for position, (operation, given) in enumerate(edge.walk(shape)):
        reason = _reason(operation, given)
        if reason is not None:
            yield Unsupported(f"{path}/{position}", operation.tag, reason)


def _reason(operation: Primitive, given: Shape) -> str | None:
    match operation:
        case Neuron(model) if model not in NEURONS:
            return f"NIR has neurons for {', '.join(NEURONS)}, not for {model}"
        case Clip(sign):
            return f"NIR has nothing that keeps the {'+' if sign > 0 else '-'} part of a current"
        case Crop():
            return "NIR has nothing that leaves out pixels"
        case Zero():
            return "NIR has nothing that brings zero"
        case Pool():
            return _pool(operation, given)
    return None


def _pool(pool: Pool, given: Shape) -> str | None:
    if pool.mode == "max":
        return "NIR has average pools, no max pools"
    height, width = given[1:]
    if pool.padding or height % pool.kernel or width % pool.kernel:
        return (
            f"its squares of {pool.kernel}x{pool.kernel} reach beyond the {height}x{width} map, "
            "where NIR counts zeros"
        )
    return None
