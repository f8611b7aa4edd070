"""A reference from a file: what is known of networks already, e.g. their accuracy, as CSV.

Each row is a network, and several rows of one are repeats of its measurement. The column
``network`` or ``genome`` says which, ``1,0,2``; or ``architecture`` does, the hash of the network.
"""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from evo_core.comparing.networks import text_of
from evo_core.components import Goal
from evo_core.errors import EvoError, did_you_mean
from evo_core.genome import parse_genome

PREFIX = "table:"
_GENOMES = ("network", "genome")


@dataclass(frozen=True, slots=True)
class Reference:
    """The column of a table.

    Attributes:
        path: The file.
        name: The column.
        goal: Whether more or less is better.
        by_genome: Whether networks are told by their genome, and not by their hash.
        values: What is known of each network, by genome or hash, in the order of the file.
    """

    path: Path
    name: str
    goal: Goal
    by_genome: bool
    values: dict[str, list[float]]


def read_table(text: str) -> Reference:
    """Read ``table:FILE.csv``, ``table:FILE.csv:COLUMN`` or ``table:FILE.csv:COLUMN:min``.

    Without a column it is ``accuracy``, or the only one beside the network. Empty cells are left
    out.

    Raises:
        EvoError: If the file can not be read, lacks a column, or a cell is no number.
    """
    path = Path(text.removeprefix(PREFIX))
    try:
        path, column, goal = _parts(text.removeprefix(PREFIX))
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.reader(file)
            header = [name.strip() for name in next(rows, [])]
            key = _key(path, header)
            name = _column(path, header, key, column)
            values: dict[str, list[float]] = {}
            for number, row in enumerate(rows, 2):
                if cells := dict(zip(header, _whole(path, number, row, len(header)), strict=False)):
                    _take(path, number, key, cells[key], cells[name], values)
    except OSError as error:
        raise EvoError(f"the table {path} can not be read: {error.strerror}") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise EvoError(f"{path} is no CSV: {error}") from None
    return Reference(path, name, goal, key in _GENOMES, values)


def _parts(text: str) -> tuple[Path, str | None, Goal]:
    """Split off the goal and the column; a file name may hold colons itself."""
    goal: Goal = "max"
    head, colon, tail = text.rpartition(":")
    for given in get_args(Goal):
        if colon and tail == given:
            goal, text = given, head
    if not Path(text).exists() and ":" in text:
        head, _, tail = text.rpartition(":")
        return Path(head), tail, goal
    return Path(text), None, goal


def _key(path: Path, header: list[str]) -> str:
    for name in (*_GENOMES, "architecture"):
        if name in header:
            return name
    raise EvoError(
        f"{path} has no column network, genome or architecture in its first line; name one so, and "
        "put commas between the columns"
    )


def _column(path: Path, header: list[str], key: str, given: str | None) -> str:
    twice = next((name for name in header if name and header.count(name) > 1), None)
    if twice is not None:
        raise EvoError(f"{path} has two columns {twice!r}; rename one")
    others = [name for name in header if name != key]
    if given is not None:
        if given not in others:
            raise EvoError(f"{path} has no column {given!r}; {did_you_mean(given, others)}")
        return given
    if "accuracy" in others or len(others) == 1:
        return "accuracy" if "accuracy" in others else others[0]
    raise EvoError(f"{path} has several columns; say which: --against {PREFIX}{path}:COLUMN")


def _whole(path: Path, number: int, row: list[str], columns: int) -> list[str]:
    """Give a line of a table, which has as many columns as the first or is empty."""
    if row and len(row) != columns:
        raise EvoError(
            f"{path} line {number} has {len(row)} columns, its first has {columns}; a genome with "
            'commas stands in quotes, "1,0,2"'
        )
    return row


def _take(
    path: Path, number: int, key: str, network: str, cell: str, values: dict[str, list[float]]
) -> None:
    """Add the value of a network, whose genome may be written with spaces or leading zeros."""
    cell = cell.strip()
    if not cell:
        return
    try:
        value = float(cell)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise EvoError(f"{path} line {number}: {cell!r} is no finite number")
    try:
        name = text_of(parse_genome(network)) if key in _GENOMES else network.strip()
    except EvoError as error:
        raise EvoError(f"{path} line {number}: {error}") from None
    values.setdefault(name, []).append(value)
