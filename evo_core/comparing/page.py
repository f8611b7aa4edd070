"""A report as one HTML text that needs nothing else: blocks in, a page out.

The page loads nothing: its style and figures are inside. It follows the reader's light or dark
scheme, is made for screens from 400 px on, and prints.

>>> page = Page("Which score?", "rdm.", [Table(["score", "rho"], [["rdm", 0.5]], "All of them")])
>>> '<td class="number">0.500</td>' in to_html(page)
True
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from evo_core.drawing.charts import INK, LINE, SOFT

NOTHING, MINUS = "\N{EN DASH}", "\N{MINUS SIGN}"
_NUMBER = re.compile(rf"[{MINUS}<>-]?\s?[\d.,]+(e[-+]?\d+)?\s?[%s]?")
# What a figure draws in a colour of the paper takes that of the page, dark or light.
_THEMED = {INK: "--ink", SOFT: "--soft", LINE: "--line", "#FFFFFF": "--paper"}


@dataclass(frozen=True, slots=True)
class Noted:
    """A cell of two lines: a value, and smaller what belongs to it, such as its interval."""

    value: str | int | float | None
    note: str


Cell = str | int | float | None | Noted


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading; those of level 2 are also listed at the top of the page."""

    text: str
    level: int = 2


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph."""

    text: str


@dataclass(frozen=True, slots=True)
class Terms:
    """Words and what they mean, or facts and what they are."""

    items: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Table:
    """A table; its first column names the rows.

    Attributes:
        columns: The heads of the columns.
        rows: As many cells each as there are columns; ``None`` is shown as a dash.
        caption: What it shows; stands above it.
        sections: A line across the table, by the number of the row that it stands above.
    """

    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    caption: str = ""
    sections: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Figure:
    """A picture.

    Attributes:
        svg: An SVG document.
        alt: What those read who do not see it.
        caption: Stands below it.
    """

    svg: str
    alt: str
    caption: str = ""


Block = Heading | Text | Terms | Table | Figure


@dataclass(frozen=True, slots=True)
class Page:
    """A report: its title, what came out in a sentence or two, and the rest."""

    title: str
    lead: str
    blocks: Sequence[Block]


def to_html(page: Page) -> str:
    """Write a page as HTML.

    Raises:
        ValueError: If a row of a table does not fit its columns, or a figure has no alt text.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("evo_core.comparing"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    blocks = [_prepared(block, number) for number, block in enumerate(page.blocks, 1)]
    sections = [block for block in blocks if block.get("level") == 2]
    return environment.get_template("page.html").render(
        title=page.title, lead=page.lead, blocks=blocks, sections=sections
    )


def number(value: float | None, digits: int | None = None) -> str:
    """Write a number for a reader: integers whole, others with so many decimals; None is a dash.

    Without ``digits`` it has three decimals, none from 1,000 on, or three digits if it is small or
    very large.

    >>> number(0.12345), number(12), number(1e-5), number(1e-5, 2)
    ('0.123', '12', '1e-05', '0.00')
    """
    if value is None:
        return NOTHING
    if isinstance(value, int):
        text = f"{value:,}"
    elif digits is None and value and not 0.0005 <= abs(value) < 1e5:
        text = f"{value:.3g}"
    elif digits is None and abs(value) >= 1000:
        text = f"{value:,.0f}"
    else:
        places = 3 if digits is None else digits
        text = f"{round(value, places) + 0.0:.{places}f}"
    return MINUS + text[1:] if text.startswith("-") else text


def _prepared(block: Block, place: int) -> dict[str, object]:
    """Give what the template shows of a block."""
    kind = type(block).__name__.lower()
    if isinstance(block, Heading):
        return {"kind": kind, "text": block.text, "level": block.level, "id": f"part-{place}"}
    if isinstance(block, Text):
        return {"kind": kind, "text": block.text}
    if isinstance(block, Terms):
        return {"kind": kind, "items": block.items}
    if isinstance(block, Figure):
        return {"kind": kind, "svg": _inline(block, place), "caption": block.caption}
    return {"kind": kind, "caption": block.caption, **_cells(block)}


def _cells(table: Table) -> dict[str, object]:
    width = len(table.columns)
    if any(len(row) != width for row in table.rows):
        raise ValueError(f"a row of the table {table.caption!r} has not {width} cells")
    rows = [[_shown(cell) for cell in row] for row in table.rows]
    numeric = [
        any(row[column][0] != NOTHING for row in rows)
        and all(row[column][0] == NOTHING or _NUMBER.fullmatch(row[column][0]) for row in rows)
        for column in range(width)
    ]
    heads = list(zip(table.columns, numeric, strict=True))
    lines = [
        {"section": table.sections.get(index), "cells": list(zip(row, numeric, strict=True))}
        for index, row in enumerate(rows)
    ]
    return {"heads": heads, "lines": lines}


def _shown(cell: Cell) -> tuple[str, str]:
    """Give the two lines of a cell."""
    if isinstance(cell, Noted):
        return _shown(cell.value)[0], cell.note
    return cell if isinstance(cell, str) else number(cell), ""


def _inline(figure: Figure, place: int) -> object:
    """Make an SVG document a part of the page: named, with ids of its own, in the page's looks.

    Raises:
        ValueError: If it has no alt text.
    """
    from markupsafe import Markup, escape

    if not figure.alt.strip():
        raise ValueError("a figure needs a text for those who do not see it")
    svg = figure.svg[figure.svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>|<!--.*?-->", "", svg, flags=re.DOTALL)
    svg = re.sub(r"font-family:[^;\"]*;?", "", svg)  # that of the page
    svg = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>f{place}-", svg)
    for colour, name in _THEMED.items():
        svg = re.sub(f": {colour}\\b", f": var({name})", svg, flags=re.IGNORECASE)
    root, inside = svg.split(">", 1)
    width = re.search(r'\swidth="([\d.]+)pt"', root)
    root = re.sub(r'\s(width|height)="[^"]*"', "", root)
    pixels = float(width[1]) * 4 / 3 if width else 640.0
    style = f"max-width: {pixels:.0f}px; min-width: {0.7 * pixels:.0f}px"
    return Markup('{} role="img" aria-label="{}" style="{}">{}').format(
        Markup(root),  # noqa: S704 - drawn here, its texts escaped
        escape(figure.alt),
        style,
        Markup(inside),  # noqa: S704 - the same
    )
