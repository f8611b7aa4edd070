"""How the edges of a laid-out graph run: smooth curves, room for arrow heads, places for labels."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

Point = tuple[float, float]

RADIUS = 0.15
FAR = 0.75  # a straight line between two nodes of a column that is longer may meet a third
SHARES = (0.45, 0.38, 0.52, 0.3, 0.6, 0.24, 0.68, 0.75)  # where a label may stand
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


def _bowed(arcs: Sequence[Arc], ways: list[list[Point]]) -> list[list[Point]]:
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
        base = 0.4 if ax == bx and far > FAR else 0.0
        for number, index in enumerate(group):
            bow = base + 0.22 * (number - (len(group) - 1) / 2)
            if bow:
                middle = (
                    (ax + bx) / 2 + (by - ay) / far * bow,
                    (ay + by) / 2 - (bx - ax) / far * bow,
                )
                ways[index].insert(1, middle)
    return ways


def routed(
    arcs: Sequence[Arc], ways: list[list[Point]], dots: frozenset[str]
) -> tuple[tuple[Point, ...], ...]:
    """Give the points of each arc.

    Args:
        arcs: The edges.
        ways: The points each passes, from the centre of its source to that of its target.
        dots: The nodes that are drawn as dots.
    """
    ways = _bowed(arcs, ways)
    angles = _angles(arcs, ways)
    leaving = Counter(arc.source for arc in arcs)
    routes = []
    for index, (arc, way) in enumerate(zip(arcs, ways, strict=True)):
        start, end = angles[index, 0], angles[index, 1]
        if arc.source in dots and leaving[arc.source] == 1:
            start = 0.0
        inner = [_unit(a, b) for a, b in zip(way, way[2:], strict=False)]
        turns = [_turn(start), *inner, _turn(end + math.pi)]
        first = way[0] if arc.source in dots else _off(way[0], start)
        last = way[-1] if arc.target in dots else _off(way[-1], end)
        routes.append(tuple(_curve([first, *way[1:-1], last], turns)))
    return tuple(routes)


def _turn(angle: float) -> Point:
    return (math.cos(angle), math.sin(angle))


def _off(centre: Point, angle: float) -> Point:
    radius = RADIUS + 0.015
    return (centre[0] + radius * math.cos(angle), centre[1] + radius * math.sin(angle))


def _angles(arcs: Sequence[Arc], ways: list[list[Point]]) -> dict[tuple[int, int], float]:
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


def _curve(points: Sequence[Point], turns: Sequence[Point]) -> Iterator[Point]:
    """Sample the smooth curve through points with the given directions."""
    yield points[0]
    for (p, u), (q, v) in pairwise(zip(points, turns, strict=True)):
        far = 0.36 * math.dist(p, q)
        for step in range(1, STEPS + 1):
            t = step / STEPS
            a, b, c, d = (1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3
            x = (a + b) * p[0] + b * far * u[0] + (c + d) * q[0] - c * far * v[0]
            y = (a + b) * p[1] + b * far * u[1] + (c + d) * q[1] - c * far * v[1]
            yield (x, y)


def label_places(
    arcs: Sequence[Arc], routes: Sequence[Sequence[Point]], nodes: Sequence[Point]
) -> tuple[Point, ...]:
    """Put each label on its route, where it is far enough from everything else."""
    labels: list[Point] = []
    for index, (arc, route) in enumerate(zip(arcs, routes, strict=True)):
        spots = [along(route, share) for share in SHARES]
        if arc.label:
            others = [p for other, line in enumerate(routes) if other != index for p in line]
            others += [p for a, p in zip(arcs, labels, strict=False) if a.label]
            others += [along(route, 0.0), along(route, 1.0)]
            others += [_rim(spot, node) for spot in spots for node in nodes]
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


def arch(start: Point, stop: Point, rise: float) -> list[Point]:
    """Give the points of an arch between two points of one height; a negative rise hangs."""
    (a, y), (b, _) = start, stop
    top = y + rise * 4 / 3
    curve = []
    for step in range(2 * STEPS + 1):
        t = step / (2 * STEPS)
        across, up = t * t * (3 - 2 * t), 3 * t * (1 - t)
        curve.append((a + (b - a) * across, y + (top - y) * up))
    return curve
