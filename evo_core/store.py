"""The run folder: configuration, a SQLite database with one writer, result, log and figures."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evo_core.errors import EvoError
from evo_core.evaluation import Candidate, Evaluation, Score
from evo_core.results import GenerationReport, RunResult

if TYPE_CHECKING:
    from evo_core.rescore import Repeat

SCHEMA_VERSION = 2
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
CREATE TABLE rescores (
    candidate INTEGER NOT NULL REFERENCES candidates (id), init INTEGER NOT NULL,
    status TEXT NOT NULL, scores TEXT NOT NULL, seconds REAL NOT NULL, error TEXT,
    PRIMARY KEY (candidate, init)
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
            if not folder.exists():
                folder.mkdir(parents=True)  # fails if another run makes it now
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
    def open(cls, folder: Path, *, write: bool = False) -> Store:
        """Open a run folder, for reading unless told otherwise.

        Raises:
            EvoError: If it is no run folder, damaged, made by another version of evo, or to be
                written and can not be.
        """
        path = folder / "run.sqlite"
        if not path.is_file():
            raise EvoError(f"{folder} is no run folder: it has no run.sqlite")
        try:
            mode = "rw" if write else "ro"
            connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode={mode}", uri=True)
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            if write:
                connection.executescript("PRAGMA journal_mode = WAL; BEGIN IMMEDIATE; ROLLBACK")
        except sqlite3.DatabaseError as error:
            raise EvoError(f"{path} can not be {'written' if write else 'read'}: {error}") from None
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
                    _scores_text(evaluation),
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

    def add_rescores(self, repeats: Sequence[Repeat]) -> None:
        """Keep the scores under fresh inits, in place of any that are there."""
        with self._db:
            self._db.execute("DELETE FROM rescores")
            self._db.executemany(
                "INSERT INTO rescores VALUES (?, ?, ?, ?, ?, ?)",
                [
                    (
                        repeat.candidate,
                        repeat.init,
                        one.status,
                        _scores_text(one),
                        one.seconds,
                        one.error,
                    )
                    for repeat in repeats
                    for one in [repeat.evaluation]
                ],
            )

    def reopen(self, config_toml: str, generations: int) -> None:
        """Make ready to go on: a new configuration, and nothing after so many generations."""
        _write_whole(self.folder / "config.toml", config_toml)
        with self._db:
            self._db.execute(
                "DELETE FROM evaluations WHERE candidate IN "
                "(SELECT id FROM candidates WHERE generation >= ?)",
                (generations,),
            )
            self._db.execute("DELETE FROM candidates WHERE generation >= ?", (generations,))

    def finish(self, result: RunResult) -> None:
        """Write ``result.json``, whole or not at all."""
        with self._db:
            row = ("result", json.dumps(result.to_json()))
            self._db.execute("INSERT OR REPLACE INTO run VALUES (?, ?)", row)
        text = json.dumps(result.to_json(timings=False), indent=2, allow_nan=False)
        _write_whole(self.folder / "result.json", text + "\n")

    def fact(self, key: str) -> Any:
        """Give what was kept about the run under a key, or None."""
        row = self._db.execute("SELECT value FROM run WHERE key = ?", (key,)).fetchone()
        return json.loads(row[0]) if row else None

    def result(self) -> RunResult | None:
        """Give how the run ended, or None while it has not."""
        data = self.fact("result")
        return RunResult.from_json(data, self.folder) if data else None

    def last_generation(self) -> tuple[GenerationReport, dict[str, Any]] | None:
        """Give the report of the last generation and the state of the strategy after it."""
        query = "SELECT report, state FROM generations ORDER BY number DESC LIMIT 1"
        row = self._db.execute(query).fetchone()
        return (GenerationReport.from_json(json.loads(row[0])), json.loads(row[1])) if row else None

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


def _write_whole(path: Path, text: str) -> None:
    part = path.with_name(f"{path.name}.part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)


def _scores_text(evaluation: Evaluation) -> str:
    return json.dumps({name: score.to_json() for name, score in evaluation.scores.items()})


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
