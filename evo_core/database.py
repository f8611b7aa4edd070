"""The SQLite database of a run: its schema, its versions, and rows that are sealed.

Each row carries a seal, a digest of its other columns, so that a database that was damaged tells so
and never answers with something that was not written. The seal keeps out accidents, not forgers:
what keeps out forgers is that nothing here is ever executed (no pickle, no triggers, no views).
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from evo_core.errors import EvoError

SCHEMA_VERSION = 4
SCHEMA = """
CREATE TABLE run (key TEXT PRIMARY KEY, value TEXT NOT NULL, seal TEXT NOT NULL);
CREATE TABLE candidates (
    id INTEGER PRIMARY KEY, generation INTEGER NOT NULL, genome TEXT NOT NULL,
    architecture TEXT NOT NULL, parents TEXT NOT NULL, operators TEXT NOT NULL,
    seal TEXT NOT NULL
);
CREATE TABLE evaluations (
    candidate INTEGER PRIMARY KEY REFERENCES candidates (id), status TEXT NOT NULL,
    scores TEXT NOT NULL, details TEXT NOT NULL, seconds REAL NOT NULL, peak_bytes INTEGER NOT NULL,
    error TEXT, copied_from INTEGER, attempts INTEGER NOT NULL, stage TEXT NOT NULL,
    seal TEXT NOT NULL
);
CREATE TABLE generations (
    number INTEGER PRIMARY KEY, report TEXT NOT NULL, state TEXT NOT NULL, seal TEXT NOT NULL
);
CREATE TABLE rescores (
    candidate INTEGER NOT NULL REFERENCES candidates (id), init INTEGER NOT NULL,
    status TEXT NOT NULL, scores TEXT NOT NULL, seconds REAL NOT NULL, error TEXT,
    attempts INTEGER NOT NULL, seal TEXT NOT NULL, PRIMARY KEY (candidate, init)
);
"""
LINEAGE = """
CREATE TABLE lineage (
    candidate INTEGER PRIMARY KEY REFERENCES candidates (id), key TEXT NOT NULL,
    inheritance TEXT NOT NULL, body TEXT, seal TEXT NOT NULL
);
"""
Row = Sequence[Any]


def create(path: Path) -> sqlite3.Connection:
    """Make a new database."""
    database = sqlite3.connect(path)
    database.executescript(
        f"PRAGMA journal_mode = WAL; BEGIN; {SCHEMA} {LINEAGE} "
        f"PRAGMA user_version = {SCHEMA_VERSION}; COMMIT"
    )
    return database


def connect(path: Path, *, write: bool) -> sqlite3.Connection:
    """Open a database, check it, and bring an older one up to date.

    An older one that is opened for reading is brought up to date in memory; the file stays.

    Raises:
        EvoError: If it is damaged, made by a newer evo, or to be written and can not be.
    """
    try:
        database = _open(path, write=write)
        try:
            return _up_to_date(database, path, write=write)
        except BaseException:
            database.close()
            raise
    except (sqlite3.Error, UnicodeDecodeError, OSError) as error:
        reason = " ".join(str(error).split())
        raise EvoError(f"{path} can not be {'written' if write else 'read'}: {reason}") from None


def insert(database: sqlite3.Connection, table: str, rows: Iterable[Row]) -> None:
    """Add rows with their seals, in place of any under the same key in the table ``run``."""
    sealed = [(*row, seal(row)) for row in rows]
    if sealed:
        marks = ", ".join("?" * len(sealed[0]))
        verb = "INSERT OR REPLACE" if table == "run" else "INSERT"
        database.executemany(f"{verb} INTO {table} VALUES ({marks})", sealed)


def unsealed(row: Row) -> Row:
    """Give a row without its seal.

    Raises:
        ValueError: If the seal does not fit the row.
    """
    if row[-1] != seal(row[:-1]):
        raise ValueError(f"the row {row[0]!r} is not what was written")
    return row[:-1]


def seal(row: Row) -> str:
    """Digest the columns of a row."""
    text = json.dumps(list(row), default=repr)
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def _open(path: Path, *, write: bool) -> sqlite3.Connection:
    mode = "rw" if write else "ro"
    database = sqlite3.connect(f"{path.resolve().as_uri()}?mode={mode}", uri=True)
    database.text_factory = lambda data: data.decode(errors="replace")  # the seal finds what is not
    database.execute("PRAGMA trusted_schema = OFF")
    if write:
        database.executescript("PRAGMA synchronous = NORMAL; BEGIN IMMEDIATE; ROLLBACK")
    return database


def _up_to_date(database: sqlite3.Connection, path: Path, *, write: bool) -> sqlite3.Connection:
    (version,) = database.execute("PRAGMA user_version").fetchone()
    if version not in (SCHEMA_VERSION, *_MIGRATIONS):
        newer = " and was made by a newer evo" if version > SCHEMA_VERSION else ""
        raise EvoError(
            f"{path} has schema version {version}{newer}; this evo reads version {SCHEMA_VERSION}"
        )
    (health,) = database.execute("PRAGMA quick_check(1)").fetchone()
    if health != "ok":
        raise EvoError(f"{path} is damaged: {' '.join(health.split())}")
    if version != SCHEMA_VERSION:
        database = database if write else _copy(database)
        for number in range(version, SCHEMA_VERSION):
            with database:
                database.execute("BEGIN IMMEDIATE")
                _MIGRATIONS[number](database, path.parent)
                database.execute(f"PRAGMA user_version = {number + 1}")
    _check_schema(database, path)
    return database


def _check_schema(database: sqlite3.Connection, path: Path) -> None:
    """Refuse what evo has not made: other tables, and triggers and views above all."""
    query = "SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY type, name"
    fresh = sqlite3.connect(":memory:")
    fresh.executescript(SCHEMA + LINEAGE)
    expected = fresh.execute(query).fetchall()
    fresh.close()
    if database.execute(query).fetchall() != expected:
        raise EvoError(f"{path} is damaged: its tables are not those of a run")
    if database.execute("PRAGMA foreign_key_check").fetchone() is not None:
        raise EvoError(f"{path} is damaged: an evaluation belongs to no candidate")


def _copy(database: sqlite3.Connection) -> sqlite3.Connection:
    memory = sqlite3.connect(":memory:")
    database.backup(memory)
    database.close()
    return memory


def _from_2(database: sqlite3.Connection, folder: Path) -> None:
    """Add seals, attempts and stages, and keep the configuration in the database."""
    tables = ("run", "candidates", "evaluations", "generations", "rescores")
    old = {table: database.execute(f"SELECT * FROM {table}").fetchall() for table in tables}  # noqa: S608
    for table in tables:
        database.execute(f"DROP TABLE {table}")
    for statement in SCHEMA.split(";")[:-1]:
        database.execute(statement)
    config = (folder / "config.toml").read_text(encoding="utf-8")
    insert(database, "run", [*old["run"], ("config", json.dumps(config))])
    insert(database, "candidates", old["candidates"])
    insert(
        database,
        "evaluations",
        [(*row, 1, "evaluate" if row[-1] is None else "duplicate") for row in old["evaluations"]],
    )
    insert(database, "generations", old["generations"])
    insert(database, "rescores", [(*row, 1) for row in old["rescores"]])


def _from_3(database: sqlite3.Connection, folder: Path) -> None:
    """Add what candidates inherit: until then none did."""
    database.execute(LINEAGE)


_MIGRATIONS: dict[int, Callable[[sqlite3.Connection, Path], None]] = {2: _from_2, 3: _from_3}
