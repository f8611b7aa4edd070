"""The untrained pass of any torch module: one forward, every spike or ReLU seen once.

A population of a spiking module is a SpikingJelly node, at each time step. Of a module without any,
each call of the ReLU family is a population, which fires where its input is positive (Mellor et al.
2021, "Neural Architecture Search without Training"). A node or ReLU that is called several times is
seen at each call.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from evo_core.binding import Bound
from evo_core.components import FitnessFunction, Need, load
from evo_core.errors import EvoError
from evo_core.snn.any_module import SequenceModule, spiking_nodes
from evo_core.snn.view import GramRecord, RateRecord, SpikeRecord, gram_record

_RELUS = {
    functional.relu, functional.relu_, torch.relu, torch.relu_, Tensor.relu, Tensor.relu_,
    functional.relu6, functional.leaky_relu, functional.leaky_relu_, functional.rrelu,
    functional.rrelu_, functional.prelu, torch.prelu, Tensor.prelu,
}  # fmt: skip
_CLIPS = {functional.hardtanh, functional.hardtanh_}  # what the module ReLU6 calls
See = Callable[[str, Tensor], None]


def run_watched(network: SequenceModule, frames: Tensor, watch: Watch) -> Tensor:
    """Run a batch through a copy of a module, and let a watch see what fires.

    Args:
        network: The copy, at rest.
        frames: ``[T, B, ...]``.
        watch: What sees the spikes.

    Returns:
        The logits, ``[T, B, classes]``.

    Raises:
        EvoError: If a neuron gives something other than 0 and 1, or not one row for each sample.
    """
    nodes = spiking_nodes(network.module)
    with torch.no_grad(), nullcontext() if nodes or not watch.reads else _Relus(watch.see):
        for name, node in nodes.items() if watch.reads else ():
            node.register_forward_hook(partial(_fired, watch.see, name))
        logits: Tensor = network(frames)
    watch.end()
    return logits


class Watch:
    """Keeps what fitness functions read of the spikes of a module.

    Attributes:
        grams: A record for each population and step, if a function reads them.
        collected: What the ``collect`` of each function gave, by its canonical text.

    Args:
        fitness: The fitness functions.
        batch: The number B of samples.
    """

    def __init__(self, fitness: Sequence[Bound[FitnessFunction]], batch: int) -> None:
        self.grams: list[GramRecord] = []
        self.collected: dict[str, list[Any]] = defaultdict(list)
        self._batch = batch
        self._steps: dict[str, int] = {}
        self._counts: dict[str, Tensor] = {}
        self._readers: defaultdict[Need, list[Bound[FitnessFunction]]] = _readers(fitness)

    @property
    def reads(self) -> bool:
        """Whether any function reads spikes."""
        return bool(self._readers.keys() & {"gram", "spikes", "rates"})

    def see(self, population: str, spikes: Tensor) -> None:
        """Take the next spikes of a population, ``[B, ...]``."""
        if len(spikes) != self._batch or spikes.ndim < 2:
            raise EvoError(
                f"{population!r} fires {tuple(spikes.shape)} for {self._batch} samples; scores of "
                "spikes read [B, ...] of single-step neurons, [T, B, ...] of multi-step ones"
            )
        if not bool(((spikes == 0) | (spikes == 1)).all()):
            raise EvoError(f"{population!r} gives other values than 0 and 1; such are no spikes")
        step = self._steps.get(population, 0)
        self._steps[population] = step + 1
        record = SpikeRecord(population, step, spikes.flatten(1).float())
        if self._readers["gram"]:
            self.grams.append(gram_record(record))
        self._collect("spikes", record)
        if self._readers["rates"]:
            before = self._counts.pop(population, None)
            self._counts[population] = record.spikes if before is None else before + record.spikes

    def end(self) -> None:
        """Give the counts over all steps, in the order of the last steps."""
        for name, counts in self._counts.items():
            self._collect("rates", RateRecord(name, counts, self._steps[name]))

    def _collect(self, need: Need, record: SpikeRecord | RateRecord) -> None:
        for bound in self._readers[need]:
            assert bound.record.collect is not None
            value = load(bound.record.collect)(record, bound.options)
            self.collected[bound.text].append(value)


def _readers(
    fitness: Sequence[Bound[FitnessFunction]],
) -> defaultdict[Need, list[Bound[FitnessFunction]]]:
    readers: defaultdict[Need, list[Bound[FitnessFunction]]] = defaultdict(list)
    for bound in fitness:
        for need in bound.record.needs_with(bound.options):
            readers[need].append(bound)
    return readers


def _fired(see: See, name: str, node: nn.Module, given: tuple[Tensor], spikes: Tensor) -> None:
    for frame in spikes if getattr(node, "step_mode", "s") == "m" else (spikes,):
        see(name, frame)


class _Relus(TorchFunctionMode):
    """Shows where the inputs of the ReLU family are positive, modules and functions alike."""

    def __init__(self, see: See) -> None:
        super().__init__()
        self._see, self._calls = see, 0

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Look at the input of a ReLU, then compute it."""
        given = kwargs or {}
        if func in _RELUS or (func in _CLIPS and _lowest(args, given) == 0):
            entering = args[0] if args else given["input"]
            self._see(f"relu{self._calls}", (entering > 0).float())
            self._calls += 1
        return func(*args, **given)


def _lowest(args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    """Give the lower bound of a clip; that of ReLU6 is 0."""
    return args[1] if len(args) > 1 else kwargs.get("min_val", -1.0)
