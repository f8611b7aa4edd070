"""``evo data``: what data sets there are, whether their files are right, and where to get them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from evo_core.binding import Binder
from evo_core.cli import print_json
from evo_core.commands.settings import as_json, layers, plugin_option
from evo_core.components import Dataset, load
from evo_core.config import RunConfig, from_layers
from evo_core.errors import EvoError
from evo_core.registry import installed

if TYPE_CHECKING:
    from evo_core.inspection import Inspection

_FEW = 20  # classes that are shown one by one


@click.group("data")
def command() -> None:
    """List data sets, check their files, or fetch them."""


@command.command("list")
@plugin_option
@as_json
def list_data(*, plugins: tuple[str, ...], as_json: bool) -> int:
    """List every data set: what it is, its licence, and the files it needs below --data-root."""
    records = installed(plugins).all(Dataset).values()
    if as_json:
        print_json([_json(record) for record in records])
        return 0
    for record in records:
        click.echo("\n".join(_lines(record)))
    return 0


@command.command("check")
@click.argument("name")
@click.option("--data-root", help="Folder with the files of the data set.")
@click.option("--set", "assignments", multiple=True, help="table.key=value. Repeatable.")
@click.option("--out", type=click.Path(path_type=Path), help="Draw samples, .png or .svg.")
@plugin_option
@as_json
def check_data(
    *,
    name: str,
    data_root: str | None,
    assignments: tuple[str, ...],
    out: Path | None,
    plugins: tuple[str, ...],
    as_json: bool,
) -> int:
    """Read the data set NAME: checksums, samples, class balance, and a contact sheet."""
    from evo_core.inspection import inspect_data

    binder, config = _bind(name, data_root, assignments, plugins)
    found = inspect_data(binder, config)
    print_json(found.to_json()) if as_json else _show(found)
    if out is not None:
        from evo_core.drawing import contact_sheet, save

        save(contact_sheet(found.splits, found.name), out)
        click.echo(f"contact sheet: {out}", err=as_json)
    return 0


@command.command("download")
@click.argument("name")
@click.option("--data-root", required=True, help="Folder to put the files into.")
@plugin_option
@as_json
def download_data(*, name: str, data_root: str, plugins: tuple[str, ...], as_json: bool) -> int:
    """Fetch the files of the data set NAME that are missing, from its publisher."""
    binder, config = _bind(name, data_root, (), plugins)
    data = binder.bind(Dataset, config.data)
    if data.record.download is None:
        what = "put your files into the data root" if data.record.files else "it needs no files"
        raise EvoError(f"there is nothing to download for {name}; {what}")
    root = Path(data_root)
    load(data.record.download)(data.options, root, lambda text: click.echo(text, err=True))
    if as_json:
        print_json({"name": name, "data_root": str(root), "files": list(data.record.files)})
    else:
        click.echo(f"{name} is in {root}; look at it: evo data check {name} --data-root {root}")
    return 0


def _bind(
    name: str, data_root: str | None, assignments: tuple[str, ...], plugins: tuple[str, ...]
) -> tuple[Binder, RunConfig]:
    given = layers(data=name, data_root=data_root, assignments=assignments, plugins=plugins)
    config = from_layers(*given)
    return Binder(installed(config.plugins), config.options), config


def _json(record: Dataset) -> dict[str, object]:
    return {
        "name": record.name,
        "summary": record.summary,
        "shape": list(record.shape) if record.shape else None,
        "classes": record.classes,
        "licence": record.licence,
        "files": list(record.files),
        "download": record.download is not None,
    }


def _lines(record: Dataset) -> list[str]:
    shape = f"; {'x'.join(map(str, record.shape))}" if record.shape else ""
    classes = f", {record.classes} classes" if record.classes else ""
    return [
        f"{record.name:<14} {record.summary}{shape}{classes}",
        f"  licence      {record.licence or 'not stated'}",
        f"  files        {_files(record.files)}",
    ]


def _files(files: Sequence[str]) -> str:
    """Name files below the data root; where all lie in one folder, that first."""
    folders = {file.rpartition("/")[0] for file in files}
    if len(folders) != 1:
        return ", ".join(files) or "none needed"
    names = [file.rpartition("/")[2] for file in files]
    return f"{folders.pop()}/: {', '.join(names)}"


def _show(found: Inspection) -> None:
    from evo_core.tables import show_table

    data, splits = found.to_json(), found.splits
    shape = "x".join(map(str, splits.train.inputs.shape[1:]))
    sizes = ", ".join(f"{count:,} {part}" for part, count in data["splits"].items())
    click.echo(f"{found.name}: {sizes}, {shape}, {splits.classes} classes")
    click.echo(f"  validation: {len(splits.validation):,} of the train samples")
    click.echo(f"  partial:    {splits.partial or 'no'}")
    click.echo(f"  checksums:  {found.checksums}")
    for path, state in found.files.items():
        click.echo(f"    {state:<8} {path}")
    if splits.classes > _FEW:
        for part, counts in found.balance.items():
            click.echo(f"  {part}: {min(counts):,} to {max(counts):,} samples a class")
        return
    names = splits.names or tuple(map(str, range(splits.classes)))
    rows = zip(names, found.balance["train"], found.balance["test"], strict=True)
    show_table(["class", "train", "test"], [[name, str(a), str(b)] for name, a, b in rows])
