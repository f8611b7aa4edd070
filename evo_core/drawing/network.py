"""A decoded network as a figure for a paper or a slide.

On top stands the macro scale: input, stem, cells and head in one row, who reads whom as arcs, and
the map sizes below. Under it each cell has a box with its motif. The unit of all coordinates is the
inch, so texts and boxes keep their proportion whatever the size of the figure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from evo_core.architecture import INPUT, Architecture, Cell, Edge, Stage
from evo_core.drawing.layout import Layout, lay_out
from evo_core.drawing.parts import (
    EXCITE,
    FILL,
    INHIBIT,
    INK,
    LINE,
    MARGIN,
    PLAIN,
    SIGNED,
    SOFT,
    Pen,
    bold_width,
    cell_of,
    color_of,
    draw_macro,
    draw_pill,
    kernel_of,
    macro_size,
    shortened,
    size_text,
    title_of,
)
from evo_core.drawing.routes import RADIUS, Arc, Point

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SPACE, HEADER = 0.2, 0.44  # between boxes, and of a box
LEFT, RIGHT, PAD = 0.5, 0.3, 0.12  # room around the graph in a box
LEGEND = 0.24  # the height of a line of the legend
NARROW = 5.6
Entry = tuple[Edge | str, str]  # the mark of a legend entry and its text


@dataclass(frozen=True, slots=True)
class _Panel:
    """What one box shows: ``dots`` are the texts of inputs; without a number it has no frame."""

    layout: Layout
    edges: tuple[Edge, ...]
    dots: Mapping[str, str]
    outputs: frozenset[str]
    number: int = 0
    motif: str = ""
    facts: str = ""
    reduction: bool = False


def draw_network(architecture: Architecture, title: str | None = None) -> Figure:
    """Draw a network: its macro structure, and its cells with their circuits.

    A network without cells is drawn as one plain graph in layers.

    Args:
        architecture: The network.
        title: Stands on top, cut to 56 characters; nothing by default.
    """
    from matplotlib.figure import Figure

    panels = _panels(architecture)
    tall = max(panel.layout.height for panel in panels) + 2 * PAD + HEADER * bool(panels[0].number)
    wide = max(max(LEFT + panel.layout.width + RIGHT, _header_width(panel)) for panel in panels)
    columns = len(panels) if len(panels) <= 3 else min(3 + (len(panels) > 6), -(-len(panels) // 2))
    inner = columns * (wide + SPACE) - SPACE
    row, above = macro_size(architecture)
    width = max(inner, NARROW, row) + 2 * MARGIN
    legend = _legend_lines(_legend(panels), width - 2 * MARGIN)
    boxes = MARGIN + LEGEND * len(legend) + -(-len(panels) // columns) * (tall + SPACE)
    height = boxes + above + (0.62 if title else 0.36) + MARGIN / 2
    figure = Figure(figsize=(width, height), facecolor="white")
    axes: Any = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, width), ylim=(0, height))
    axes.set_axis_off()
    pen = Pen(axes)
    _heading(pen, architecture, title, (MARGIN, height - MARGIN / 2))
    draw_macro(pen, architecture, boxes, width)
    for index, panel in enumerate(panels):
        line, column = divmod(index, columns)
        left = (width - inner) / 2 + column * (wide + SPACE)
        _box(pen, panel, (left, boxes - (line + 1) * (tall + SPACE)), (wide, tall))
    _draw_legend(pen, legend, width)
    return figure


def _panels(architecture: Architecture) -> list[_Panel]:
    """Read what the boxes show; all are as wide as the widest, so that they line up."""
    cells = architecture.cells
    if not cells:
        return [_plain_panel(architecture)]
    columns = max(_cell_panel(architecture, cell, 0).layout.columns for cell in cells)
    return [_cell_panel(architecture, cell, columns) for cell in cells]


def _cell_panel(architecture: Architecture, cell: Cell, columns: int) -> _Panel:
    inside = [node.name for node in architecture.nodes if cell_of(node.name, (cell,))]
    edges, dots = _circuit(architecture, inside, cell.output)
    joined = [edge for edge in edges if edge.target == cell.output]
    onward = any(edge.source == cell.output for edge in edges)
    outputs = {cell.output}
    if joined and not onward and not any(edge.operations for edge in joined):
        edges = [edge for edge in edges if edge.target != cell.output]
        inside.remove(cell.output)
        outputs = {edge.source for edge in joined}
    short = {name: name.removeprefix(cell.name + "/") for name in (*dots, *inside)}
    edges = [replace(e, source=short[e.source], target=short[e.target]) for e in edges]
    labels = {short[name]: title_of(source, architecture) for name, source in dots.items()}
    return _Panel(
        layout=lay_out(tuple(short.values()), _arcs(edges), frozenset(labels), columns),
        edges=tuple(edges),
        dots=labels,
        outputs=frozenset(short[name] for name in outputs),
        number=architecture.cells.index(cell) + 1,
        motif=cell.motif,
        facts=f"k = {len(cell.sources)}  ·  {size_text(architecture.shapes[cell.output])}",
        reduction=cell.reduction,
    )


def _circuit(
    architecture: Architecture, inside: list[str], output: str
) -> tuple[list[Edge], dict[str, str]]:
    """Give the edges among some nodes, and the dots that stand for what they read from outside.

    A node that only brings in one state is itself the dot; others get a dot for each such state.
    """
    signed = {edge.target for edge in architecture.edges if edge.sign or edge.stage != "forward"}
    entering = [edge for edge in architecture.edges if edge.target in inside]
    degree = Counter(edge.target for edge in entering)
    edges: list[Edge] = []
    dots: dict[str, str] = {}
    for edge in entering:
        if edge.source in inside:
            edges.append(edge)
        elif degree[edge.target] == 1 and edge.target not in {output, *signed}:
            dots[edge.target] = edge.source
        else:
            edges.append(replace(edge, source=f"from {edge.source}"))
            dots[f"from {edge.source}"] = edge.source
    return edges, dots


def _plain_panel(architecture: Architecture) -> _Panel:
    names = (INPUT, *(node.name for node in architecture.nodes))
    words = any(len(kernel_of(edge)) > 3 for edge in architecture.edges)
    columns = 2 * len(names) if words else 0  # stretched, so that words fit between the nodes
    layout = lay_out(names, _arcs(architecture.edges), frozenset(), columns)
    return _Panel(layout, architecture.edges, {}, frozenset((architecture.output,)))


def _arcs(edges: Sequence[Edge]) -> tuple[Arc, ...]:
    return tuple(
        Arc(edge.source, edge.target, edge.stage == "next-step", bool(kernel_of(edge)))
        for edge in edges
    )


def _box(pen: Pen, panel: _Panel, corner: Point, size: Point) -> None:
    (x, y), (wide, tall) = corner, size
    header = 0.0
    if panel.number:
        header = HEADER
        pen.box(corner, size, FILL, LINE)
        line = y + tall - 0.25
        pen.disc((x + 0.25, line), 0.13, INK, INK)
        pen.text((x + 0.25, line), str(panel.number), 8, "white", weight="bold", zorder=5)
        motif = shortened(panel.motif, 12)
        pen.text((x + 0.45, line), motif, 11, weight="bold", ha="left")
        if panel.reduction:
            draw_pill(pen, (x + 0.7 + bold_width(motif, 11), line))
        pen.text((x + wide - 0.16, line), panel.facts, 7.5, SOFT, ha="right")
    left = x + LEFT + (wide - LEFT - RIGHT - panel.layout.width) / 2
    _graph(pen, panel, (left, y + (tall - header) / 2))


def _header_width(panel: _Panel) -> float:
    if not panel.number:
        return 0.0
    words = bold_width(shortened(panel.motif, 12), 11) + 0.062 * len(panel.facts)
    return 0.8 + words + 0.45 * panel.reduction


def _graph(pen: Pen, panel: _Panel, origin: Point) -> None:
    dx, dy = origin
    paper = {"fc": FILL if panel.number else "white", "ec": "none", "boxstyle": "round,pad=0.12"}
    for edge, route in zip(panel.edges, panel.layout.routes, strict=True):
        pen.edge([(x + dx, y + dy) for x, y in route], edge)
    for edge, (x, y) in zip(panel.edges, panel.layout.labels, strict=True):
        if kernel_of(edge):
            pen.text((x + dx, y + dy), kernel_of(edge), 6.5, color_of(edge), bbox=paper, zorder=3.5)
    for name, (x, y) in panel.layout.places.items():
        if name in panel.dots:
            pen.disc((x + dx, y + dy), 0.035, INK, INK, 0)
            text = shortened(panel.dots[name], 6)
            pen.text((x + dx - 0.09, y + dy), text, 7, SOFT, ha="right")
        else:
            _node(pen, (x + dx, y + dy), name, name in panel.outputs)


def _node(pen: Pen, at: Point, name: str, output: bool) -> None:
    pen.disc(at, RADIUS, INK if output else "white")
    short = name.removesuffix("_after") + "′" * name.endswith("_after")  # noqa: RUF001
    words = [shortened(word, 7) for word in (short.split("/") if len(short) > 4 else [short])][-2:]
    size = min(9.0, 32 / max(map(len, words)), 9 / len(words) + 1.2)
    for line, word in enumerate(words):
        height = at[1] + (0.5 * (len(words) - 1) - line) * size * 1.05 / 72
        pen.text((at[0], height), word, size, "white" if output else INK, zorder=5)


def _heading(pen: Pen, architecture: Architecture, title: str | None, at: Point) -> None:
    x, y = at
    if title:
        pen.text((x, y - 0.14), shortened(title, 56), 14, weight="bold", ha="left")
        y -= 0.3
    cells = len(architecture.cells)
    facts = [f"{cells} cell{'s' * (cells != 1)}"] if cells else []
    facts += [f"{architecture.parameters:,} parameters", f"{architecture.macs:,} MACs per step"]
    facts += [f"{architecture.task.steps} time steps"]
    pen.text((x, y - 0.12), "   ·   ".join(facts), 8, SOFT, ha="left")


def _legend(panels: Sequence[_Panel]) -> list[Entry]:
    """Give the entries for what is really drawn."""
    edges = {(color_of(e), e.stage): e for panel in panels for e in panel.edges}
    entries: list[Entry] = []
    words = {EXCITE: "excitatory", INHIBIT: "inhibitory", SIGNED: "both signs", PLAIN: "identity"}
    when: dict[Stage, str] = {
        "forward": "",
        "next-step": " feedback, one step later",
        "same-step": " feedback, same step",
    }
    for stage, tail in when.items():
        for color, word in words.items():
            if (color, stage) in edges:
                entries.append((edges[color, stage], word + tail))
    names = {kernel_of(edge) for panel in panels for edge in panel.edges}
    if kernels := sorted(name for name in names - {"0"} if name.isdigit()):
        entries.append((", ".join(kernels[:3]), "kernel size"))
    if "0" in names:
        entries.append(("0", "brings nothing"))
    entries.append(("node", "state"))
    entries.append(("output", "output of the cell" if panels[0].number else "output"))
    if any(panel.reduction for panel in panels):
        entries.append(("pill", "height and width halved"))
    return entries


def _legend_lines(entries: Sequence[Entry], room: float) -> list[list[Entry]]:
    """Break the legend into as few lines as it takes, of about equal length."""
    fewest = len(_filled(entries, room))
    total = sum(map(_entry_width, entries))
    tries = (_filled(entries, total / fewest * share / 10) for share in range(10, 20))
    return next((lines for lines in tries if len(lines) == fewest), _filled(entries, room))


def _filled(entries: Sequence[Entry], room: float) -> list[list[Entry]]:
    lines: list[list[Entry]] = [[]]
    for entry in entries:
        if lines[-1] and sum(map(_entry_width, [*lines[-1], entry])) > room:
            lines.append([])
        lines[-1].append(entry)
    return lines


def _entry_width(entry: Entry) -> float:
    return 0.66 + 0.058 * len(entry[1])


def _draw_legend(pen: Pen, lines: list[list[Entry]], width: float) -> None:
    for index, line in enumerate(reversed(lines)):
        y = MARGIN / 2 + 0.1 + LEGEND * index
        x = (width - sum(map(_entry_width, line)) + 0.2) / 2
        for mark, text in line:
            if isinstance(mark, Edge):
                pen.edge([(x, y), (x + 0.1, y), (x + 0.34, y)], mark)
            elif mark == "pill":
                draw_pill(pen, (x + 0.2, y))
            elif mark in {"node", "output"}:
                pen.disc((x + 0.27, y), 0.075, INK if mark == "output" else "white")
            else:
                pen.text((x + 0.36, y), mark, 7.5, EXCITE, ha="right")
            pen.text((x + 0.42, y), text, 7.5, SOFT, ha="left")
            x += _entry_width((mark, text))
