"""The run folder: configuration, a SQLite database with one writer, result, log and figures."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evo_core.errors import EvoError
from evo_core.evaluation import Candidate, Evaluation, Score
from evo_core.results import GenerationReport, RunResult

SCHEMA_VERSION = 1
_SCHEMA = """
CREATE TABLE run (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE candidates (
    id INTEGER PRIMARY KEY, generation INTEGER NOT NULL, genome TEXT NOT NULL,
    architecture TEXT NOT NULL, parents TEXT NOT NULL, operators TEXT NOT NULL
);
CREATE TABLE evaluations (
    candidate INTEGER PRIMARY KEY REFERENCES candidates (id), status TEXT NOT NULL,
    scores TEXT NOT NULL, details TEXT NOT NULL, seconds REAL NOT NULL, peak_bytes INTEGER NOT NULL,
    error TEXT, copied_from INTEGER
);
CREATE TABLE generations (
    number INTEGER PRIMARY KEY, report TEXT NOT NULL, state TEXT NOT NULL
);
"""


class Store:
    """Reads and writes a run folder.

    Args:
        folder: The run folder.
        connection: Its database.
    """

    def __init__(self, folder: Path, connection: sqlite3.Connection) -> None:
        self.folder = folder
        self._db = connection

    @classmethod
    def create(cls, folder: Path, config_toml: str, facts: dict[str, Any]) -> Store:
        """Make a new run folder.

        Args:
            folder: Where; it may exist if it is empty.
            config_toml: The text of ``config.toml``.
            facts: What to keep about the run, as JSON types: versions and the like.

        Raises:
            EvoError: If the folder holds something already, or can not be written.
        """
        try:
            if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
                raise EvoError(f"{folder} exists and is not empty; choose another --out")
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "config.toml").write_text(config_toml, encoding="utf-8")
            store = cls(folder, sqlite3.connect(folder / "run.sqlite"))
        except OSError as error:
            raise EvoError(f"run folder {folder} can not be made: {error.strerror}") from None
        store._db.execute("PRAGMA journal_mode = WAL")
        store._db.executescript(f"{_SCHEMA} PRAGMA user_version = {SCHEMA_VERSION};")
        with store._db:
            rows = [(key, json.dumps(value)) for key, value in facts.items()]
            store._db.executemany("INSERT INTO run VALUES (?, ?)", rows)
        return store

    @classmethod
    def open(cls, folder: Path) -> Store:
        """Open a run folder for reading.

        Raises:
            EvoError: If it is no run folder, damaged, or made by another version of evo.
        """
        path = folder / "run.sqlite"
        if not path.is_file():
            raise EvoError(f"{folder} is no run folder: it has no run.sqlite")
        try:
            connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
            (version,) = connection.execute("PRAGMA user_version").fetchone()
        except sqlite3.DatabaseError as error:
            raise EvoError(f"{path} can not be read: {error}") from None
        if version != SCHEMA_VERSION:
            raise EvoError(
                f"{path} has schema version {version}; this evo reads version {SCHEMA_VERSION}"
            )
        return cls(folder, connection)

    def close(self) -> None:
        """Close the database, leaving one file that can be read where nothing can be written."""
        with contextlib.suppress(sqlite3.OperationalError):  # opened for reading
            self._db.execute("PRAGMA journal_mode = DELETE")
        self._db.close()

    def add(self, candidate: Candidate, evaluation: Evaluation) -> None:
        """Keep one evaluated candidate, in one transaction."""
        with self._db:
            self._db.execute(
                "INSERT INTO candidates VALUES (?, ?, ?, ?, ?, ?)",
                (
                    candidate.id,
                    candidate.generation,
                    json.dumps(candidate.genome),
                    candidate.architecture,
                    json.dumps(candidate.parents),
                    json.dumps(candidate.operators),
                ),
            )
            self._db.execute(
                "INSERT INTO evaluations VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    evaluation.candidate,
                    evaluation.status,
                    json.dumps({name: one.to_json() for name, one in evaluation.scores.items()}),
                    json.dumps(evaluation.details),
                    evaluation.seconds,
                    evaluation.peak_bytes,
                    evaluation.error,
                    evaluation.copied_from,
                ),
            )

    def add_generation(self, report: GenerationReport, state: dict[str, Any]) -> None:
        """Keep a generation and the state of the strategy after it, in one transaction."""
        with self._db:
            self._db.execute(
                "INSERT INTO generations VALUES (?, ?, ?)",
                (report.generation, json.dumps(report.to_json()), json.dumps(state)),
            )

    def finish(self, result: RunResult) -> None:
        """Write ``result.json``, whole or not at all."""
        with self._db:
            row = ("result", json.dumps(result.to_json()))
            self._db.execute("INSERT OR REPLACE INTO run VALUES (?, ?)", row)
        text = json.dumps(result.to_json(timings=False), indent=2, allow_nan=False)
        part = self.folder / "result.json.part"
        part.write_text(text + "\n", encoding="utf-8")
        part.replace(self.folder / "result.json")

    def fact(self, key: str) -> Any:
        """Give what was kept about the run under a key, or None."""
        row = self._db.execute("SELECT value FROM run WHERE key = ?", (key,)).fetchone()
        return json.loads(row[0]) if row else None

    def generations(self) -> list[dict[str, Any]]:
        """Give the report of every generation in order."""
        rows = self._db.execute("SELECT report FROM generations ORDER BY number")
        return [json.loads(report) for (report,) in rows]

    def evaluated(self, candidate: int | None = None) -> Iterator[tuple[Candidate, Evaluation]]:
        """Give all candidates with their evaluations by id, or the one with that id."""
        query = (
            "SELECT c.id, genome, architecture, generation, parents, operators, status, scores, "
            "details, seconds, peak_bytes, error, copied_from FROM candidates c "
            "JOIN evaluations e ON e.candidate = c.id WHERE ?1 IS NULL OR c.id = ?1 ORDER BY c.id"
        )
        for row in self._db.execute(query, (candidate,)):
            yield _read_row(row)


@dataclass(frozen=True, slots=True)
class RunSummary:
    """A line of ``evo runs``."""

    folder: Path
    status: str
    started: str
    space: str
    fitness: str
    data: str
    generations: int
    evaluated: int
    best: float | None


def summaries(parent: Path) -> Iterator[RunSummary]:
    """Describe every run folder directly below a folder, by name."""
    for path in sorted(parent.glob("*/run.sqlite")):
        try:
            store = Store.open(path.parent)
        except EvoError as error:
            yield RunSummary(path.parent, f"damaged: {error}", "-", "-", "-", "-", 0, 0, None)
            continue
        try:
            result = store.fact("result") or {}
            reports = store.generations()
            last = reports[-1] if reports else {}
            yield RunSummary(
                folder=path.parent,
                status=result.get("status", "unfinished"),
                started=store.fact("started"),
                space=store.fact("space"),
                fitness=",".join(one["name"] for one in store.fact("objectives")),
                data=store.fact("data"),
                generations=len(reports),
                evaluated=result.get("evaluated", last.get("evaluated", 0)),
                best=last.get("best"),
            )
        finally:
            store.close()


def _read_row(row: tuple[Any, ...]) -> tuple[Candidate, Evaluation]:
    number, genome, architecture, generation, parents, operators = row[:6]
    status, scores, details, seconds, peak, error, copied = row[6:]
    candidate = Candidate(
        number,
        tuple(json.loads(genome)),
        architecture,
        generation,
        tuple(json.loads(parents)),
        tuple(json.loads(operators)),
    )
    evaluation = Evaluation(
        number,
        status,
        {name: Score(**score) for name, score in json.loads(scores).items()},
        json.loads(details),
        seconds,
        peak,
        error,
        copied,
    )
    return candidate, evaluation
