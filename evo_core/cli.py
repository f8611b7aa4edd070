"""The command line: a thin group whose commands are imported when they are used."""

from __future__ import annotations

import importlib
import json
import signal
import sqlite3
import sys
from typing import Any

import click

from evo_core.errors import EvoError, NotExportableError, RunFailedError, did_you_mean

_COMMANDS = {
    "run": "Evolve networks.",
    "resume": "Go on with a run, whatever ended it.",
    "verify": "Check that a run repeats.",
    "score": "Score one network.",
    "train": "Train networks in full.",
    "evaluate": "Measure what trained networks can stand: noise, lost events, other time steps.",
    "compare": "Compare fitness functions, or searches.",
    "show": "Show a network as text, and as a figure.",
    "runs": "List the runs in a folder.",
    "export": "Write a run as a table, or a network for use without evo.",
    "bench": "Measure what scoring costs on this machine.",
    "list": "List what is installed, with options and defaults.",
    "data": "List, check or download data sets.",
    "init": "Write a commented configuration file.",
    "plugin": "Look at plugins.",
}


class _Commands(click.Group):
    """Loads a command from ``evo_core.commands`` when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module = importlib.import_module(f"evo_core.commands.{cmd_name}")
        command: click.Command = module.command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args[0] not in _COMMANDS and not args[0].startswith("-"):
            raise EvoError(f"no command {args[0]!r}; {did_you_mean(args[0], _COMMANDS)}")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            if sys.stderr.isatty():
                click.echo(err=True)  # a terminal has put ^C on the line
            raise click.Abort from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="evo-snn", prog_name="evo")
def evo() -> None:
    """Evolution designs spiking neural networks at three scales."""


def main(args: list[str] | None = None) -> None:
    """Run the command line and exit: 0 done, 2 the user's mistake, 1 failed, 130 interrupted."""
    arguments = sys.argv[1:] if args is None else args
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        code = evo.main(arguments, prog_name="evo", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        code = 0
    except NotExportableError as error:
        code = _say(arguments, error.line, 2, error.details)
    except EvoError as error:
        code = _say(arguments, str(error), 2)
    except click.ClickException as error:
        code = _say(arguments, _usage(error), 2)
    except sqlite3.DatabaseError as error:
        code = _say(arguments, f"the database of the run is damaged: {error}", 2)
    except RunFailedError as error:
        code = _say(arguments, str(error), 1)
    except (click.Abort, KeyboardInterrupt):
        code = _say(arguments, "interrupted", 130)
    sys.exit(code if isinstance(code, int) else 0)


def _interrupt(number: int, frame: object) -> None:
    """Let a polite kill end a run as Ctrl-C does: what was found is kept, workers end."""
    raise KeyboardInterrupt


def _usage(error: click.ClickException) -> str:
    message = " ".join(error.format_message().split())
    message = message.rstrip(".")
    command = getattr(getattr(error, "ctx", None), "command_path", "evo")
    return f"{message[0].lower()}{message[1:]}; see {command} --help" if message else command


def _say(arguments: list[str], message: str, code: int, details: tuple[str, ...] = ()) -> int:
    line = " ".join(message.split())
    click.echo("\n  ".join((f"error: {line}", *details)), err=True)
    if "--json" in arguments:
        click.echo(json.dumps({"error": line} | ({"details": details} if details else {})))
    return code


def print_json(data: Any) -> None:
    """Print the one JSON document of a command on stdout."""
    click.echo(json.dumps(data, indent=2, allow_nan=False))
