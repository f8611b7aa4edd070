"""A decoded network as a figure for a paper or a slide.

On top stands the macro scale: input, stem, cells and head in one row, who reads whom as arcs, and
the map sizes below. Under it each cell has a box with its motif. The unit of all coordinates is the
inch, so texts and boxes keep their proportion whatever the size of the figure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby, pairwise
from typing import TYPE_CHECKING, Any

from evo_core.architecture import INPUT, Architecture, Cell, Edge
from evo_core.drawing_layout import RADIUS, Arc, Layout, Point, along, lay_out
from evo_core.primitives import Conv, Shape

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Okabe and Ito's blue and vermilion: excitation and inhibition for readers of every colour vision.
EXCITE, INHIBIT, SIGNED, PLAIN = "#0072B2", "#D55E00", "#4A5463", "#A3ABB6"
INK, SOFT, LINE, FILL = "#222B36", "#6B7685", "#C9D0D9", "#F7F8FA"
MARGIN, SPACE, HEADER = 0.3, 0.22, 0.42
LEFT, RIGHT, BELOW = 0.52, 0.32, 0.1  # room around the graph in a box
BLOCK, TALL = 0.56, 0.42  # a block of the macro row
KEYS = {
    (EXCITE, False): "excitatory",
    (INHIBIT, False): "inhibitory",
    (SIGNED, False): "both signs",
    (PLAIN, False): "identity",
    (EXCITE, True): "excitatory feedback",
    (INHIBIT, True): "inhibitory feedback",
    (SIGNED, True): "feedback of both signs",
    (PLAIN, True): "feedback as it is",
}


def draw_network(architecture: Architecture, title: str | None = None) -> Figure:
    """Draw a network: its macro structure, and its cells with their circuits.

    A network without cells is drawn as one plain graph in layers.

    Args:
        architecture: The network.
        title: Stands on top; nothing by default.
    """
    from matplotlib.figure import Figure

    panels = [_cell_panel(architecture, cell) for cell in architecture.cells]
    panels = panels or [_plain_panel(architecture)]
    sheet = _Sheet.of(architecture, panels, title)
    figure = Figure(figsize=(sheet.width, sheet.height), facecolor="white")
    axes: Any = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, sheet.width), ylim=(0, sheet.height))
    axes.set_axis_off()
    pen = _Pen(axes)
    top = _heading(pen, architecture, title, sheet)
    if architecture.cells:
        _macro(pen, architecture, sheet, top)
    for index, panel in enumerate(panels):
        _box(pen, panel, sheet.corner(index), sheet.box)
    _legend(pen, architecture, panels, sheet)
    return figure


@dataclass(frozen=True, slots=True)
class _Panel:
    """What one box shows.

    ``names`` gives the text of each node, ``dots`` that of each input, ``outputs`` the nodes whose
    states the cell gives. A box without ``motif`` has no header.
    """

    layout: Layout
    edges: tuple[Edge, ...]
    names: Mapping[str, str]
    dots: Mapping[str, str]
    outputs: frozenset[str]
    motif: str = ""
    number: int = 0
    facts: str = ""
    reduction: bool = False


@dataclass(frozen=True, slots=True)
class _Sheet:
    """The size of the paper and of its parts."""

    width: float
    height: float
    columns: int
    box: tuple[float, float]
    macro: float
    left: float

    @staticmethod
    def of(architecture: Architecture, panels: Sequence[_Panel], title: str | None) -> _Sheet:
        """Plan the sheet: all boxes have the same size, in rows of equal length."""
        cells = len(architecture.cells)
        box_width = max(panel.layout.width for panel in panels) + LEFT + RIGHT
        header = HEADER if cells else BELOW
        box_height = max(panel.layout.height for panel in panels) + header + BELOW
        columns = len(panels) if cells <= 3 else min(3 + (cells > 6), -(-cells // 2))
        rows = -(-len(panels) // columns)
        links = _links(architecture) if cells else {}
        blocks = _blocks(architecture)
        reach = max((abs(a - b) for a, b, _ in links), default=0)
        macro = TALL + 0.75 + _rise(reach) + (0.2 if any(back for *_, back in links) else 0)
        inner = columns * (box_width + SPACE) - SPACE
        width = max(inner, 5.6, len(blocks) * (BLOCK + 0.14) if cells else 0) + 2 * MARGIN
        heading = 0.62 if title else 0.36
        height = MARGIN + heading + (macro if cells else 0) + rows * (box_height + SPACE) + 0.42
        left = (width - inner) / 2
        return _Sheet(width, height, columns, (box_width, box_height), macro, left)

    def corner(self, index: int) -> Point:
        """Give the lower left corner of a box."""
        row, column = divmod(index, self.columns)
        rows_top = self.height - self._above
        x = self.left + column * (self.box[0] + SPACE)
        return (x, rows_top - (row + 1) * (self.box[1] + SPACE) + SPACE)

    @property
    def _above(self) -> float:
        raise NotImplementedError
