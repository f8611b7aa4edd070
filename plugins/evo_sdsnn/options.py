"""The options of ``sdsnn``; no torch here."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Annotated, Literal

from annotated_types import Ge, Gt, Le, Lt

from evo_core.components import option

Mode = Literal["improved", "intended", "released"]
Share = Annotated[float, Ge(0), Lt(1)]
Percent = Annotated[float, Ge(0), Le(100)]
RELEASED_SPINE = 18
_PACE = 15


@dataclass(frozen=True, slots=True)
class SdsnnOptions:
    """Options of ``sdsnn``.

    Raises:
        ValueError: If an option is set that the mode does not read, or both spine and pace.
    """

    mode: Mode = option("improved", "improved; intended, or released with the faults of the code")
    spine: Annotated[int, Ge(1), Le(250)] | None = option(
        None, "spine threshold T_s in epochs; by default what pace says"
    )
    pace: Annotated[int, Ge(4), Le(1000)] = option(
        _PACE, "without spine: the life of a network in epochs is so many T_s, which is at least 1"
    )
    clamp: bool = option(True, "keep weights within their ranges, after T_s epochs")
    prune: bool = option(True, "prune neurons (improved: and synapses), after 2 T_s epochs")
    regenerate: bool = option(True, "let pruned synapses grow again, after 2 T_s epochs")
    contraction: Annotated[float, Gt(0), Le(1)] = option(
        0.75, "what a range is multiplied with when its weight has fallen for T_s epochs"
    )
    neurons: Share = option(0.3, "improved: share of the neurons that pruning tends to")
    synapses: Share = option(0.9, "improved: share of the synapses that pruning tends to")
    dead: Share = option(0.01, "improved: a neuron with a smaller share of its synapses is pruned")
    conv_rate: Percent = option(0.5, "first pruning rate of a convolution, in percent of neurons")
    fc_rate: Percent = option(2.0, "first pruning rate of a linear layer, in percent of neurons")
    conv_growth: Percent | None = option(
        None, "percentile above which a kernel grows at first; 65, improved 95"
    )
    fc_growth: Percent | None = option(
        None, "percentile above which a synapse grows at first; 60, improved 95"
    )
    growth_base: Annotated[float, Ge(1), Le(10)] = option(
        1.1, "how fast these percentiles rise: to this power"
    )

    def __post_init__(self) -> None:
        own = ("neurons", "synapses", "dead")
        defaults = {one.name: one.default for one in fields(self) if one.name in own}
        changed = [name for name in own if getattr(self, name) != defaults[name]]
        if changed and self.mode != "improved":
            raise ValueError(f"{', '.join(changed)} belongs to mode=improved, not {self.mode}")
        if self.spine is not None and self.pace != _PACE:
            raise ValueError("spine sets T_s, and pace would: give one of them")

    @property
    def threshold(self) -> int:
        """The spine threshold T_s in epochs; that of the release where no training is known."""
        return self.spine or RELEASED_SPINE

    @property
    def first(self) -> int:
        """The first epoch, from 0, that ends with pruning and regeneration."""
        return 2 * self.threshold + 1

    def over(self, life: int) -> SdsnnOptions:
        """Fit the spine threshold to a life of so many trained epochs, if it is not set.

        A life is that of one training, or of a lineage of them. T_s is at most a quarter of it, so
        that 5 epochs or more are never too short.
        """
        if self.spine is not None:
            return self
        return replace(self, spine=min(250, max(1, life // self.pace)), pace=_PACE)
