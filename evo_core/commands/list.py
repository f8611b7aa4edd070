"""``evo list``: what is installed."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import click

from evo_core.cli import print_json
from evo_core.commands.settings import as_json, plugin_option
from evo_core.components import KINDS, Component
from evo_core.errors import unknown
from evo_core.registry import Registry, installed

_RELATED = {"fitness": ("fitness", "combiner")}  # what stands where a fitness does, in evo compare


@click.command("list")
@click.argument("kind", required=False)
@click.argument("name", required=False)
@plugin_option
@as_json
def command(*, kind: str | None, name: str | None, plugins: tuple[str, ...], as_json: bool) -> int:
    """List components: all of them, or one KIND (space, motif, neuron, operator, fitness, ...).

    With a KIND and a NAME, show that component's options: what they do, their defaults and
    which values they take.
    """
    from evo_core.tables import show_table

    if kind is not None and kind not in KINDS:
        raise unknown("kind", kind, KINDS)
    registry = installed(plugins)
    kinds = [KINDS[name] for name in _RELATED.get(kind, (kind,))] if kind else KINDS.values()
    records = [record for one in kinds for record in registry.all(one).values()]
    if name is not None:
        records = _named(records, kind or "component", name)
    if as_json:
        print_json([_json(record, registry) for record in records])
        return 0
    if name is not None:
        for record in records:
            _show_options(record, registry)
        return 0
    rows = [
        [record.kind, record.name, registry.provider(record), record.summary, _options(record)]
        for record in records
    ]
    show_table(["kind", "name", "plugin", "what it is", "options"], rows)
    broken = [plugin.name for plugin in registry.plugins if plugin.error]
    if broken:
        click.echo(f"broken plugins: {', '.join(broken)}; see evo plugin list", err=True)
    return 0


def _named(records: list[Component], kind: str, name: str) -> list[Component]:
    found = [record for record in records if record.name == name]
    if not found:
        raise unknown(kind, name, {record.name for record in records})
    return found


def _show_options(record: Component, registry: Registry) -> None:
    """Print what a component is, and a line for each of its options."""
    from evo_core.allowed import allowed
    from evo_core.tables import show_table

    click.echo(f"{record.kind} {record.name}, of {registry.provider(record)}: {record.summary}")
    fields = dataclasses.fields(record.options)
    if not fields:
        click.echo("it has no options")
        return
    defaults, values = record.options(), allowed(record.options)
    rows = [
        [
            one.name,
            _word(getattr(defaults, one.name)),
            values[one.name],
            one.metadata.get("help", ""),
        ]
        for one in fields
    ]
    click.echo("")
    show_table(["option", "default", "values", "what it does"], rows)


def _word(value: Any) -> str:
    if value is None or isinstance(value, str):
        return value or ("none" if value is None else '""')
    return json.dumps(value)


def _json(record: Component, registry: Registry) -> dict[str, Any]:
    defaults = record.options()
    return {
        "kind": record.kind,
        "name": record.name,
        "plugin": registry.provider(record),
        "summary": record.summary,
        "options": {
            field.name: {
                "default": getattr(defaults, field.name),
                "help": field.metadata.get("help", ""),
            }
            for field in dataclasses.fields(record.options)
        },
    }


def _options(record: Component) -> str:
    defaults = record.options()
    return ", ".join(
        f"{field.name}={json.dumps(getattr(defaults, field.name))}"
        for field in dataclasses.fields(record.options)
    )
