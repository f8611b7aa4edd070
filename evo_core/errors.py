"""What evo raises, and the one helper that turns a wrong name into a suggestion."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class EvoError(Exception):
    """A mistake of the user: one clear line that says what is wrong and what to do.

    The command line prints the line and exits with status 2.
    """


class InvalidGenomeError(EvoError):
    """A genome that its search space can not decode; the message is the reason."""


class NotExportableError(EvoError):
    """A network of which a format can not say everything.

    Attributes:
        line: What is wrong.
        details: One line for each thing that can not be said; the command line prints them below.
    """

    def __init__(self, line: str, details: tuple[str, ...]) -> None:
        super().__init__(line, details)
        self.line = line
        self.details = details

    def __str__(self) -> str:
        return "\n  ".join((self.line, *self.details))


class RunFailedError(Exception):
    """A run that could not go on although its input was right (exit status 1)."""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Name the closest known names, or list all when nothing is close.

    >>> did_you_mean("mes", ["mse", "other"])
    "did you mean 'mse'?"
    >>> did_you_mean("zzz", ["mse", "other"])
    'known: mse, other'
    """
    names = sorted(known)
    folded = {candidate.casefold(): candidate for candidate in names}
    close = [folded[key] for key in difflib.get_close_matches(name.casefold(), list(folded), n=2)]
    if close:
        return f"did you mean {' or '.join(repr(match) for match in close)}?"
    return f"known: {', '.join(names)}" if names else "none is known"


def unknown(what: str, name: str, known: Iterable[str]) -> EvoError:
    """Build the error for a name that does not exist.

    >>> str(unknown("search space", "mes", ["mse"]))
    "no search space 'mes'; did you mean 'mse'?"
    """
    return EvoError(f"no {what} {name!r}; {did_you_mean(name, known)}")
