"""The options of the space ``mse-released``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import Ge

from evo_core.components import option

DVS_REDUCTIONS = (1, 3, 5, 7)


@dataclass(frozen=True, slots=True)
class ReleasedOptions:
    """Options of ``mse-released``; the defaults are the released ones at a small width."""

    cells: Annotated[int, Ge(1)] = option(6, "cells in the network")
    channels: Annotated[int, Ge(1)] = option(
        8, "channels of a state before the first reduction; 48 as published"
    )
    reductions: Literal["cifar", "dvs"] = option(
        "cifar", "which cells halve: cifar L/4, L/2, 3L/4 of L cells, dvs 1, 3, 5, 7 (from 0)"
    )
    bounds: Literal["released", "wide"] = option(
        "released", "values to search: motifs 0-3 and k 2-3, or wide: motifs 0-5 and k 2-4"
    )
    neuron: str = option("lif", "the neuron model of all populations")

    def __post_init__(self) -> None:
        if len(self.reduction_cells) == self.cells:
            raise ValueError(
                f"with {self.cells} cells every one is a reduction without a motif; "
                "take 4 cells or more, or reductions = 'dvs'"
            )

    @property
    def reduction_cells(self) -> frozenset[int]:
        """The indices of the cells that halve their maps (MSE-NAS, cellmodel.py)."""
        cells = self.cells
        places: tuple[int, ...] = DVS_REDUCTIONS
        if self.reductions == "cifar":
            places = (cells // 4, cells // 2, 3 * cells // 4)
        return frozenset(place for place in places if place < cells)
