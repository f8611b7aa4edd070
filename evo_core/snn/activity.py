"""How much the populations of a network fire: enough to tell a dead network from a working one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from evo_core.architecture import Architecture
from evo_core.evaluation import EvaluationStatus


@dataclass(slots=True)
class Activity:
    """Spikes of each population, summed over time steps and samples.

    Attributes:
        architecture: The network.
        spikes: How often each population fired: a float64 scalar, which stays on its device until
            somebody asks for rates.
        places: How often it could have fired.
    """

    architecture: Architecture
    spikes: dict[str, Tensor] = field(default_factory=dict)
    places: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, repeats: Sequence[Activity]) -> Activity:
        """Sum the activity of one network over repeats."""
        total = cls(repeats[0].architecture)
        for one in repeats:
            for name, spikes in one.spikes.items():
                total._take(name, spikes, one.places[name])
        return total

    def add(self, population: str, counts: Tensor, size: int) -> None:
        """Count the spikes of each sample, ``[..., B]``, of a population of ``size`` neurons."""
        self._take(population, counts.sum(dtype=torch.float64), counts.numel() * size)

    def rates(self) -> dict[str, float]:
        """Give the firing rate of each population, spikes per neuron, sample and step."""
        if not self.spikes:
            return {}
        spikes = torch.stack(list(self.spikes.values())).tolist()
        return {name: n / self.places[name] for name, n in zip(self.spikes, spikes, strict=True)}

    def summary(self) -> dict[str, Any]:
        """Give the mean rate and the number of populations, and of those that never fired."""
        rates = self.rates()
        return {
            "firing_rate": sum(rates.values()) / len(rates) if rates else None,
            "populations": len(rates),
            "silent_populations": sum(rate == 0 for rate in rates.values()),
        }

    def status(self) -> EvaluationStatus:
        """Judge the populations that feed the logits.

        If they never fire, or fire always, the logits do not depend on the input: ``silent`` or
        ``saturated``; otherwise ``ok``.
        """
        rates = self.rates()
        last = [
            rates[name]
            for _, edge in self.architecture.incoming[self.architecture.output]
            for name in self.architecture.populations[edge.source]
        ]
        if last and max(last) == 0:
            return "silent"
        return "saturated" if last and min(last) == 1 else "ok"

    def _take(self, population: str, spikes: Tensor, places: int) -> None:
        before = self.spikes.get(population)
        self.spikes[population] = spikes if before is None else before + spikes
        self.places[population] = self.places.get(population, 0) + places
