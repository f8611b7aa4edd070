"""Lines of Python, laid out as a formatter would."""

from __future__ import annotations

import keyword
import re
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

WIDTH = 88  # the line length of ruff and black where nobody says otherwise
_STEP = 4


@dataclass(frozen=True, slots=True)
class Call:
    """A call, or a list, in a line, or with one argument per line where that is too long."""

    name: str
    arguments: tuple[str | Call, ...] = ()
    brackets: str = "()"

    def __str__(self) -> str:
        return (
            f"{self.name}{self.brackets[0]}{', '.join(map(str, self.arguments))}{self.brackets[1]}"
        )

    def lines(self, indent: int, before: str = "", after: str = "") -> list[str]:
        """Lay the call out between two texts."""
        if not self.arguments or fits(f"{before}{self}{after}", indent):
            return [f"{' ' * indent}{before}{self}{after}"]
        inner = [
            line
            for one in self.arguments
            for line in (
                one.lines(indent + _STEP, after=",")
                if isinstance(one, Call)
                else [f"{' ' * (indent + _STEP)}{one},"]
            )
        ]
        pad, first, last = " " * indent, self.brackets[0], self.brackets[1]
        return [f"{pad}{before}{self.name}{first}", *inner, f"{pad}{last}{after}"]


def fits(text: str, indent: int) -> bool:
    """Tell whether a text fits in one line."""
    return indent + len(text) <= WIDTH


def total(target: str, terms: Sequence[str], indent: int) -> list[str]:
    """Write ``target = term + term + ...``, evaluated from left to right."""
    whole = f"{target} = {' + '.join(terms)}"
    pad = " " * indent
    if fits(whole, indent) or len(terms) == 1:
        return [pad + whole]
    if len(terms) == 2 or not all(fits(f"+ {term}", indent + _STEP) for term in terms):
        more = [f"{pad}{target} = {target} + {term}" for term in terms[1:]]
        return [f"{pad}{target} = {terms[0]}", *more]
    inner = [
        pad + " " * _STEP + ("+ " if number else "") + term for number, term in enumerate(terms)
    ]
    return [f"{pad}{target} = (", *inner, f"{pad})"]


def remarked(lines: list[str], remark: str, indent: int) -> list[str]:
    """Put a comment behind a statement of one line, or before a longer one."""
    if len(lines) == 1 and fits(f"{lines[0]}  # {remark}", 0):
        return [f"{lines[0]}  # {remark}"]
    return [f"{' ' * indent}# {remark}", *lines]


def comment(text: str, indent: int) -> list[str]:
    """Write a comment, in several lines if need be."""
    lead = " " * indent + "# "
    return wrapped(text, lead, lead)


def docstring(summary: str, more: str, indent: int) -> list[str]:
    """Write a docstring in one line, or with a paragraph below its first line."""
    pad, whole = " " * indent, quotable(f"{summary}: {more}")
    if fits(f'"""{whole}"""', indent):
        return [f'{pad}"""{whole}"""']
    return [f'{pad}"""{quotable(summary)}.', "", *wrapped(quotable(more), pad, pad), f'{pad}"""']


def wrapped(text: str, first: str = "", later: str = "") -> list[str]:
    """Break a text into lines between words."""
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=first,
        subsequent_indent=later,
        break_on_hyphens=False,
        break_long_words=False,
    )


def quotable(text: str) -> str:
    """Make a text fit for a docstring: one line, without backslashes and double quotes."""
    return " ".join(text.replace("\\", "/").replace('"', "'").split())


class Names:
    """Identifiers of one scope, each given once.

    Args:
        taken: Those that mean something else there.
    """

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._taken = {*keyword.kwlist, *taken}

    def new(self, wanted: str) -> str:
        """Give an identifier that is like a name: ``cell1/x0`` becomes ``cell1_x0``."""
        plain = re.sub(r"[^A-Za-z0-9]+", "_", wanted).strip("_")
        plain = plain if plain[:1].isalpha() else f"n{plain}"
        name, number = plain, 1
        while name in self._taken:
            number += 1
            name = f"{plain}_{number}"
        self._taken.add(name)
        return name
