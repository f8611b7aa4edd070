"""The options of the space ``mse``."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Literal

from annotated_types import Ge, Len

from evo_core.components import option
from evo_core.errors import did_you_mean
from evo_mse.operations import OPERATIONS

MOTIFS = ("FE", "FI", "FbI", "LI", "MI")


@dataclass(frozen=True, slots=True)
class MotifTemplate:
    """A motif written in the TOML file, as ``[mse.templates.NAME]``."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    nodes: tuple[str, ...]
    output: tuple[str, ...]
    feedback: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MseOptions:
    """Options of ``mse``; the defaults are the published structure at a small width."""

    cells: Annotated[int, Ge(1)] = option(6, "cells in the network")
    channels: Annotated[int, Ge(1)] = option(8, "channels of a state before the first reduction")
    inputs: Annotated[tuple[int, ...], Len(1)] = option(
        (2, 3, 4), "how many inputs k a cell may have"
    )
    macro: Literal["chain", "per-cell", "free"] = option(
        "chain",
        "chain: all cells read the k states before them; per-cell: each has its own k; "
        "free: each also picks its sources among all earlier states",
    )
    motifs: Annotated[tuple[str, ...], Len(1)] = option(MOTIFS, "motifs to choose from")
    templates: dict[str, MotifTemplate] = field(
        default_factory=dict, metadata={"help": "motifs of your own, added to the choice"}
    )
    operations: Annotated[tuple[str, ...], Len(1)] = option(
        ("conv3", "conv5"),
        "operations of an edge: conv1 to conv7, dil3, dil5, sep3, sep5, avg3, max3",
    )
    neurons: Annotated[tuple[str, ...], Len(1)] = option(
        ("lif",), "neuron models; more than one adds a gene per cell"
    )
    feedback: Literal["next-step", "same-step"] = option(
        "next-step", "when feedback arrives; same-step is the published way"
    )
    sign_clip: bool = option(
        True, "each edge is clipped to its sign; false: it may bring both, for NIR and the like"
    )
    reductions: Annotated[int, Ge(0)] | None = option(
        None, "how often maps are halved; by default as often as they stay 4x4 or larger"
    )

    plain_reductions: bool = option(
        False, "cells that halve maps have no motif, as published; needs reductions=NUMBER"
    )

    def __post_init__(self) -> None:
        if self.plain_reductions and not self.reductions:
            raise ValueError("plain_reductions needs the number of them, e.g. reductions=2")
        for k in self.inputs:
            if not 2 <= k <= 8:
                raise ValueError(f"inputs holds {k}; a cell has 2 to 8 inputs")
        for name in self.operations:
            if name not in OPERATIONS:
                raise ValueError(f"no operation {name!r}; {did_you_mean(name, OPERATIONS)}")
        if self.reductions is not None and self.reductions >= self.cells:
            raise ValueError(f"{self.reductions} reductions need at least that many cells and one")
        for values in (self.inputs, self.motifs, self.operations, self.neurons):
            if len(set(values)) != len(values):
                raise ValueError(f"a choice repeats in {list(values)}")
