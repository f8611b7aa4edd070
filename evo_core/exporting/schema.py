"""The JSON Schema of architecture files, made from the primitives themselves.

``evo_core/schemas/architecture.schema.json`` holds what :func:`build_schema` gives. Write it anew
with ``python -m evo_core.exporting.schema`` after a change; a test compares the two.
"""

from __future__ import annotations

import json
from importlib import resources
from typing import Any

from evo_core.architecture import Cell, Edge, Node, Task
from evo_core.architecture_json import SCHEMA
from evo_core.primitives import PRIMITIVES

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_FILE = resources.files("evo_core") / "schemas" / "architecture.schema.json"


def build_schema() -> dict[str, Any]:
    """Make the schema of an architecture file from the dataclasses that it is read into."""
    return {
        "$schema": _DIALECT,
        "$id": SCHEMA,
        "title": "A spiking network as evo exports it",
        "type": "object",
        "properties": {"$schema": {"const": SCHEMA}, "graph": {"$ref": "#/$defs/graph"}},
        "required": ["$schema", "graph"],
        "additionalProperties": False,
        "$defs": {
            "graph": _graph(),
            "task": _fields(Task),
            "node": _fields(Node),
            "edge": _edge(),
            "cell": _fields(Cell),
            "operation": {"oneOf": [{"$ref": f"#/$defs/{tag}"} for tag in PRIMITIVES]},
            **{tag: _operation(tag, kind) for tag, kind in PRIMITIVES.items()},
        },
    }


def read_schema() -> dict[str, Any]:
    """Give the published schema."""
    found: dict[str, Any] = json.loads(_FILE.read_text(encoding="utf-8"))
    return found


def _graph() -> dict[str, Any]:
    lists = {
        f"{name}s": {"type": "array", "items": {"$ref": f"#/$defs/{name}"}}
        for name in ("node", "edge", "cell")
    }
    return {
        "type": "object",
        "description": "States, and the operations that lead from one to another",
        "properties": {"task": {"$ref": "#/$defs/task"}, **lists, "output": {"type": "string"}},
        "required": ["task", "nodes", "edges", "output"],
        "additionalProperties": False,
    }


def _edge() -> dict[str, Any]:
    schema = _fields(Edge, but="operations")
    items = {"type": "array", "items": {"$ref": "#/$defs/operation"}}
    schema["properties"]["operations"] = items
    schema["required"].append("operations")
    return schema


def _operation(tag: str, kind: type) -> dict[str, Any]:
    schema = _fields(kind)
    schema["properties"] = {"op": {"const": tag}, **schema["properties"]}
    schema["required"] = ["op", *schema["required"]]
    return schema


def _fields(kind: type, but: str = "") -> dict[str, Any]:
    """Describe a dataclass; ``but`` names a field that is described elsewhere."""
    import pydantic

    found = pydantic.TypeAdapter(kind).json_schema()
    properties = {name: one for name, one in found.get("properties", {}).items() if name != but}
    return {
        "type": "object",
        "description": (kind.__doc__ or "").partition("\n")[0],
        "properties": {name: _plain(one) for name, one in properties.items()},
        "required": [name for name in found.get("required", []) if name != but],
        "additionalProperties": False,
    }


def _plain(schema: Any) -> Any:
    """Leave out titles, which repeat the names."""
    if isinstance(schema, dict):
        return {key: _plain(one) for key, one in schema.items() if key != "title"}
    return [_plain(one) for one in schema] if isinstance(schema, list) else schema


def schema_text() -> str:
    """Write the schema as the published file holds it."""
    return json.dumps(build_schema(), indent=2) + "\n"


if __name__ == "__main__":
    from pathlib import Path

    Path(str(_FILE)).write_text(schema_text(), encoding="utf-8")
