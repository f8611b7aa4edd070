"""The file of a cache: an SQLite database of sealed JSON records, shared by several processes."""

from __future__ import annotations

import contextlib
import hashlib
import json
import sqlite3
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from evo_core.errors import EvoError

APPLICATION = 0x65766F63  # "evoc", where SQLite files say whose they are
SCHEMA_VERSION = 1
PATIENCE = 10.0  # seconds to wait for another process that writes
_TABLE = """CREATE TABLE scores (
    address TEXT NOT NULL, architecture TEXT NOT NULL, fitness TEXT NOT NULL,
    content TEXT NOT NULL, seal TEXT NOT NULL, PRIMARY KEY (address, architecture)
) WITHOUT ROWID"""
_FOREIGN = "is no cache of evo; choose another file"
_DAMAGED = "is damaged; remove it, or choose another file"


def connect(path: Path) -> sqlite3.Connection:
    """Open a cache file, a new one if there is none.

    Raises:
        EvoError: If it can not be written, is no cache of evo, damaged, or made by a newer evo.
    """
    connection = None
    try:
        _check_place(path)
        uri = f"{path.resolve().as_uri()}?mode=rwc"
        connection = sqlite3.connect(uri, uri=True, timeout=PATIENCE)
        _prepare(connection)
        _write_ahead(connection)
    except (sqlite3.Error, OSError, ValueError, EvoError) as error:
        if connection is not None:
            connection.close()
        raise EvoError(f"cache {path} {_reason(error)}") from None
    connection.text_factory = bytes
    return connection


def read(connection: sqlite3.Connection, address: str, architecture: str) -> Any:
    """Give the record of a network at an address; None if there is none, or it is damaged."""
    query = "SELECT content, seal FROM scores WHERE address = ? AND architecture = ?"
    for content, seal in connection.execute(query, (address, architecture)).fetchall():
        if isinstance(content, bytes) and seal == _seal(address, architecture, content).encode():
            return parse(content)
    return None


def parse(content: bytes) -> Any:
    """Read a record; None if it is no JSON."""
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None


def write(
    connection: sqlite3.Connection,
    architecture: str,
    addresses: Mapping[str, str],
    contents: Mapping[str, bytes],
) -> None:
    """Keep the records of a network by fitness; those that are there stay as they are."""
    rows = [
        (address, architecture, fitness, content.decode(), _seal(address, architecture, content))
        for fitness, content in contents.items()
        for address in [addresses[fitness]]
    ]
    with connection:
        connection.executemany("INSERT OR IGNORE INTO scores VALUES (?, ?, ?, ?, ?)", rows)


def close(connection: sqlite3.Connection) -> None:
    """Close the file with all in it, nothing left in the log beside it, whoever else has it open.

    SQLite leaves the log, emptied here, where two close at the same moment.
    """
    with contextlib.suppress(sqlite3.Error):
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with contextlib.suppress(sqlite3.Error):
        connection.close()


def _seal(address: str, architecture: str, content: bytes) -> str:
    """Sum up a row, so that damage shows: SQLite does not check what it reads."""
    return hashlib.sha256(f"{address} {architecture} ".encode() + content).hexdigest()[:32]


def _check_place(path: Path) -> None:
    if path.exists() and not path.is_file():
        raise EvoError("is no file; choose another")
    if not path.parent.is_dir():
        raise EvoError(f"can not be made: no folder {path.parent}; make it, or choose another file")


def _prepare(connection: sqlite3.Connection) -> None:
    """Make the table in a new file; check the one in another.

    Raises:
        EvoError: With what is wrong with the file.
    """
    with connection:
        connection.execute("BEGIN IMMEDIATE")  # waits for another run that makes the same file
        (whose,) = connection.execute("PRAGMA application_id").fetchone()
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        schema = [sql for (sql,) in connection.execute("SELECT sql FROM sqlite_master")]
        if not (whose or version or schema):
            connection.execute(f"PRAGMA application_id = {APPLICATION}")
            connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
            connection.execute(_TABLE)
            return
    if whose != APPLICATION:
        raise EvoError(_FOREIGN)
    if version > SCHEMA_VERSION:
        raise EvoError(
            f"was made by a newer evo (version {version}, this evo reads {SCHEMA_VERSION}); "
            "choose another file"
        )
    (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if version != SCHEMA_VERSION or schema != [_TABLE] or found != "ok":
        raise EvoError(_DAMAGED)


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Let readers and a writer work at once; SQLite refuses, at times, while others open."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
        except sqlite3.OperationalError as error:
            busy = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
            if not busy or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return


def _reason(error: Exception) -> str:
    if isinstance(error, EvoError):
        return str(error)
    known = {sqlite3.SQLITE_NOTADB: _FOREIGN, sqlite3.SQLITE_CORRUPT: _DAMAGED}
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    why = getattr(error, "strerror", None) or error
    return known.get(code, f"can not be used: {why}; choose another file")
