"""Where the nodes and edges of a small graph go on paper: plain geometry in inches, no matplotlib.

Nodes stand in columns from left to right (longest path), edges that cross a column get a place of
their own in it, the order in a column avoids crossings, and heights straighten the edges.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations, pairwise

from evo_core.drawing.routes import Arc, Point, label_places, routed, spread

Item = str | tuple[int, int]  # a node, or the place of an arc in a column

FIRST, PITCH = 0.80, 0.64  # from the first column to the second, and on
STRETCH = 1.5  # at most
HALF_NODE, HALF_TIED, HALF_LOOP, HALF_DOT, HALF_PASS = 0.23, 0.33, 0.46, 0.11, 0.10
CAREFUL = 60  # graphs with more items are only ordered by barycentres
TURNS = (0, 1, 2)  # the first orders to try, turned by so many places


@dataclass(frozen=True, slots=True)
class Layout:
    """Where everything is; the origin is the middle of the left side, heights grow upwards.

    Attributes:
        places: The centre of each node.
        routes: The points of each arc, from the rim of its source to the rim of its target.
        labels: The place of each arc's label; the middle of its route if it needs none.
        columns: How many columns it has.
        width: From the first to the last column.
        height: From the lowest to the highest thing, with its room.
    """

    places: Mapping[str, Point]
    routes: tuple[tuple[Point, ...], ...]
    labels: tuple[Point, ...]
    columns: int
    width: float
    height: float


@lru_cache(maxsize=256)
def lay_out(
    names: tuple[str, ...], arcs: tuple[Arc, ...], dots: frozenset[str], columns: int = 0
) -> Layout:
    """Lay out a graph.

    Args:
        names: The nodes, in an order in which every arc that is not ``back`` runs forward.
        arcs: The edges.
        dots: The nodes that are drawn as dots.
        columns: Stretch the graph towards the width of one with so many columns.
    """
    rows, chains, half = _arranged(names, arcs, dots)
    down = _heights(rows, chains, half)
    own = _width(len(rows))
    stretch = min(max(1.0, _width(columns) / own), STRETCH) if own else 1.0
    top = min(down[item] - half[item] for item in down)
    height = max(down[item] + half[item] for item in down) - top
    at = {
        item: (stretch * _width(column), height / 2 + top - down[item])
        for column, row in enumerate(rows, 1)
        for item in row
    }
    routes = routed(arcs, [[at[item] for item in chain] for chain in chains], dots)
    places = {name: at[name] for name in names}
    labels = label_places(arcs, routes, list(places.values()))
    return Layout(places, routes, labels, len(rows), stretch * own, height)


@lru_cache(maxsize=256)
def _arranged(
    names: tuple[str, ...], arcs: tuple[Arc, ...], dots: frozenset[str]
) -> tuple[list[list[Item]], list[list[Item]], dict[Item, float]]:
    """Give the columns in order, the items each arc passes, and half the height of each item."""
    depth = _depths(names, arcs)
    chains = [_chain(index, arc, depth) for index, arc in enumerate(arcs)]
    rows = _ordered(_rows(names, depth, chains), chains)
    return rows, chains, _room(rows, arcs, dots)


def _width(columns: int) -> float:
    return FIRST * (columns > 1) + PITCH * max(columns - 2, 0)


def _room(rows: list[list[Item]], arcs: tuple[Arc, ...], dots: frozenset[str]) -> dict[Item, float]:
    """Give half the height that each item needs."""
    half: dict[Item, float] = {
        item: HALF_PASS if isinstance(item, tuple) else HALF_DOT if item in dots else HALF_NODE
        for row in rows
        for item in row
    }
    column = {item: index for index, row in enumerate(rows) for item in row}
    for arc in arcs:
        if column[arc.source] == column[arc.target]:
            most = HALF_LOOP if arc.source == arc.target else HALF_TIED
            half[arc.source] = half[arc.target] = max(half[arc.source], most)
    return half


def _depths(names: tuple[str, ...], arcs: tuple[Arc, ...]) -> dict[str, int]:
    depth: dict[str, int] = {}
    for name in names:
        entering = [arc.source for arc in arcs if arc.target == name and not arc.back]
        depth[name] = max((depth[source] + 1 for source in entering), default=0)
    return depth


def _chain(index: int, arc: Arc, depth: dict[str, int]) -> list[Item]:
    """Give the items an arc passes, from its source to its target."""
    first, last = depth[arc.source], depth[arc.target]
    step = 1 if first < last else -1
    return [
        arc.source,
        *((index, column) for column in range(first + step, last, step)),
        arc.target,
    ]


def _rows(
    names: tuple[str, ...], depth: dict[str, int], chains: list[list[Item]]
) -> list[list[Item]]:
    rows: list[list[Item]] = [[] for _ in range(max(depth.values(), default=0) + 1)]
    for item in (item for chain in chains for item in chain if isinstance(item, tuple)):
        rows[item[1]].append(item)
    for name in names:
        rows[depth[name]].append(name)
    return rows


def _ordered(rows: list[list[Item]], chains: list[list[Item]]) -> list[list[Item]]:
    """Order each column so that few edges cross and edges are short."""
    links = [pair for chain in chains for pair in pairwise(chain)]
    near: dict[Item, list[Item]] = {item: [] for row in rows for item in row}
    for a, b in links:
        near[a].append(b)
        near[b].append(a)
    if len(near) > CAREFUL:
        for _ in range(8):
            for row in rows:
                _settle(row, rows, near)
        return rows
    starts = [[[*row[turn:], *row[:turn]] for row in rows] for turn in TURNS]
    tries = [_climbed(start, near, links) for start in starts]
    tries += [[row[::-1] for row in found] for found in tries]
    for found in tries:
        _settle(found[0], found, near)
    return min(tries, key=lambda found: _cost(found, links) + _mess(found, near) / 100)


def _settle(row: list[Item], rows: list[list[Item]], near: dict[Item, list[Item]]) -> None:
    """Order a column by the mean place of what each item is joined to."""
    at = _slots(rows)
    if row is rows[0]:
        row.sort(key=list(near).index)
    row.sort(key=lambda item: _mean([at[other] for other in near[item]], at[item]))


def _mess(rows: list[list[Item]], near: dict[Item, list[Item]]) -> int:
    """Count the pairs of nodes that do not stand in their first order."""
    rank = {item: index for index, item in enumerate(near)}
    nodes = [[rank[item] for item in row if isinstance(item, str)] for row in rows]
    return sum(a > b for row in nodes for a, b in combinations(row, 2))


def _climbed(
    rows: list[list[Item]], near: dict[Item, list[Item]], links: list[tuple[Item, Item]]
) -> list[list[Item]]:
    """Swap pairs while that helps; the inputs follow what they feed."""
    _settle(rows[0], rows, near)
    best, improved = _cost(rows, links), True
    while improved:
        improved = False
        for row, (i, j) in ((r, ij) for r in rows[1:] for ij in combinations(range(len(r)), 2)):
            before = list(rows[0])
            row[i], row[j] = row[j], row[i]
            _settle(rows[0], rows, near)
            cost = _cost(rows, links)
            if cost < best - 1e-9:
                best, improved = cost, True
            else:
                row[i], row[j] = row[j], row[i]
                rows[0][:] = before
    return rows


def _cost(rows: list[list[Item]], links: list[tuple[Item, Item]]) -> float:
    """Weigh crossings and lengths; edges within a column hold their nodes together."""
    at = _slots(rows)
    column = {item: index for index, row in enumerate(rows) for item in row}
    gaps: list[list[tuple[float, float]]] = [[] for _ in rows]
    length = 0.0
    for a, b in links:
        length += abs(at[a] - at[b]) * (1 if column[a] != column[b] else 2)
        if column[a] != column[b]:
            first, last = (a, b) if column[a] < column[b] else (b, a)
            gaps[column[first]].append((at[first], at[last]))
    pairs = (pair for gap in gaps for pair in combinations(gap, 2))
    return 4 * sum((a - c) * (b - d) < 0 for (a, b), (c, d) in pairs) + length


def _slots(rows: list[list[Item]]) -> dict[Item, float]:
    return {item: i - (len(row) - 1) / 2 for row in rows for i, item in enumerate(row)}


def _mean(values: list[float], default: float) -> float:
    return sum(values) / len(values) if values else default


def _heights(
    rows: list[list[Item]], chains: list[list[Item]], half: dict[Item, float]
) -> dict[Item, float]:
    """Pull each item towards what it is joined to, and keep the order and the room of each."""
    near: dict[Item, list[tuple[Item, int]]] = {item: [] for item in half}
    for chain in chains:
        for a, b in pairwise(chain):
            weight = 1 + isinstance(a, tuple) + isinstance(b, tuple)
            near[a].append((b, weight))
            near[b].append((a, weight))
    down = {item: 0.3 * slot for item, slot in _slots(rows).items()}
    for _ in range(60):
        for row in rows:
            wanted = [
                _mean([down[other] for other, weight in near[item] for _ in range(weight)], 0.0)
                for item in row
            ]
            values = spread(wanted, [half[a] + half[b] for a, b in pairwise(row)])
            down |= dict(zip(row, values, strict=True))
    return down
