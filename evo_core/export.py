"""A run as a table: its candidates, or what fails in it, for spreadsheets, R and pandas."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evo_core import lineage
from evo_core.errors import EvoError
from evo_core.evaluation import Candidate, Evaluation, Objective
from evo_core.failures import failure_table, tally
from evo_core.registry import installed
from evo_core.store import Store
from evo_core.stored import trusted_config

if TYPE_CHECKING:
    import pandas

_COLUMNS = (
    "candidate", "generation", "status", "parents", "operators", "genome", "architecture",
    "copied_from", "seconds",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under named columns; a cell is None, a number, a text, a tuple of those, or counts."""

    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]

    def to_csv(self) -> str:
        """Write the table as CSV; None is empty, and a tuple's items stand with spaces between.

        Counts are written as ``error 7, silent 2``, a genome with commas between, as
        ``evo show mse:1,0,2`` takes it.
        """
        text = StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(self.columns)
        for row in self.rows:
            named = zip(self.columns, row, strict=True)
            writer.writerow([_cell(column, value) for column, value in named])
        return text.getvalue()

    def to_json(self) -> list[dict[str, Any]]:
        """Write the rows as JSON types."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]


def candidates(folder: Path) -> Table:
    """Read all candidates of a run by id, with one column for each fitness.

    Where candidates develop, there are columns of what they inherited and what training took.

    Raises:
        EvoError: If it is no run folder.
    """
    with closing(Store.open(folder)) as store:
        names = tuple(objective["name"] for objective in store.fact("objectives"))
        pairs = store.evaluated()
    rows = [_row(candidate, one, names) for candidate, one in pairs]
    if not any("training" in one.details for _, one in pairs):
        return Table((*_COLUMNS, *names), rows)
    kin = [(*row, *lineage.cells(*pair)) for row, pair in zip(rows, pairs, strict=True)]
    return Table((*_COLUMNS, *names, *lineage.COLUMNS), kin)


def failures(folder: Path, *, allow_plugins: bool = False) -> Table:
    """Count candidates and failures for each gene choice of a run, where the gene is active.

    Args:
        folder: The run folder.
        allow_plugins: Load the plugin files that the run names.

    Raises:
        EvoError: If it is no run folder, or its space can not be built here.
    """
    from evo_core.spaces import space_of

    with closing(Store.open(folder)) as store:
        objectives = tuple(Objective(**one) for one in store.fact("objectives"))
        pairs = store.evaluated()
        config = trusted_config(store, allow_plugins=allow_plugins)
    space = space_of(installed(config.plugins), config)
    rows: list[tuple[Any, ...]] = [
        (one.gene, one.choice, one.candidates, one.failed, one.rate, dict(one.statuses))
        for one in failure_table(pairs, space, objectives)
    ]
    return Table(("gene", "choice", "candidates", "failed", "rate", "statuses"), rows)


def to_dataframe(folder: Path) -> pandas.DataFrame:
    """Read all candidates of a run as a pandas DataFrame.

    Raises:
        EvoError: If pandas is not installed, or it is no run folder.
    """
    try:
        import pandas
    except ImportError:
        raise EvoError(
            "to_dataframe needs pandas, which is not installed; pip install pandas"
        ) from None
    table = candidates(folder)
    return pandas.DataFrame(table.rows, columns=list(table.columns))


def _row(candidate: Candidate, one: Evaluation, names: Iterable[str]) -> tuple[Any, ...]:
    scores = [one.scores[name].value if name in one.scores else None for name in names]
    return (
        candidate.id,
        candidate.generation,
        one.status,
        candidate.parents,
        candidate.operators,
        candidate.genome,
        candidate.architecture,
        one.copied_from,
        one.seconds,
        *scores,
    )


def _cell(column: str, value: Any) -> Any:
    if isinstance(value, Mapping):
        return tally(value)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ("," if column == "genome" else " ").join(map(str, value))
    return value
