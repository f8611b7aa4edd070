"""What a reader makes of a damaged file: one line that names it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from evo_core.errors import EvoError


@contextmanager
def reading(path: Path, what: str) -> Iterator[None]:
    """Say in one line that a file is not what it should be, whatever its reader raises.

    Args:
        path: The file.
        what: What it should be, e.g. ``"an idx file"``.

    Raises:
        EvoError: If anything goes wrong; one that the reader raises is taken as it is.
    """
    try:
        yield
    except EvoError:
        raise
    except Exception as error:  # noqa: BLE001 - damage makes libraries raise anything
        reason = getattr(error, "strerror", None) or " ".join(str(error).split())
        raise EvoError(
            f"{path} can not be read as {what}: {reason or type(error).__name__}; it may be "
            "damaged, get it anew"
        ) from None
