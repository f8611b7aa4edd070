"""``evo compare``: compare fitness functions, or searches."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import click

from evo_core.cli import print_json
from evo_core.commands.compare_runs import compare_searches
from evo_core.commands.settings import (
    allow_plugins,
    as_json,
    layers,
    scoring_options,
    written_options,
)
from evo_core.errors import EvoError

_WITH_RUNS = (
    "runs", "of_runs", "by", "out", "quiet", "plugins", "allow_plugins", "as_json", "data_root",
    "device", "assignments",
)  # fmt: skip


@click.command("compare")
@click.argument("runs", nargs=-1, type=click.Path(path_type=Path))
@click.option("--runs", "of_runs", is_flag=True, help="Compare the searches RUN ... instead.")
@click.option("--space", help="Search space.  [default: mse]")
@scoring_options
@click.option("--against", default="accuracy", show_default=True, help="Fitness, or table:FILE.csv")
@click.option("--samples", type=int, default=100, show_default=True, help="Random networks.")
@click.option("--seeds", type=int, default=3, show_default=True, help="Seeds to score each under.")
@click.option("--repeated", type=int, help="Networks scored under all seeds.  [default: all]")
@click.option("--stratify", help="Look within k, a gene or a score; none.  [default: k]")
@click.option("--constraint", "constraints", multiple=True, help="E.g. 'params<2e6'. Repeatable.")
@click.option("--by", help="With --runs: the fitness the best of each run is judged by.")
@click.option("--workers", type=int, help="Worker processes; 0 means one per core.")
@click.option("--executor", help="serial, loky, ...  [default: loky]")
@click.option("--precision", help="Numbers of untrained networks: fp32 or bf16.")
@click.option("--out", type=click.Path(path_type=Path), help="Folder; by default below runs/.")
@click.option("--quiet", is_flag=True, help="Show no progress.")
@allow_plugins
@as_json
def command(
    *, runs: tuple[Path, ...], of_runs: bool, as_json: bool, allow_plugins: bool, **flags: Any
) -> int:
    """Compare fitness functions on random networks, or, with --runs, what searches found.

    Every score is held against the reference --against; the same command goes on where it stopped.
    """
    if of_runs:
        strange = written_options(*_WITH_RUNS)
        if strange:
            raise EvoError(f"--runs compares what searches found; leave out {', '.join(strange)}")
        known = {name: flags[name] for name in _WITH_RUNS if name in flags}
        return compare_searches(runs, as_json=as_json, allow_plugins=allow_plugins, **known)
    if runs:
        raise EvoError(f"to compare runs write: evo compare --runs {' '.join(map(str, runs))}")
    if allow_plugins:
        raise EvoError("--allow-plugins goes with --runs; nothing else here reads a run of others")
    if flags.pop("by") is not None:
        raise EvoError("--by goes with --runs; name the reference with --against")
    return _scores(as_json=as_json, **flags)


def _scores(
    *,
    against: str,
    samples: int,
    seeds: int,
    repeated: int | None,
    stratify: str | None,
    out: Path | None,
    quiet: bool,
    as_json: bool,
    **flags: Any,
) -> int:
    from evo_core.api import fresh_folder
    from evo_core.comparing.comparison import answer, ask
    from evo_core.comparing.writing import report
    from evo_core.config import from_layers

    observers = [] if quiet else ["progress"]
    config = from_layers(*layers(**flags), {"observers": observers})
    question = ask(
        config,
        against=against,
        samples=samples,
        seeds=seeds,
        repeated=repeated,
        stratify=stratify,
    )
    folder = out or fresh_folder("compare", config.data)
    found = answer(question, folder)
    if found is None:
        click.echo(f"interrupted; the same command with --out {folder} goes on", err=True)
        return 130
    document = report(question, found, folder, _command_line())
    if as_json:
        print_json(document)
    else:
        _show(document, folder)
    return 0


def _show(document: dict[str, Any], folder: Path) -> None:
    """Print a line for each score, the best first."""
    from evo_core.comparing.grouping import NONE
    from evo_core.tables import show_table

    scores = document["scores"]
    order = sorted(scores, key=lambda name: -abs(scores[name]["raw"]["spearman"]["value"] or 0))
    within = document["facts"]["stratified_by"]
    rows = []
    for name in order:
        one = scores[name]
        inside = one["strata"].get(within, {}).get("within")
        rows.append(
            [
                name + " (baseline)" * one["baseline"],
                _interval(one["raw"]["spearman"]),
                _number(one["raw"]["kendall"]["value"]),
                _interval(one["given"]["params"]),
                _interval(inside),
                f"{one['direction']['declared']}, {one['direction']['measured'] or 'unclear'}",
                str(one["undefined"]),
                _number(one["seconds"]["median"]),
            ]
        )
    heads = ["score", "Spearman", "tau-b", "given params", f"within {within}"]
    heads += ["declared, measured", "undefined", "seconds"]
    if within == NONE:
        at = heads.index(f"within {within}")
        heads, *rows = ([*row[:at], *row[at + 1 :]] for row in (heads, *rows))
    show_table(heads, rows)
    reference = document["reference"]
    click.echo(
        f"\n{document['networks']} networks x {document['seeds']} seeds against "
        f"{reference['name']}, noise ceiling {_number(reference['noise_ceiling'])}; "
        "95 % bootstrap intervals over networks"
    )
    click.echo(f"report: {folder / 'compare.html'}")


def _interval(found: dict[str, Any] | None) -> str:
    if found is None or found["value"] is None:
        return "-"
    if found["low"] is None:
        return f"{found['value']:.2f}"
    return f"{found['value']:.2f} [{found['low']:.2f}, {found['high']:.2f}]"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3g}"


def _command_line() -> str:
    """Write the command as it was given, without where it writes and what it prints."""
    context = click.get_current_context()
    written = written_options("out", "quiet", "as_json", "allow_plugins")
    words = []
    for parameter in context.command.params:
        if parameter.opts[0] in written:
            value = context.params[parameter.name or ""]
            if getattr(parameter, "is_flag", False):
                words.append(parameter.opts[0])
                continue
            many = value if isinstance(value, tuple) else (value,)
            words += [word for one in many for word in (parameter.opts[0], str(one))]
    return shlex.join(["evo", "compare", *words])
