"""``evo plugin``: look at plugins."""

from __future__ import annotations

from dataclasses import asdict

import click

from evo_core.cli import print_json
from evo_core.commands.settings import as_json, plugin_option
from evo_core.registry import installed


@click.group("plugin")
def command() -> None:
    """Look at plugins."""


@command.command("list")
@plugin_option
@as_json
def list_plugins(*, plugins: tuple[str, ...], as_json: bool) -> int:
    """List every plugin found: where it comes from, what it offers, or why it is broken."""
    from evo_core.tables import show_table

    found = installed(plugins).plugins
    if as_json:
        print_json([asdict(plugin) for plugin in found])
        return 0
    rows = [
        [
            plugin.name,
            f"{plugin.source} {plugin.version}".strip(),
            f"broken: {plugin.error}" if plugin.error else ", ".join(plugin.components),
        ]
        for plugin in found
    ]
    show_table(["plugin", "from", "offers"], rows)
    return 0
