"""The bodies of a run: ``weights/<digest>.safetensors``, what trainings left for children."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path

from evo_core.errors import EvoError
from evo_core.evaluation import Candidate, Evaluation

_SUFFIX = ".safetensors"
_NAMES = "[0-9a-f]" * 64 + ".*"


@dataclass(frozen=True, slots=True)
class Bodies:
    """The folder of bodies, each a file named by the SHA-256 of its content.

    Only the process that writes the run adds and deletes; workers read.
    """

    folder: Path

    def add(self, content: bytes) -> str:
        """Keep a body, whole or not at all, and give its digest.

        Raises:
            OSError: If it can not be written.
        """
        digest = _digest(content)
        path = self._path(digest)
        if not self.folder.is_dir():
            self.folder.mkdir()
        part = path.with_suffix(".part")
        part.write_bytes(content)
        part.replace(path)
        return digest

    def read(self, digest: str) -> bytes:
        """Give a body.

        Raises:
            EvoError: If it is missing or damaged.
        """
        path = self._path(digest)
        try:
            content = path.read_bytes()
        except OSError as error:
            raise EvoError(f"the body {path} can not be read: {error.strerror}") from None
        if _digest(content) != digest:
            raise EvoError(f"the body {path} is damaged: it is not what was written")
        return content

    def has(self, digests: Collection[str]) -> bool:
        """Tell whether all these bodies are there."""
        return all(self._path(digest).is_file() for digest in digests)

    def keep_only(self, digests: Collection[str]) -> None:
        """Delete all other bodies, and what a process that was killed left of one."""
        kept = {self._path(digest) for digest in digests}
        for path in self.folder.glob(_NAMES):
            if path not in kept:
                path.unlink(missing_ok=True)

    def locate(self, candidate: Candidate) -> Candidate:
        """Tell a candidate where the bodies lie that it inherits."""
        if candidate.inheritance is None:
            return candidate
        return replace(candidate, weights=str(self.folder.absolute()))

    def _path(self, digest: str) -> Path:
        return self.folder / f"{digest}{_SUFFIX}"


def body_in(evaluation: Evaluation) -> str | None:
    """Give the digest of the body that an evaluation left, stored or on its way."""
    return _digest(evaluation.tensors) if evaluation.tensors else evaluation.body


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
