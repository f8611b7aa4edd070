"""``evo init``: write a commented configuration file."""

from __future__ import annotations

from pathlib import Path

import click

from evo_core.cli import print_json
from evo_core.commands.settings import as_json, plugin_option
from evo_core.errors import EvoError


@click.command("init")
@click.argument("file", default="evo.toml", type=click.Path(path_type=Path))
@click.option("--force", is_flag=True, help="Overwrite FILE if it exists.")
@plugin_option
@as_json
def command(*, file: Path, force: bool, plugins: tuple[str, ...], as_json: bool) -> int:
    """Write FILE (by default evo.toml) with every setting, its default and what it does."""
    from evo_core.config_file import commented_toml
    from evo_core.registry import installed

    paths = [str(Path(plugin).absolute()) for plugin in plugins]
    text = commented_toml(installed(plugins), paths)
    if file.exists() and not force:
        raise EvoError(f"{file} exists; take another name, or --force to overwrite it")
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise EvoError(f"{file} can not be written: {error.strerror}") from None
    if as_json:
        print_json({"file": str(file)})
    else:
        click.echo(f"written: {file}; start it with evo run {file}")
    return 0
