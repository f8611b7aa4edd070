"""The options that several commands share, and how they become a configuration."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from evo_core.binding import parse_reference, split_commas
from evo_core.config import Layer, read_assignments, read_preset, read_toml
from evo_core.errors import EvoError

if TYPE_CHECKING:
    from evo_core.registry import Registry

F = TypeVar("F", bound=Callable[..., Any])

as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON document on stdout.")

allow_plugins = click.option(
    "--allow-plugins", is_flag=True, help="Load plugin files that only the run folder names."
)


def plugin_option(function: F) -> F:
    """Add ``--plugin``."""
    add = click.option("--plugin", "plugins", multiple=True, help="A plugin file. Repeatable.")
    return add(function)


def data_options(function: F) -> F:
    """Add the options that say on what, under which seed and where."""
    for add in reversed(
        [
            click.option("--data", help="Data set.  [default: digits]"),
            click.option("--data-root", help="Folder with the files of the data set."),
            click.option(
                "--allow-partial",
                is_flag=True,
                default=None,
                help="Use a partial copy of the data.",
            ),
            click.option("--seed", type=int, help="Seed of everything random.  [default: 0]"),
            click.option("--device", help="cpu, cuda or cuda:N.  [default: cpu]"),
            click.option(
                "--set", "assignments", multiple=True, help="table.key=value. Repeatable."
            ),
            plugin_option,
        ]
    ):
        function = add(function)
    return function


def scoring_options(function: F) -> F:
    """Add the options that say what is scored, on what."""
    for add in reversed(
        [
            click.option("--fitness", multiple=True, help="Fitness, repeatable or a comma list."),
            data_options,
            click.option("--preset", help="A named set of settings, e.g. paper."),
        ]
    ):
        function = add(function)
    return function


def layers(
    *,
    file: Path | None = None,
    preset: str | None = None,
    assignments: tuple[str, ...] = (),
    plugins: tuple[str, ...] = (),
    fitness: tuple[str, ...] = (),
    constraints: tuple[str, ...] = (),
    **flags: Any,
) -> list[Layer]:
    """Stack preset, file, flags and ``--set``; a later layer wins.

    Raises:
        EvoError: If a file, preset or assignment can not be read.
    """
    given: Layer = {key: value for key, value in flags.items() if value is not None}
    if plugins:
        given["plugins"] = list(plugins)
    if fitness:
        given["fitness"] = [name for text in fitness for name in split_commas(text)]
    if constraints:
        given["constraints"] = list(constraints)
    stack = [read_preset(preset)] if preset else []
    if file:
        stack.append(read_toml(file))
    return [*stack, given, read_assignments(assignments)]


def check_set_developments(assigned: Layer, used: Iterable[str], registry: Registry) -> None:
    """Refuse options of a development that ``--set`` gives and nothing would read.

    Files may hold tables of what they do not use; who writes ``--set`` wants it to act.

    Args:
        assigned: What ``--set`` gives.
        used: The developments that are used, as texts with options; ``none`` is none.
        registry: Where components are found.

    Raises:
        EvoError: If there are any.
    """
    from evo_core.components import KINDS, Development

    names = {parse_reference(text)[0] for text in used}
    for name, table in assigned.items():
        kinds = [kind for kind in KINDS.values() if name in registry.all(kind)]
        if kinds == [Development] and name not in names:
            option = next(iter(table), "...")
            raise EvoError(
                f"--set {name}.{option} is for the development {name}, which is not used; add "
                f"--develop {name}, or leave it out"
            )


def written_options(*free: str) -> list[str]:
    """Name the options that stand on the command line, but for some, e.g. ``["--epochs"]``."""
    context = click.get_current_context()
    return [
        parameter.opts[0]
        for parameter in context.command.params
        if parameter.name not in free
        and context.get_parameter_source(parameter.name or "")
        is click.core.ParameterSource.COMMANDLINE
    ]
