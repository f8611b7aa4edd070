"""The motif templates of the released code, as data.

A template lists what a cell with k inputs applies, in the order of its edges. States 0 to k - 1 are
the inputs (0 the oldest), nodes are numbered on from k, and each is the sum of the next k entries:

    +3(a)  excitatory 3x3 convolution from state a      -5(a)  inhibitory 5x5 convolution
    id(a)  state a as it is                             .(a)   zero: fills a node up to k entries

The kernels are the written defaults; genes overwrite them. Entries under ``back`` are feedback: the
i-th applies to node i + 1 (of 0, 1, 2, ...) and adds to the state in brackets, within the step.
(MSE-NAS, arXiv 2304.10749, released motifs.py.)
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from evo_core.primitives import Sign

MOTIFS = ("empty", "FE", "FI", "FbI", "LI", "MI")
PREFIXES = {2: "mm", 3: "m", 4: "t"}
KERNELS = (3, 5)
FEEDBACK: tuple[tuple[Sign, int], ...] = ((1, 3), (1, 5), (-1, 3), (-1, 5))

# per k and motif: entries, feedback, first and last state of the concatenation; t0 is missing there
_TEXTS = {
    "mm0": (".(0) .(1) .(2)", "", 2, 2),
    "mm1": ("+3(0) +5(1)  id(0) +5(2)", "", 2, 3),
    "mm2": ("+5(0) +5(1)  id(0) -5(2)  +5(2) -3(3)", "", 2, 4),
    "mm3": ("+3(0) +5(1)  id(0) -5(2)  id(0) +5(3)", "id(2) +3(3)", 2, 4),
    "mm4": ("+3(0) +5(1)  +3(0) +3(1)  +5(2) +5(3)  id(0) +3(4)  id(0) +3(4)", "", 2, 6),
    "mm5": ("+3(0) +5(1)  id(0) +5(2)", "id(2)", 2, 3),
    "m0": (".(0) .(1) .(2)", "", 3, 3),
    "m1": ("+3(0) +5(1) +5(2)  .(0) +5(3) .(1)", "", 3, 4),
    "m2": ("+5(0) +5(1) +5(2)  .(0) -5(3) .(1)  +5(3) -3(4) .(1)", "", 3, 5),
    "m3": ("+3(0) +5(1) +3(2)  .(0) +5(3) .(1)  .(0) +5(3) .(1)", "-3(3) .(2)", 3, 5),
    "m4": (
        "+3(0) +5(1) +5(2)  +3(0) +3(1) +5(2)  .(0) +5(3) +5(4)  .(0) +3(3) -3(5)"
        "  .(0) +3(4) -3(5)",
        "", 3, 7,
    ),
    "m5": ("+3(0) +5(1) +5(2)  .(0) .(1) -5(3)", "id(3)", 3, 4),
    "t1": (
        "+3(0) +5(1) +5(2) +5(3)  .(0) +5(4) .(1) .(2)  .(0) +5(5) .(1) .(2)"
        "  .(0) +5(5) .(1) .(2)",
        "", 4, 7,
    ),
    "t2": ("+5(0) +5(1) +5(2) +5(3)  .(0) -5(4) .(1) .(2)  +5(4) -3(5) .(1) .(2)", "", 4, 6),
    # 13 entries: the fifth of the second node belongs to the third, and the last is never used
    "t3": (
        "+3(0) +5(1) +3(2) +3(3)  .(0) .(2) .(1) .(3) +3(4)  .(0) +5(4) .(1) .(2)",
        "-3(4) .(4)", 4, 6,
    ),
    "t4": ("+3(0) +5(1) +5(2) +5(3)  +5(0) .(1) -5(4) .(3)  .(0) +5(3) -5(4) .(2)", "", 4, 6),
    "t5": (
        "+3(0) +5(1) +5(2) +5(3)  .(0) .(1) .(2) -5(4)  .(0) .(1) -5(4) -5(5)"
        "  .(0) .(1) -5(4) -5(5)",
        "-3(4) .(4) .(5)", 4, 7,
    ),
}  # fmt: skip

_ENTRY = re.compile(r"([+-])([35])\((\d)\)|(id|\.)\((\d)\)")


@dataclass(frozen=True, slots=True)
class Entry:
    """One operation of a cell.

    Attributes:
        state: The state it reads; for feedback the state it adds to.
        sign: The sign of a convolution; None for identity and zero.
        kernel: The size of its kernel; 0 for identity and zero.
        zero: Whether it brings nothing.
    """

    state: int
    sign: Sign | None = None
    kernel: int = 0
    zero: bool = False

    @property
    def name(self) -> str:
        """Its name in the released vocabulary, e.g. ``conv_3x3_p``."""
        if self.sign is None:
            return "skip" if self.zero else "skip_connect"
        return f"conv_{self.kernel}x{self.kernel}_{'p' if self.sign > 0 else 'n'}"


@dataclass(frozen=True, slots=True)
class Template:
    """A motif for cells with k inputs.

    Attributes:
        name: Its released name, e.g. ``"m4"``.
        forward: The entries of its nodes.
        back: Its feedback, one entry for each node after the first.
        concat: The states whose concatenation is the output.
    """

    name: str
    forward: tuple[Entry, ...]
    back: tuple[Entry, ...]
    concat: tuple[int, ...]

    @property
    def feedback_gene(self) -> int | None:
        """The offset of the gene that sets all its convolutional feedback, if it has any."""
        signed = any(entry.sign is not None for entry in self.back)
        return len(self.forward) + len(self.back) if signed else None


def _entries(text: str) -> tuple[Entry, ...]:
    found = _ENTRY.findall(text)
    assert len(found) == len(text.split()), text
    return tuple(
        Entry(int(state), 1 if sign == "+" else -1, int(kernel))
        if sign
        else Entry(int(plain_state), zero=mark == ".")
        for sign, kernel, state, mark, plain_state in found
    )


TEMPLATES = {
    name: Template(name, _entries(forward), _entries(back), tuple(range(first, last + 1)))
    for name, (forward, back, first, last) in _TEXTS.items()
}
