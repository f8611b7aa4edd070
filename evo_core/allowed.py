"""Which values an option takes, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_TYPES = {
    "boolean": "true, false", "integer": "whole number", "number": "number", "string": "text",
    "object": "table", "null": "none",
}  # fmt: skip
_BOUNDS = {
    "minimum": ">=", "exclusiveMinimum": ">", "maximum": "<=", "exclusiveMaximum": "<",
}  # fmt: skip


def allowed(options: type) -> dict[str, str]:
    """Say which values each option takes, as far as its annotation tells.

    >>> from evo_core.recipe import Recipe
    >>> {name: allowed(Recipe)[name] for name in ("samples", "schedule")}
    {'samples': 'whole number >= 2, or none', 'schedule': 'cosine, constant'}
    """
    import pydantic

    schema = pydantic.TypeAdapter(options).json_schema()
    return {name: _words(one) for name, one in schema.get("properties", {}).items()}


def _words(schema: Mapping[str, Any]) -> str:
    if "enum" in schema or "const" in schema:
        return ", ".join(str(value) for value in schema.get("enum", [schema.get("const")]))
    if "anyOf" in schema:
        return ", or ".join(_words(one) for one in schema["anyOf"])
    kind = schema.get("type", "object")
    if kind == "array":
        each = _words(schema.get("items", {"type": "value"}))
        return f"list of {each.replace('number', 'numbers').replace('value', 'values')}"
    bounds = [f"{sign} {schema[key]:g}" for key, sign in _BOUNDS.items() if key in schema]
    return " ".join([_TYPES.get(kind, kind), " and ".join(bounds)]).strip()
