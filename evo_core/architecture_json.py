"""Architectures as JSON: what ``evo show --json`` writes and what a target ``FILE.json`` holds."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from evo_core.architecture import Architecture, Cell, Edge, Node, Task
from evo_core.binding import validate
from evo_core.errors import EvoError
from evo_core.primitives import PRIMITIVES, Primitive

SCHEMA = (
    "urn:evo-snn:architecture:1"  # schemas/architecture.schema.json; another layout, another number
)


def to_json(architecture: Architecture) -> dict[str, Any]:
    """Write an architecture as JSON types."""
    edges = [
        {
            "source": edge.source,
            "target": edge.target,
            "stage": edge.stage,
            "operations": [operation_to_json(op) for op in edge.operations],
        }
        for edge in architecture.edges
    ]
    return {
        "task": asdict(architecture.task),
        "nodes": [asdict(node) for node in architecture.nodes],
        "edges": edges,
        "output": architecture.output,
        "cells": [asdict(cell) for cell in architecture.cells],
    }


def from_json(data: Any) -> Architecture:
    """Read what :func:`to_json` wrote, strictly.

    Raises:
        ValueError: If the data is not a valid architecture.
    """
    try:
        return Architecture(
            validate(Task, data["task"], "task"),
            tuple(validate(Node, node, "node") for node in data["nodes"]),
            tuple(_edge(edge) for edge in data["edges"]),
            data["output"],
            tuple(validate(Cell, cell, "cell") for cell in data.get("cells", ())),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"a part is missing or of a wrong type ({error})") from None
    except EvoError as error:
        raise ValueError(str(error)) from None


def operation_to_json(operation: Primitive) -> dict[str, Any]:
    """Write an operation as a JSON object with its tag under ``op``."""
    return {"op": operation.tag, **asdict(operation)}


def operation_from_json(data: Any) -> Primitive:
    """Read what :func:`operation_to_json` wrote.

    Raises:
        ValueError: If the tag or a field is unknown, missing or of a wrong type.
    """
    fields = dict(data)
    tag = fields.pop("op", None)
    if tag not in PRIMITIVES:
        raise ValueError(f"unknown operation {tag!r}")
    try:
        return validate(PRIMITIVES[tag], fields, f"operation {tag}")
    except EvoError as error:
        raise ValueError(str(error)) from None


def read(path: Path) -> Architecture:
    """Read a JSON file that holds an architecture, or an object with one under ``graph``.

    Raises:
        EvoError: If the file is missing, no JSON, no architecture, or one of another layout.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        graph = data.get("graph", data) if isinstance(data, dict) else data
        given = data.get("$schema", SCHEMA) if isinstance(data, dict) else SCHEMA
        if given != SCHEMA:
            raise ValueError(f"its $schema is {given!r}, and this evo reads {SCHEMA!r}")
        return from_json(graph)
    except OSError as error:
        raise EvoError(f"{path} can not be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        line = " ".join(str(error).split())
        raise EvoError(f"{path} is not an architecture: {line}") from None


def _edge(data: Any) -> Edge:
    fields = dict(data)
    operations = fields.pop("operations")
    edge = validate(Edge, fields, "edge")
    return Edge(
        edge.source, edge.target, tuple(operation_from_json(op) for op in operations), edge.stage
    )
