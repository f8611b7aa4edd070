"""A Development at work: the seam between training and what changes the structure meanwhile."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor
from torch.optim import Optimizer

from evo_core.binding import Bound
from evo_core.components import Development, load
from evo_core.snn.network import SpikingNetwork


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a training is.

    Attributes:
        epoch: How many epochs are done.
        epochs: How many there will be.
    """

    epoch: int
    epochs: int


@dataclass(frozen=True, slots=True)
class Developer:
    """A Development with the state that it keeps for one network."""

    record: Development
    state: Any

    @classmethod
    def of(
        cls, bound: Bound[Development], network: SpikingNetwork, optimiser: Optimizer, seed: int
    ) -> Developer:
        """Attach a Development to a network and its optimiser."""
        state = load(bound.record.attach)(network, optimiser, bound.options, seed)
        return cls(bound.record, state)

    def after_backward(self) -> None:
        """Let it see the gradients before the optimiser makes its step."""
        load(self.record.after_backward)(self.state)

    def after_epoch(self, epoch: int, epochs: int) -> None:
        """Let it change the structure after so many epochs."""
        load(self.record.after_epoch)(self.state, Progress(epoch, epochs))

    def numbers(self) -> dict[str, float]:
        """Give what it wants to see in the log."""
        given: Mapping[str, float] = load(self.record.numbers)(self.state)
        return {name: float(value) for name, value in given.items()}

    def tensors(self) -> dict[str, Tensor]:
        """Give all that it needs to go on."""
        given: Mapping[str, Tensor] = load(self.record.tensors)(self.state)
        return dict(given)

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """Go on from what :meth:`tensors` gave."""
        load(self.record.restore)(self.state, tensors)
