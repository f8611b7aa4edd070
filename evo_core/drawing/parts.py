"""The parts of a drawn network: the pen, the marks it draws, and the row of the macro scale."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Any

from evo_core.architecture import INPUT, Architecture, Cell, Edge
from evo_core.drawing.routes import Point, along, arch
from evo_core.primitives import Shape

# Okabe and Ito's blue and vermilion: excitation and inhibition for readers of every colour vision.
EXCITE, INHIBIT, SIGNED, PLAIN = "#0072B2", "#D55E00", "#4A5463", "#A3ABB6"
INK, SOFT, LINE, FILL = "#222B36", "#6B7685", "#C9D0D9", "#F7F8FA"
MARGIN = 0.3
WIDE, TALL = 0.58, 0.42  # a block of the macro row
PITCH = 1.15  # at most, from block to block
TIMES = "\N{MULTIPLICATION SIGN}"
BACK = 0.3  # for arcs that go back


class Pen:
    """Draws on axes whose unit is the inch; every place is ``(x, y)``."""

    def __init__(self, axes: Any) -> None:
        self.axes = axes

    def text(self, at: Point, text: str, size: float = 7, color: str = INK, **how: Any) -> None:
        """Write a text."""
        how = {"ha": "center", "va": "center_baseline", "parse_math": False} | how
        self.axes.text(*at, text, fontsize=size, color=color, **how)

    def line(
        self, points: Sequence[Point], color: str = INK, width: float = 1.2, **how: Any
    ) -> None:
        """Draw a line through points."""
        xs, ys = zip(*points, strict=True)
        self.axes.plot(xs, ys, color=color, lw=width, snap=False, **how)

    def disc(self, at: Point, radius: float, fill: str, rim: str = INK, width: float = 1.1) -> None:
        """Draw a disc."""
        from matplotlib.patches import Circle

        self.axes.add_patch(Circle(at, radius, fc=fill, ec=rim, lw=width, zorder=4))

    def box(self, at: Point, size: Point, fill: str, rim: str, width: float = 0.9) -> None:
        """Draw a rounded box from its lower left corner."""
        from matplotlib.patches import FancyBboxPatch

        style = f"round,pad=0,rounding_size={min(0.1, size[1] / 3)}"
        self.axes.add_patch(
            FancyBboxPatch(at, *size, boxstyle=style, fc=fill, ec=rim, lw=width, zorder=1)
        )

    def edge(self, route: Sequence[Point], edge: Edge) -> None:
        """Draw an edge with its head: an arrow, or a flat bar if it inhibits."""
        color, plain = color_of(edge), not edge.operations
        dashes = {"ls": (0, (3, 1.8))} if edge.stage != "forward" else {}
        width = 0.9 if plain else 1.4
        if edge.sign < 0:
            self.line(route, color, width, zorder=2, **dashes)
            (ax, ay), (x, y) = route[-2:]
            far = math.hypot(x - ax, y - ay) / 0.055
            nx, ny = (y - ay) / far, (ax - x) / far
            bar = ((x + nx, y + ny), (x - nx, y - ny))
            self.line(bar, color, 2.2, solid_capstyle="butt", zorder=3)
        else:
            self.line([*route[:-2], _back(route, 0.06)], color, width, zorder=2, **dashes)
            self.head(route, color, 0.065 if plain else 0.085)

    def head(self, route: Sequence[Point], color: str, size: float) -> None:
        """Draw an arrow head at the end of a route."""
        from matplotlib.patches import Polygon

        (x, y), (bx, by) = route[-1], _back(route, size)
        nx, ny = (y - by) * 0.45, (bx - x) * 0.45
        corners = [(x, y), (bx + nx, by + ny), (bx - nx, by - ny)]
        self.axes.add_patch(Polygon(corners, fc=color, ec="none", zorder=3))


def _back(route: Sequence[Point], size: float) -> Point:
    """Give the point that far before the end of a route, along its last direction."""
    (ax, ay), (x, y) = route[-2:]
    far = math.hypot(x - ax, y - ay) or 1.0
    return (x - (x - ax) / far * size, y - (y - ay) / far * size)


@dataclass(frozen=True, slots=True)
class _Link:
    """Who reads whom at the macro scale, as places in the row, and how often."""

    source: int
    target: int
    times: int

    @property
    def ends(self) -> tuple[tuple[int, int], tuple[int, int]]:
        """Both ends, numbered."""
        return ((0, self.source), (1, self.target))


def macro_size(architecture: Architecture) -> Point:
    """Give the least width and the height of the macro row; none without cells."""
    if not architecture.cells:
        return (0.0, 0.0)
    links = _links(architecture)
    far = max((link.target - link.source for link in links), default=1)
    back = BACK if any(link.source > link.target for link in links) else 0.0
    return (len(blocks_of(architecture)) * (WIDE + 0.16), 0.56 + TALL + _rise(far) + back)


def draw_macro(pen: Pen, architecture: Architecture, bottom: float, width: float) -> None:
    """Draw the row of blocks, the arcs between them, and the map sizes."""
    if not architecture.cells:
        return
    blocks, links = blocks_of(architecture), _links(architecture)
    step = min((width - 2 * MARGIN) / len(blocks), PITCH)
    xs = [width / 2 + (index - (len(blocks) - 1) / 2) * step for index in range(len(blocks))]
    low = bottom + 0.5 + (BACK if any(link.source > link.target for link in links) else 0)
    for index, block in enumerate(blocks):
        cell = next((cell for cell in architecture.cells if cell.name == block), None)
        _block(pen, architecture, block, cell, (xs[index], low))
    for link in links:
        _arc(pen, link, links, xs, low)
    sizes = [architecture.shapes[_end(block, architecture)][1:] for block in blocks]
    for shape, group in groupby(zip(sizes, xs, strict=True), key=itemgetter(0)):
        places = [x for _, x in group]
        if shape:
            left, right = places[0] - WIDE / 2, places[-1] + WIDE / 2
            pen.line([(left, bottom + 0.34), (right, bottom + 0.34)], LINE, 2.5)
            pen.text(((left + right) / 2, bottom + 0.2), size_text(shape), 7.5, SOFT)


def _block(pen: Pen, architecture: Architecture, block: str, cell: Cell | None, at: Point) -> None:
    x, y = at
    shape = architecture.shapes[_end(block, architecture)]
    corner = (x - WIDE / 2, y)
    if cell:
        pen.box(corner, (WIDE, TALL), FILL, INK, 1.1)
        pen.text((x, y + 0.28), title_of(block, architecture), 9, weight="bold", zorder=5)
        pen.text((x, y + 0.11), shortened(cell.motif, 8), 7, SOFT, zorder=5)
        if cell.reduction:
            pen.text((x + WIDE / 2 - 0.05, y + 0.29), "÷2", 6, zorder=5, ha="right")
    else:
        end = block == architecture.output
        pen.box(corner, (WIDE, TALL), "white", LINE, 1.1)
        pen.text((x, y + 0.28), "head" if end else shortened(block, 8), 7.5, zorder=5)
        pen.text((x, y + 0.11), f"{shape[0]} {'classes' if end else 'ch'}", 6.5, SOFT, zorder=5)


def _arc(pen: Pen, link: _Link, links: Sequence[_Link], xs: Sequence[float], low: float) -> None:
    """Draw one connection: straight to the neighbour, above if it skips, below if it goes back."""
    far, middle = link.target - link.source, low + TALL / 2
    if far == 1:
        route = [(xs[link.source] + WIDE / 2, middle), (xs[link.target] - WIDE / 2 - 0.01, middle)]
    else:
        start, stop = (xs[index] + _landing(link, links, end) for end, index in link.ends)
        base = low + TALL + 0.01 if far > 1 else low - 0.01
        route = arch((start, base), (stop, base), _rise(far) if far > 1 else -0.14)
    pen.line(
        [*route[:-1], _back(route, 0.05)],
        SIGNED if far == 1 else PLAIN,
        zorder=2,
        ls=(0, (3, 1.8)) if far < 0 else "-",
    )
    pen.head(route, SIGNED, 0.075)
    if link.times > 1:
        (x, y), lift = along(route, 0.5), 0.08 if far == 1 else 0.0
        paper = {"fc": "white", "ec": "none", "boxstyle": "round,pad=0.1"}
        pen.text(
            (x, y + lift), f"{TIMES}{link.times}", 6.5, SOFT, bbox=None if lift else paper, zorder=3
        )


def _landing(link: _Link, links: Sequence[_Link], end: int) -> float:
    """Give where on its block an arc starts (end 0) or lands (end 1), so that arcs nest."""
    ahead = link.target > link.source
    here = (link.source, link.target)[end]
    same = [other for other in links if (other.source, other.target)[end] == here]
    far = sorted(
        abs(other.target - other.source)
        for other in same
        if (other.target > other.source) == ahead and other.target - other.source != 1
    )
    rank = far.index(abs(link.target - link.source))
    inwards = WIDE / 2 - 0.07 - 0.075 * rank
    return inwards if (end == 0) == ahead else -inwards


def _rise(far: int) -> float:
    return 0.16 + 0.13 * min(far - 1, 7)


def blocks_of(architecture: Architecture) -> list[str]:
    """Give the blocks of the macro row: cells by name, and the nodes outside cells."""
    names = (cell_of(node.name, architecture.cells) or node.name for node in architecture.nodes)
    return [INPUT, *dict.fromkeys(names)]


def _links(architecture: Architecture) -> list[_Link]:
    place = {block: index for index, block in enumerate(blocks_of(architecture))}
    cells = architecture.cells
    times: Counter[tuple[int, int]] = Counter()
    for edge in architecture.edges:
        ends = [place[cell_of(name, cells) or name] for name in (edge.source, edge.target)]
        if ends[0] != ends[1]:
            times[ends[0], ends[1]] += 1
    return [_Link(a, b, count) for (a, b), count in sorted(times.items())]


def cell_of(name: str, cells: Sequence[Cell]) -> str | None:
    """Give the name of the cell a node belongs to, if it does."""
    return next((c.name for c in cells if name == c.output or name.startswith(c.name + "/")), None)


def _end(block: str, architecture: Architecture) -> str:
    return next((cell.output for cell in architecture.cells if cell.name == block), block)


def title_of(name: str, architecture: Architecture) -> str:
    """Give the number of the cell a node or block belongs to, or its name."""
    cells = architecture.cells
    found = cell_of(name, cells) or name
    return next((str(i) for i, cell in enumerate(cells, 1) if cell.name == found), found)


def shortened(text: str, most: int) -> str:
    """Cut a text to a number of characters."""
    return text if len(text) <= most else text[: most - 1] + "…"


def size_text(shape: Shape) -> str:
    """Write a shape."""
    return f" {TIMES} ".join(map(str, shape))


def color_of(edge: Edge) -> str:
    """Give the colour of an edge, by its sign."""
    if not edge.operations:
        return PLAIN
    return {1: EXCITE, -1: INHIBIT}.get(edge.sign, SIGNED)


def kernel_of(edge: Edge) -> str:
    """Give the kernel size of a convolution, or the short name of another operation.

    0 stands for an edge that brings nothing.
    """
    labels = [op.label for op in edge.operations if op.label and not op.label.startswith("crop")]
    if "zero" in labels:
        return "0"
    if len(labels) == 2 and labels[0].startswith("dw") and labels[1] == "conv1":
        return labels[0].replace("dw", "sep")
    return "·".join(labels).replace("conv", "").replace("linear", "fc")


def bold_width(text: str, size: float) -> float:
    """Measure a bold text."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import TextPath

    path = TextPath((0, 0), text.replace("$", "S"), size, prop=FontProperties(weight="bold"))
    return float(path.get_extents().width) / 72


def draw_pill(pen: Pen, at: Point) -> None:
    """Draw the mark of a reduction."""
    pen.box((at[0] - 0.15, at[1] - 0.08), (0.3, 0.16), "white", INK, 0.9)
    pen.text(at, "÷ 2", 7, zorder=5)
