"""How much the populations of a network fire: enough to tell a dead network from a working one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from evo_core.architecture import Architecture
from evo_core.evaluation import EvaluationStatus
from evo_core.snn.view import SpikeRecord


@dataclass(slots=True)
class Activity:
    """Spikes of each population, summed over time steps and samples."""

    architecture: Architecture
    spikes: dict[str, float] = field(default_factory=dict)
    places: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, repeats: Sequence[Activity]) -> Activity:
        """Sum the activity of one network over repeats."""
        total = cls(repeats[0].architecture)
        for one in repeats:
            for name, spikes in one.spikes.items():
                total.spikes[name] = total.spikes.get(name, 0.0) + spikes
                total.places[name] = total.places.get(name, 0) + one.places[name]
        return total

    def add(self, record: SpikeRecord) -> None:
        """Count the spikes of a record."""
        name = record.population
        self.spikes[name] = self.spikes.get(name, 0.0) + float(record.spikes.sum())
        self.places[name] = self.places.get(name, 0) + record.spikes.numel()

    def rates(self) -> dict[str, float]:
        """Give the firing rate of each population, spikes per neuron, sample and step."""
        return {name: self.spikes[name] / self.places[name] for name in self.spikes}

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
