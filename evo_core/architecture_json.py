"""Architectures as JSON: what ``evo show --json`` writes and what a target ``FILE.json`` holds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, get_args

from evo_core.architecture import Architecture, Cell, Edge, Join, Node, Stage, Task
from evo_core.errors import EvoError
from evo_core.primitives import from_json as operation_from_json
from evo_core.primitives import to_json as operation_to_json


def to_json(architecture: Architecture) -> dict[str, Any]:
    """Write an architecture as JSON types."""
    task = architecture.task
    return {
        "task": {"shape": list(task.shape), "classes": task.classes, "steps": task.steps},
        "nodes": [{"name": node.name, "join": node.join} for node in architecture.nodes],
        "edges": [
            {
                "source": edge.source,
                "target": edge.target,
                "stage": edge.stage,
                "operations": [operation_to_json(op) for op in edge.operations],
            }
            for edge in architecture.edges
        ],
        "output": architecture.output,
        "cells": [
            {
                "name": cell.name,
                "motif": cell.motif,
                "sources": list(cell.sources),
                "output": cell.output,
                "reduction": cell.reduction,
            }
            for cell in architecture.cells
        ],
    }


def from_json(data: Any) -> Architecture:
    """Read what :func:`to_json` wrote.

    Raises:
        ValueError: If the data is not a valid architecture.
    """
    try:
        channels, height, width = data["task"]["shape"]
        return Architecture(
            Task((channels, height, width), data["task"]["classes"], data["task"]["steps"]),
            tuple(
                Node(node["name"], _one_of("join", get_args(Join), node["join"]))
                for node in data["nodes"]
            ),
            tuple(
                Edge(
                    edge["source"],
                    edge["target"],
                    tuple(operation_from_json(op) for op in edge["operations"]),
                    _one_of("stage", get_args(Stage), edge["stage"]),
                )
                for edge in data["edges"]
            ),
            data["output"],
            tuple(
                Cell(**{**cell, "sources": tuple(cell["sources"])})
                for cell in data.get("cells", ())
            ),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"a part is missing or of a wrong type ({error})") from None


def _one_of(what: str, choices: tuple[Any, ...], value: Any) -> Any:
    if value not in choices:
        raise ValueError(f"{what} {value!r} is none of {', '.join(choices)}")
    return value


def read(path: Path) -> Architecture:
    """Read a JSON file that holds an architecture, or an object with one under ``architecture``.

    Raises:
        EvoError: If the file is missing, no JSON, or no architecture.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        graph = data.get("graph", data) if isinstance(data, dict) else data
        return from_json(graph)
    except OSError as error:
        raise EvoError(f"{path} can not be read: {error.strerror}") from None
    except ValueError as error:
        raise EvoError(f"{path} is not an architecture: {error}") from None
