"""A run folder as files: made whole or not at all, held by one process, and closed in itself."""

from __future__ import annotations

import contextlib
import glob
import secrets
import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from evo_core.errors import EvoError

if TYPE_CHECKING:
    from filelock import BaseFileLock

_LOCK = "run.lock"
_FILES = ("config.toml", "result.json", "log.txt", "summary.json", _LOCK)
_STALE = 3600.0  # seconds after which what a killed program left aside is taken away


@contextmanager
def new_folder(folder: Path) -> Iterator[Path]:
    """Give a folder to be filled, which takes its name and place when it is full.

    So a program that is killed meanwhile leaves no half of a folder under that name.

    Raises:
        EvoError: If there is something already, or it can not be made.
    """
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise EvoError(f"{folder} exists and is not empty; choose another --out")
        folder.parent.mkdir(parents=True, exist_ok=True)
        _sweep(folder)
        aside = folder.parent / f".{folder.name}-{secrets.token_hex(4)}"
        aside.mkdir()
        try:
            yield aside
            _take_place(aside, folder)
        finally:
            shutil.rmtree(aside, ignore_errors=True)
    except OSError as error:
        raise EvoError(f"{folder} can not be made: {error.strerror}") from None
    except sqlite3.Error as error:
        raise EvoError(f"{folder} can not be made: {error}") from None


def hold(folder: Path) -> BaseFileLock:
    """Take a run folder for this process alone, until the lock is released or the process ends.

    Raises:
        EvoError: If another process has it, or it can not be written.
    """
    import filelock

    lock = filelock.FileLock(folder / _LOCK)
    try:
        return lock.acquire(timeout=0.5).lock
    except filelock.Timeout:
        raise EvoError(
            f"{folder} is being written by another process; wait until that has ended"
        ) from None
    except OSError as error:
        raise EvoError(f"{folder} can not be written: {error.strerror}") from None


def is_held(folder: Path) -> bool:
    """Tell whether a process is writing a run folder just now."""
    import filelock

    if not (folder / _LOCK).is_file() or (folder / _LOCK).is_symlink():
        return False
    lock = filelock.FileLock(folder / _LOCK)
    try:
        lock.acquire(blocking=False)
    except filelock.Timeout:
        return True
    except OSError:  # nobody can write here
        return False
    lock.release()
    return False


def check_closed(folder: Path) -> None:
    """Refuse links and pipes: what is written to a folder that holds them could land anywhere.

    Raises:
        EvoError: If the folder holds anything but files and folders.
    """
    for name in _FILES:
        if (folder / name).is_dir():
            raise EvoError(f"{folder} holds a folder {name}; put a file in its place")
    for path in folder.rglob("*"):
        if path.is_symlink() or not (path.is_file() or path.is_dir()):
            raise EvoError(
                f"{folder} holds {path.relative_to(folder)}, which is neither file nor folder; "
                "put a file in its place"
            )


def is_folder(text: str) -> bool:
    """Tell whether a text names a folder; what no path can be called names none."""
    try:
        return Path(text).is_dir()
    except OSError:
        return False


def write_whole(path: Path, content: str | bytes) -> None:
    """Write a file, whole or not at all: also where it is interrupted.

    Raises:
        OSError: If it can not be written.
    """
    part = path.with_name(f"{path.name}.part")
    try:
        part.write_bytes(content if isinstance(content, bytes) else content.encode())
        part.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        raise


def write_out(path: Path, content: str | bytes) -> None:
    """Write a file that somebody asked for, and the folders that lead to it.

    Raises:
        EvoError: If it can not be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, content)
    except OSError as error:
        raise EvoError(f"{path} can not be written: {error.strerror}") from None


def _sweep(folder: Path) -> None:
    """Take away what programs that were killed while they made this folder left behind."""
    for aside in folder.parent.glob(f".{glob.escape(folder.name)}-????????"):
        if time.time() - aside.stat().st_mtime > _STALE:
            shutil.rmtree(aside, ignore_errors=True)


def _take_place(aside: Path, folder: Path) -> None:
    if folder.exists():
        folder.rmdir()  # fails if it is not empty any more
    aside.rename(folder)
