"""The run folder: configuration, a SQLite database with one writer, result, log and figures."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evo_core import database
from evo_core.bodies import Bodies
from evo_core.errors import EvoError, RunFailedError
from evo_core.evaluation import Candidate, Evaluation, Repeat
from evo_core.folder import check_closed, hold, new_folder, write_whole
from evo_core.results import GenerationReport, RunResult
from evo_core.rows import evaluation_row, lineage_rows, read_pair, read_repeat, scores_text

if TYPE_CHECKING:
    from filelock import BaseFileLock


@dataclass(frozen=True, slots=True)
class Generation:
    """A complete generation: its report, and the state of the strategy after it."""

    report: GenerationReport
    state: dict[str, Any]


class Store:
    """Reads and writes a run folder.

    Whatever is written is one transaction, so a run that is killed has done a step or has not.

    Args:
        folder: The run folder.
        connection: Its database.
        lock: What keeps other writers out; None for a reader.
    """

    def __init__(
        self, folder: Path, connection: sqlite3.Connection, lock: BaseFileLock | None = None
    ) -> None:
        self.folder = folder
        self.bodies = Bodies(folder / "weights")
        self._db = connection
        self._lock = lock

    @classmethod
    def create(cls, folder: Path, config_toml: str, facts: Mapping[str, Any]) -> Store:
        """Make a new run folder.

        Args:
            folder: Where; it may exist if it is empty.
            config_toml: The text of ``config.toml``.
            facts: What to keep about the run, as JSON types: versions and the like.

        Raises:
            EvoError: If the folder holds something already, or can not be written.
        """
        with new_folder(folder) as aside:
            (aside / "config.toml").write_text(config_toml, encoding="utf-8")
            with contextlib.closing(database.create(aside / "run.sqlite")) as made, made:
                rows = {**facts, "config": config_toml}.items()
                database.insert(made, "run", [(key, json.dumps(value)) for key, value in rows])
        return cls.open(folder, write=True)

    @classmethod
    def open(cls, folder: Path, *, write: bool = False) -> Store:
        """Open a run folder, for reading unless told otherwise; one process at a time may write.

        Raises:
            EvoError: If it is no run folder, damaged, made by a newer evo, or to be written and
                can not be.
        """
        path = folder / "run.sqlite"
        if not path.is_file():
            raise EvoError(f"{folder} is no run folder: it has no run.sqlite")
        if not write:
            return cls(folder, database.connect(path, write=False))
        check_closed(folder)
        lock = hold(folder)
        try:
            return cls(folder, database.connect(path, write=True), lock)
        except BaseException:
            lock.release()
            raise

    def close(self) -> None:
        """Close the database, leaving one file that can be read where nothing can be written."""
        if self._lock is not None:
            with contextlib.suppress(sqlite3.Error):  # somebody reads it, or the disk is full
                if self._db.execute("PRAGMA journal_mode").fetchone() != ("delete",):
                    self._db.execute("PRAGMA journal_mode = DELETE")
        self._db.close()
        if self._lock is not None:
            self._lock.release()

    def add(self, candidate: Candidate, evaluation: Evaluation) -> None:
        """Keep one evaluated candidate, whose body :meth:`add_body` has kept."""
        one = candidate
        row = (one.id, one.generation, json.dumps(one.genome), one.architecture)
        with self._writing():
            kin = (json.dumps(one.parents), json.dumps(one.operators))
            database.insert(self._db, "candidates", [(*row, *kin)])
            database.insert(self._db, "evaluations", [evaluation_row(evaluation)])
            database.insert(self._db, "lineage", lineage_rows(candidate, evaluation))

    def add_body(self, evaluation: Evaluation) -> Evaluation:
        """Keep the body that came with an evaluation, and leave its digest there."""
        if not evaluation.tensors:
            return evaluation
        with self._writing():
            body = self.bodies.add(evaluation.tensors)
        return replace(evaluation, body=body, tensors=b"")

    def add_generation(self, report: GenerationReport, state: dict[str, Any]) -> None:
        """Keep a generation and the state of the strategy after it."""
        row = (report.generation, json.dumps(report.to_json()), json.dumps(state))
        with self._writing():
            database.insert(self._db, "generations", [row])

    def add_rescore(self, repeat: Repeat) -> None:
        """Keep a score under a fresh init."""
        one = repeat.evaluation
        scores = scores_text(one)
        row = (repeat.candidate, repeat.init, one.status, scores, one.seconds, one.error)
        with self._writing():
            database.insert(self._db, "rescores", [(*row, one.attempts)])

    def forget(self, repeats: Iterable[tuple[int, int]]) -> None:
        """Drop the scores under fresh inits of these candidates and inits."""
        with self._writing():
            query = "DELETE FROM rescores WHERE candidate = ? AND init = ?"
            self._db.executemany(query, list(repeats))

    def forget_after(self, generations: int) -> None:
        """Drop all candidates that came after so many generations."""
        chosen = "(SELECT id FROM candidates WHERE generation >= ?)"
        with self._writing():
            for table in ("evaluations", "rescores", "lineage"):
                query = f"DELETE FROM {table} WHERE candidate IN {chosen}"  # noqa: S608
                self._db.execute(query, (generations,))
            self._db.execute("DELETE FROM candidates WHERE generation >= ?", (generations,))

    def go_on(self, config_toml: str, facts: Mapping[str, Any]) -> None:
        """Note that the run goes on, and with which configuration."""
        before = self.fact("config")
        self._db.execute("PRAGMA journal_mode = WAL")
        rows = {**facts, "config": config_toml, "former_config": before}.items()
        with self._writing():
            self._db.execute("DELETE FROM run WHERE key = 'result'")
            database.insert(self._db, "run", [(key, json.dumps(value)) for key, value in rows])
        with self._writing():  # only now: until then the file has to be the one before
            write_whole(self.folder / "config.toml", config_toml)

    def finish(self, result: RunResult) -> None:
        """Write ``result.json``, whole or not at all, and then that the run has ended."""
        text = json.dumps(result.to_json(timings=False), indent=2, allow_nan=False)
        with self._writing():
            write_whole(self.folder / "result.json", text + "\n")
            row = ("result", json.dumps(result.to_json()))
            database.insert(self._db, "run", [row])

    def fact(self, key: str) -> Any:
        """Give what was kept about the run under a key, or None."""
        with self._reading():
            row = self._db.execute("SELECT * FROM run WHERE key = ?", (key,)).fetchone()
            return json.loads(database.unsealed(row)[1]) if row else None

    def result(self) -> RunResult | None:
        """Give how the run ended, or None while it has not."""
        data = self.fact("result")
        with self._reading():
            return RunResult.from_json(data, self.folder) if data else None

    def generations(self) -> list[Generation]:
        """Give all complete generations in order."""
        with self._reading():
            rows = map(
                database.unsealed, self._db.execute("SELECT * FROM generations ORDER BY number")
            )
            return [
                Generation(GenerationReport.from_json(json.loads(report)), json.loads(state))
                for _, report, state in rows
            ]

    def evaluated(self, candidate: int | None = None) -> list[tuple[Candidate, Evaluation]]:
        """Give all candidates with their evaluations by id, or the one with that id."""
        query = (
            "SELECT c.*, e.*, l.* FROM candidates c LEFT JOIN evaluations e ON e.candidate = c.id "
            "LEFT JOIN lineage l ON l.candidate = c.id "
            "WHERE ?1 IS NULL OR c.id = ?1 ORDER BY c.id"
        )
        with self._reading():
            rows = self._db.execute(query, (candidate,))
            return [read_pair(row[:7], row[7:18], row[18:]) for row in rows]

    def rescores(self) -> list[Repeat]:
        """Give the scores under fresh inits, by candidate and init."""
        with self._reading():
            rows = self._db.execute("SELECT * FROM rescores ORDER BY candidate, init")
            return [read_repeat(row) for row in rows]

    @contextlib.contextmanager
    def _reading(self) -> Iterator[None]:
        """Say in one line that what is read makes no sense.

        Raises:
            EvoError: If it does not.
        """
        try:
            yield
        except (sqlite3.Error, ValueError, KeyError, TypeError, AttributeError) as error:
            reason = " ".join(str(error).split())
            raise EvoError(f"{self.folder / 'run.sqlite'} is damaged: {reason}") from error

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        """Do one transaction.

        Raises:
            RunFailedError: If it can not be written, e.g. because the disk is full.
        """
        try:
            with self._db:
                yield
        except (sqlite3.OperationalError, OSError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            raise RunFailedError(
                f"{self.folder} can not be written: {reason}; what was kept until then is whole, "
                f"go on with evo resume {self.folder}"
            ) from error
