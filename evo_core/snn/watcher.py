"""Watching a pass: what the fitness functions read of the spikes, made as the spikes pass."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from evo_core.architecture import Architecture
from evo_core.binding import Bound
from evo_core.components import FitnessFunction, Need, load
from evo_core.snn.activity import Activity
from evo_core.snn.view import GramRecord, RateRecord, SpikeRecord, flat, gram_matrices


class Watcher:
    """Meets the needs ``gram``, ``spikes`` and ``rates`` of all fitness functions in one pass.

    Spikes are let go as they pass. Of a population, counts ``[B, ...]`` are kept from its first
    step to its last, and only if a function reads rates.

    Attributes:
        activity: How much each population fires.
        grams: A record for each population and step, if a function reads them.
        collected: What the ``collect`` of each function gave, by its canonical text.

    Args:
        architecture: The network that makes the pass.
        fitness: The fitness functions.
        steps: The number T of time steps of the pass.
    """

    def __init__(
        self, architecture: Architecture, fitness: Sequence[Bound[FitnessFunction]], steps: int
    ) -> None:
        self.activity = Activity(architecture)
        self.grams: list[GramRecord] = []
        self.collected: dict[str, list[Any]] = defaultdict(list)
        self._fanout = architecture.fanout
        self._steps = steps
        self._counts: dict[str, Tensor] = {}
        self._readers: dict[Need, list[Bound[FitnessFunction]]] = defaultdict(list)
        for bound in fitness:
            for need in bound.record.needs_with(bound.options):
                self._readers[need].append(bound)

    def __call__(self, population: str, step: int, spikes: Tensor) -> None:
        """Take the spikes of a population at some steps from ``step`` on, ``[T', B, ...]``."""
        patterns = flat(spikes)
        size = patterns.shape[2]
        if self._readers["gram"]:
            grams = gram_matrices(patterns)
            counts = grams.diagonal(dim1=-2, dim2=-1)
            fanout = self._fanout.get(population, 1)
            for number, (gram, count) in enumerate(zip(grams, counts, strict=True), step):
                self.grams.append(GramRecord(population, number, gram, count, size, fanout))
        else:
            counts = patterns.sum(2, dtype=torch.float64)
        self.activity.add(population, counts, size)
        wide = torch.promote_types(spikes.dtype, torch.float32)  # what sums are exact in
        if self._readers["spikes"]:
            for number, one in enumerate(spikes.to(wide), step):
                self._collect("spikes", SpikeRecord(population, number, one.flatten(1)))
        if self._readers["rates"]:
            self._count(population, step + len(spikes), spikes.sum(0, dtype=wide))

    def _count(self, population: str, made: int, counts: Tensor) -> None:
        if population in self._counts:
            counts = counts + self._counts.pop(population)
        if made == self._steps:
            self._collect("rates", RateRecord(population, counts.flatten(1), self._steps))
        else:
            self._counts[population] = counts

    def _collect(self, need: Need, record: SpikeRecord | RateRecord) -> None:
        for bound in self._readers[need]:
            assert bound.record.collect is not None
            value = load(bound.record.collect)(record, bound.options)
            self.collected[bound.text].append(value)
