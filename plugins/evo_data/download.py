"""Files from where their publishers offer them, verified before they take their names."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import secrets
import tarfile
import tempfile
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO

from evo_core.errors import EvoError, RunFailedError
from evo_data.prepared import checksum
from evo_data.sets import Archive, PublishedSet

_MOST = 2**30  # bytes of a file; none that is published here comes near
_PATIENCE = 60.0  # seconds without an answer

Say = Callable[[str], None]


def download(one: PublishedSet, root: Path, say: Say) -> None:
    """Fetch the files of a data set that are missing or differ, each whole or not at all.

    Args:
        one: The data set.
        root: The data root.
        say: Told what is fetched.

    Raises:
        EvoError: If they can not be written.
        RunFailedError: If they can not be fetched, or are not what was published.
    """
    wanted = {
        path: md5
        for path, md5 in one.files.items()
        if not (root / path).is_file() or checksum(root / path) != md5
    }
    if not wanted:
        say(f"{one.name} is whole in {root}")
        return
    with _writing(root):
        root.mkdir(parents=True, exist_ok=True)
    if isinstance(one.source, Archive):
        _fetch_archive(one.source, wanted, root, say)
    else:
        _fetch_files(one.source, wanted, root, say)


def _fetch_files(base: str, wanted: Mapping[str, str], root: Path, say: Say) -> None:
    for path, md5 in wanted.items():
        url = f"{base}{Path(path).name}"
        say(f"fetching {url}")
        with _answer(url) as source:
            _take(source, root / path, md5, url)


def _fetch_archive(archive: Archive, wanted: Mapping[str, str], root: Path, say: Say) -> None:
    say(f"fetching {archive.url}")
    with contextlib.ExitStack() as stack:
        stack.enter_context(_writing(root))
        whole = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=root))) / "archive"
        with _answer(archive.url) as source:
            _take(source, whole, archive.md5, archive.url)
        packed = stack.enter_context(tarfile.open(whole, "r:gz"))
        for path, md5 in wanted.items():
            member = packed.extractfile(path)
            assert member is not None  # the archive is the published one
            _take(member, root / path, md5, archive.url)


def _take(source: IO[bytes], path: Path, md5: str, url: str) -> None:
    """Write a file, whole and verified or not at all."""
    with _writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f".{path.name}-{secrets.token_hex(4)}")
        try:
            if _copy(source, part) != md5:
                raise RunFailedError(
                    f"{url} does not give what was published: its checksum differs; try again"
                )
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)


def _copy(source: IO[bytes], path: Path) -> str:
    """Write what a source gives, and give its MD5 sum."""
    digest, size = hashlib.md5(usedforsecurity=False), 0
    with path.open("xb") as file:
        while size <= _MOST and (chunk := _read(source)):
            size += len(chunk)
            digest.update(chunk)
            file.write(chunk)
    return digest.hexdigest()


def _read(source: IO[bytes]) -> bytes:
    try:
        return source.read(2**20)
    except (OSError, http.client.HTTPException) as error:
        raise RunFailedError(f"the download broke off: {error}; try again") from None


@contextlib.contextmanager
def _answer(url: str) -> Iterator[IO[bytes]]:
    try:
        answer = urllib.request.urlopen(url, timeout=_PATIENCE)  # noqa: S310 - ours are all http
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", None) or error
        raise RunFailedError(f"{url} can not be fetched: {reason}; try again later") from None
    with answer:
        yield answer


@contextlib.contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise EvoError(f"{path} can not be written: {error.strerror or error}") from None
