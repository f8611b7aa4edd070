"""Circuit motifs as text, and what the text means for a cell with k inputs.

The notation, with ``x0`` the oldest and ``x1, x2, ...`` the younger inputs of the cell::

    a = +(x*)             node a adds an excitatory edge from every input
    p = +(xeven)          ... from x0, x2, ...; xodd stands for x1, x3, ...
    b = +(a) -(i) + id(x0)  an excitatory edge from a, an inhibitory one from i, and x0 as it is
    a <- -(i)             a feedback line: node a also gets an inhibitory edge from i

Nodes always add. The minus sign makes an edge inhibitory: what it brings is at most zero.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from evo_core.components import Motif
from evo_core.errors import EvoError, did_you_mean
from evo_core.primitives import Sign

_TERM = re.compile(r"(\+|-|id)\(\s*(\w+\*?)\s*\)")
_TERMS = re.compile(rf"\s*{_TERM.pattern}(?:\s*\+?\s*{_TERM.pattern})*\s*")
_INPUT = re.compile(r"x(0|[1-9]\d*)")
_GROUPS = {"x*": (0, 1), "xeven": (0, 2), "xodd": (1, 2)}
_NAMES = "each name once, none with x, none that is out or ends in _after"
_SIGNS: dict[str, Sign] = {"+": 1, "-": -1}


@dataclass(frozen=True, slots=True)
class Link:
    """One edge inside a cell.

    Attributes:
        source: ``"x<i>"`` or a node of the motif.
        target: A node of the motif.
        sign: +1 excitatory, -1 inhibitory, None identity.
        slot: The gene slot that chooses its operation; None for identity.
        feedback: Whether it is a feedback edge.
    """

    source: str
    target: str
    sign: Sign | None
    slot: int | None
    feedback: bool


@dataclass(frozen=True, slots=True)
class Circuit:
    """A motif that has been read: all its links for the largest number of inputs.

    Attributes:
        name: The name of the motif.
        nodes: Its nodes in order.
        output: The principal nodes, in the order of their concatenation.
        links: Its links in order, feedback last.
        slots: How many gene slots the links use, input slots included.
    """

    name: str
    nodes: tuple[str, ...]
    output: tuple[str, ...]
    links: tuple[Link, ...]
    slots: int

    def at(self, k: int) -> tuple[Link, ...]:
        """Give the links that exist with k inputs."""
        return tuple(link for link in self.links if (input_index(link.source) or 0) < k)


def input_index(source: str) -> int | None:
    """Give i for the input ``x<i>``, None for a node."""
    match = _INPUT.fullmatch(source)
    return int(match.group(1)) if match else None


def read_motif(motif: Motif, inputs: tuple[int, ...]) -> Circuit:
    """Read a motif for cells whose number of inputs is one of ``inputs``.

    Slots 0 to max(inputs) - 1 belong to the first link from each input; all others follow in the
    order of the text. So a gene keeps its meaning whatever k is.

    Raises:
        EvoError: If the text does not follow the notation or names a node that is not there.
    """
    names: list[str] = []
    links: list[Link] = []
    slots = _Slots(min(inputs), max(inputs))
    for line in motif.nodes:
        name, equals, text = line.partition("=")
        target = name.strip()
        if not equals or not _is_free(target, names):
            raise _wrong(motif, line, f"a node line is 'name = terms', {_NAMES}")
        links += _links(motif, line, text, target, names, slots, feedback=False)
        names.append(target)
    for line in motif.feedback:
        target, arrow, text = (part.strip() for part in line.partition("<-"))
        if not arrow or target not in names:
            raise _wrong(motif, line, f"a feedback line is 'node <- terms'; nodes: {names}")
        links += _links(motif, line, text, target, names, slots, feedback=True)
    _check_feedback(motif, names, [link for link in links if link.feedback])
    _check_outputs(motif, names)
    return Circuit(motif.name, tuple(names), motif.output, tuple(links), slots.used)


class _Slots:
    """Deals out gene slots: one for the first link from each input, then blocks as they come."""

    def __init__(self, fewest: int, most: int) -> None:
        self.fewest = fewest
        self.most = most
        self.used = most
        self._claimed: set[int] = set()

    def deal(self, sources: list[str]) -> list[int]:
        indices = [input_index(source) for source in sources]
        if all(index is not None and index not in self._claimed for index in indices):
            given = [index for index in indices if index is not None]
            self._claimed.update(given)
            return given
        start, self.used = self.used, self.used + len(sources)
        return list(range(start, self.used))


def _links(
    motif: Motif,
    line: str,
    text: str,
    target: str,
    names: list[str],
    slots: _Slots,
    *,
    feedback: bool,
) -> list[Link]:
    if not _TERMS.fullmatch(text):
        left_over = _TERM.sub("", text).strip(" +") or text.strip() or "nothing"
        raise _wrong(motif, line, f"{left_over!r} is no term such as +(a), -(a), id(a)")
    links = []
    for mark, name in _TERM.findall(text):
        if feedback and (mark == "id" or name in _GROUPS or input_index(name) is not None):
            raise _wrong(motif, line, "feedback comes from a node, with a sign, + or -")
        sources = _sources(motif, line, name, names, slots)
        dealt = [None] * len(sources) if mark == "id" else slots.deal(sources)
        links += [
            Link(source, target, _SIGNS.get(mark), slot, feedback)
            for source, slot in zip(sources, dealt, strict=True)
        ]
    return links


def _sources(motif: Motif, line: str, name: str, names: list[str], slots: _Slots) -> list[str]:
    if name in _GROUPS:
        start, step = _GROUPS[name]
        return [f"x{i}" for i in range(start, slots.most, step)]
    index = input_index(name)
    if index is not None and index < slots.fewest:
        return [name]
    if index is not None:
        raise _wrong(motif, line, f"a cell may have only {slots.fewest} inputs, from x0")
    if name not in names:
        known = [*_GROUPS, *(f"x{i}" for i in range(slots.fewest)), *names]
        raise _wrong(motif, line, f"{name!r} is not there yet; {did_you_mean(name, known)}")
    return [name]


def _is_free(name: str, names: list[str]) -> bool:
    reserved = name == "out" or name.startswith("x") or name.endswith("_after")
    return name.isidentifier() and name not in names and not reserved


def _check_feedback(motif: Motif, names: list[str], feedback: list[Link]) -> None:
    """Refuse feedback to a node that is computed only after all sources of feedback."""
    moment = max((names.index(link.source) for link in feedback), default=0)
    for link in feedback:
        if names.index(link.target) > moment:
            line = f"{link.target} <- ({link.source})"
            raise _wrong(motif, line, "feedback goes to an earlier node; write a forward edge")


def _check_outputs(motif: Motif, names: list[str]) -> None:
    if not motif.output:
        raise EvoError(f"motif {motif.name!r} has no output node")
    if len(set(motif.output)) < len(motif.output):
        raise EvoError(f"motif {motif.name!r} names an output node twice")
    for name in motif.output:
        if name not in names:
            raise EvoError(f"motif {motif.name!r}: output {name!r}; {did_you_mean(name, names)}")


def _wrong(motif: Motif, line: str, reason: str) -> EvoError:
    return EvoError(f"motif {motif.name!r}, in {line.strip()!r}: {reason}")
