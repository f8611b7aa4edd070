"""Where the nodes and edges of a small graph go on paper: plain geometry in inches, no matplotlib.

Nodes stand in columns from left to right (longest path), edges that cross a column get a place of
their own in it, the order in a column avoids crossings, and heights straighten the edges.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, combinations, pairwise

Point = tuple[float, float]
Item = str | tuple[int, int]  # a node, or the place of an arc in a column

RADIUS = 0.15
FIRST, PITCH = 0.80, 0.64  # from the first column to the second, and on
HALF_NODE, HALF_DOT, HALF_PASS = 0.23, 0.11, 0.09  # half the height each needs
CAREFUL = 60  # graphs with more items are only ordered by barycentres
STEPS = 14  # points per curve segment


@dataclass(frozen=True, slots=True)
class Arc:
    """An edge to lay out.

    Attributes:
        source: The node it leaves.
        target: The node it enters.
        back: Whether it may run against the columns.
        label: Whether it needs a place for a label.
    """

    source: str
    target: str
    back: bool = False
    label: bool = False


@dataclass(frozen=True, slots=True)
class Layout:
    """Where everything is; the origin is the middle of the left side, heights grow upwards.

    Attributes:
        places: The centre of each node.
        routes: The points of each arc, from the rim of its source to the rim of its target.
        labels: The place of each arc's label; the middle of its route if it needs none.
        width: From the first to the last column.
        height: From the lowest to the highest thing, with its room.
    """

    places: Mapping[str, Point]
    routes: tuple[tuple[Point, ...], ...]
    labels: tuple[Point, ...]
    width: float
    height: float


@lru_cache(maxsize=256)
def lay_out(names: tuple[str, ...], arcs: tuple[Arc, ...], dots: frozenset[str]) -> Layout:
    """Lay out a graph.

    Args:
        names: The nodes, in an order in which every arc that is not ``back`` runs forward.
        arcs: The edges.
        dots: The nodes that are drawn as dots.
    """
    depth = _depths(names, arcs)
    chains = [_chain(index, arc, depth) for index, arc in enumerate(arcs)]
    rows = _ordered(_rows(names, depth, chains), chains)
    half: dict[Item, float] = {
        item: HALF_PASS if isinstance(item, tuple) else HALF_DOT if item in dots else HALF_NODE
        for row in rows
        for item in row
    }
    down = _heights(rows, chains, half)
    columns = [FIRST * min(column, 1) + PITCH * max(column - 1, 0) for column in range(len(rows))]
    top = min(down[item] - half[item] for item in down)
    height = max(down[item] + half[item] for item in down) - top
    at = {
        item: (columns[column], height / 2 + top - down[item])
        for column, row in enumerate(rows)
        for item in row
    }
    ways = _bowed(arcs, [[at[item] for item in chain] for chain in chains])
    routes = _routes(arcs, ways, dots)
    places = {name: at[name] for name in names}
    return Layout(places, routes, _labels(arcs, routes, places), columns[-1], height)


def spread(wanted: Sequence[float], gaps: Sequence[float]) -> list[float]:
    """Give the rising values nearest to ``wanted`` that keep at least these gaps between them.

    >>> spread([0.0, 0.0, 5.0], [2.0, 2.0])
    [-1.0, 1.0, 5.0]
    """
    offsets = list(accumulate(gaps, initial=0.0))
    blocks: list[tuple[float, int]] = []
    for value, offset in zip(wanted, offsets, strict=True):
        mean, count = value - offset, 1
        while blocks and blocks[-1][0] > mean:
            before, size = blocks.pop()
            mean, count = (before * size + mean * count) / (size + count), size + count
        blocks.append((mean, count))
    means = [mean for mean, count in blocks for _ in range(count)]
    return [mean + offset for mean, offset in zip(means, offsets, strict=True)]


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
    column = {item: index for index, row in enumerate(rows) for item in row}
    links = [pair for chain in chains for pair in pairwise(chain)]
    near: dict[Item, list[Item]] = {item: [] for item in column}
    for a, b in links:
        near[a].append(b)
        near[b].append(a)
    for _ in range(8):
        at = _slots(rows)
        for row in rows:
            row.sort(key=lambda item: _mean([at[other] for other in near[item]], at[item]))
            at |= _slots([row])
    if len(column) <= CAREFUL:
        gaps: list[list[tuple[Item, Item]]] = [[] for _ in rows]
        for a, b in links:
            gaps[min(column[a], column[b])].append((a, b) if column[a] <= column[b] else (b, a))
        _climb(rows, gaps)
    return rows


def _climb(rows: list[list[Item]], gaps: list[list[tuple[Item, Item]]]) -> None:
    best, improved = _cost(rows, gaps), True
    while improved:
        improved = False
        for row in rows:
            for i, j in combinations(range(len(row)), 2):
                row[i], row[j] = row[j], row[i]
                cost = _cost(rows, gaps)
                if cost < best - 1e-9:
                    best, improved = cost, True
                else:
                    row[i], row[j] = row[j], row[i]


def _cost(rows: list[list[Item]], gaps: list[list[tuple[Item, Item]]]) -> float:
    at = _slots(rows)
    ends = [[(at[a], at[b]) for a, b in gap] for gap in gaps]
    length = sum(abs(a - b) for gap in ends for a, b in gap)
    crossings = sum(
        (a - c) * (b - d) < 0 for gap in ends for (a, b), (c, d) in combinations(gap, 2)
    )
    return 4 * crossings + length


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


def _bowed(arcs: tuple[Arc, ...], ways: list[list[Point]]) -> list[list[Point]]:
    """Bend arcs that would lie on each other or on a node."""
    pairs: dict[frozenset[str], list[int]] = {}
    for index, arc in enumerate(arcs):
        if arc.source == arc.target:
            x, y = ways[index][0]
            ways[index][1:1] = [(x + 0.13, y + 0.33), (x - 0.13, y + 0.33)]
        elif len(ways[index]) == 2:
            pairs.setdefault(frozenset((arc.source, arc.target)), []).append(index)
    for group in pairs.values():
        (ax, ay), (bx, by) = sorted(ways[group[0]])
        far = math.dist((ax, ay), (bx, by))
        base = 0.4 if ax == bx and far > 3 * HALF_NODE else 0.0
        for number, index in enumerate(group):
            bow = base + 0.22 * (number - (len(group) - 1) / 2)
            if bow:
                middle = (
                    (ax + bx) / 2 + (by - ay) / far * bow,
                    (ay + by) / 2 - (bx - ax) / far * bow,
                )
                ways[index].insert(1, middle)
    return ways


def _routes(
    arcs: tuple[Arc, ...], ways: list[list[Point]], dots: frozenset[str]
) -> tuple[tuple[Point, ...], ...]:
    angles = _angles(arcs, ways)
    routes = []
    for index, (arc, way) in enumerate(zip(arcs, ways, strict=True)):
        points, turns = list(way), [_unit(a, b) for a, b in zip(way, way[2:], strict=False)]
        start, end = angles[index, 0], angles[index, 1]
        leave = (
            (1.0, 0.0)
            if arc.source in dots and not arc.back
            else (math.cos(start), math.sin(start))
        )
        turns = [leave, *turns, (-math.cos(end), -math.sin(end))]
        for place, angle, name in ((0, start, arc.source), (-1, end, arc.target)):
            radius = 0.05 if name in dots else RADIUS + 0.015
            x, y = way[place]
            points[place] = (x + radius * math.cos(angle), y + radius * math.sin(angle))
        if arc.source in dots:
            points[0] = way[0]
        routes.append(tuple(_curve(points, turns)))
    return tuple(routes)


def _angles(arcs: tuple[Arc, ...], ways: list[list[Point]]) -> dict[tuple[int, int], float]:
    """Give the angle at which each arc meets its two nodes, with room between arrow heads."""
    ends: dict[str, list[tuple[float, tuple[int, int]]]] = {}
    for index, (arc, way) in enumerate(zip(arcs, ways, strict=True)):
        for end, name, a, b in ((0, arc.source, way[0], way[1]), (1, arc.target, way[-1], way[-2])):
            angle = math.atan2(b[1] - a[1], b[0] - a[0]) % math.tau
            ends.setdefault(name, []).append((angle, (index, end)))
    angles: dict[tuple[int, int], float] = {}
    for meeting in ends.values():
        meeting.sort()
        turned = [*meeting[1:], (meeting[0][0] + math.tau, meeting[0][1])]
        empty = [b[0] - a[0] for a, b in zip(meeting, turned, strict=True)]
        cut = empty.index(max(empty)) + 1
        wanted = [*meeting[cut:], *((angle + math.tau, key) for angle, key in meeting[:cut])]
        room = min(math.radians(36), math.radians(260) / len(wanted))
        given = spread([angle for angle, _ in wanted], [room] * (len(wanted) - 1))
        angles |= {key: angle for angle, (_, key) in zip(given, wanted, strict=True)}
    return angles


def _unit(a: Point, b: Point) -> Point:
    length = math.dist(a, b) or 1.0
    return ((b[0] - a[0]) / length, (b[1] - a[1]) / length)


def _curve(points: list[Point], turns: list[Point]) -> Iterator[Point]:
    """Sample the smooth curve through points with the given directions."""
    yield points[0]
    for (p, u), (q, v) in pairwise(zip(points, turns, strict=True)):
        reach = 0.36 * math.dist(p, q)
        corners = (p, (p[0] + reach * u[0], p[1] + reach * u[1]))
        corners = (*corners, (q[0] - reach * v[0], q[1] - reach * v[1]), q)
        for step in range(1, STEPS + 1):
            t = step / STEPS
            weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3)
            x, y = (sum(w * c[i] for w, c in zip(weights, corners, strict=True)) for i in (0, 1))
            yield (x, y)


def _labels(
    arcs: tuple[Arc, ...], routes: tuple[tuple[Point, ...], ...], places: Mapping[str, Point]
) -> tuple[Point, ...]:
    """Put each label on its route, where it is far enough from everything else."""
    labels: list[Point] = []
    for index, (arc, route) in enumerate(zip(arcs, routes, strict=True)):
        spots = [along(route, share) for share in (0.45, 0.38, 0.52, 0.3, 0.6, 0.24, 0.68, 0.75)]
        if arc.label:
            others = [p for other, line in enumerate(routes) if other != index for p in line]
            others += [p for a, p in zip(arcs, labels, strict=False) if a.label]
            others += [_rim(spot, place) for spot in spots for place in places.values()]
            spots.sort(key=lambda p: -min(0.12, *(math.dist(p, other) for other in others)))
        labels.append(spots[0])
    return tuple(labels)


def _rim(spot: Point, place: Point) -> Point:
    ux, uy = _unit(place, spot)
    return (place[0] + RADIUS * ux, place[1] + RADIUS * uy)


def along(route: Sequence[Point], share: float) -> Point:
    """Give the point at a share of the length of a route."""
    lengths = [math.dist(a, b) for a, b in pairwise(route)]
    left = share * sum(lengths)
    for (a, b), length in zip(pairwise(route), lengths, strict=True):
        if left <= length and length:
            return (a[0] + (b[0] - a[0]) * left / length, a[1] + (b[1] - a[1]) * left / length)
        left -= length
    return route[-1]
