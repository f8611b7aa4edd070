"""What structural development remembers of each synapse: at most 29 bytes, all of it tensors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields

import numpy as np
import torch
from torch import Tensor

Weights = Mapping[str, Tensor] | Sequence[Tensor]


@dataclass(slots=True)
class LayerState:
    """The state of one layer, whose weights are ``[O, I, kh, kw]`` or ``[O, I]``.

    Unless said otherwise, tensors have the shape and type of the weights; those of streaks count
    epochs in a byte. A connection is a kernel ``[kh, kw]`` of a convolution, or a single synapse.

    Attributes:
        upper: The upper end r+ of the range of each synapse.
        lower: The lower end r-.
        above: By how much the weight was above r+, summed over a streak.
        below: By how much it was below r- (negative).
        before: The absolute weight of the epoch before.
        rising: The streak of epochs with the weight at r+ or above, bytes.
        sinking: The streak with the weight at r- or below, bytes.
        falling: The streak with a falling absolute weight, bytes.
        mask: Which synapses are there, booleans.
        growth: Of a pruned connection, the streak of epochs in which it asked to grow; of one that
            has grown in mode ``improved``, the epochs in which it is safe from pruning. Bytes
            ``[O, I]``.
        gradient: Mode ``improved``: the sum of the dense gradients of an epoch; otherwise empty.
        pruned: Neurons that were ever pruned; in mode ``improved``, those that are, ``[O]``.
        rate: The share of neurons to prune so far, in percent, a float64 scalar.
        age: How many epochs the layer was trained for, an int64 scalar; children inherit it.
    """

    upper: Tensor
    lower: Tensor
    above: Tensor
    below: Tensor
    before: Tensor
    rising: Tensor
    sinking: Tensor
    falling: Tensor
    mask: Tensor
    growth: Tensor
    gradient: Tensor
    pruned: Tensor
    rate: Tensor
    age: Tensor

    @property
    def units(self) -> int:
        """The number of neurons (linear) or output channels (convolution)."""
        return len(self.mask)

    @property
    def is_conv(self) -> bool:
        """Whether it is a convolution."""
        return self.mask.ndim > 2

    def connections(self) -> Tensor:
        """Tell which connections have any synapse, ``[O, I]``."""
        return self.mask.flatten(2).any(2) if self.is_conv else self.mask

    def live(self) -> Tensor:
        """Count the synapses of each neuron, ``[O]``."""
        rows = self.mask.flatten(1)
        if rows.device.type != "cpu":
            return rows.sum(1)
        return torch.tensor([np.count_nonzero(row) for row in rows.numpy()])  # 25 times as fast


@dataclass(slots=True)
class State:
    """The state of all layers, in the order of the layers.

    Attributes:
        layers: By the names of the weights, or by their numbers as text.
        targets: The neurons behind the last layer: as a rule the classes.
    """

    layers: dict[str, LayerState]
    targets: int

    def tensors(self) -> dict[str, Tensor]:
        """Give all of it as ``<layer>/<field>``."""
        return {
            f"{name}/{one.name}": getattr(layer, one.name)
            for name, layer in self.layers.items()
            for one in fields(layer)
        }

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """Take over what :meth:`tensors` gave.

        Raises:
            ValueError: If it belongs to another network.
        """
        mine = self.tensors()
        for name, value in mine.items():
            if name not in tensors or tensors[name].shape != value.shape:
                raise ValueError(f"no structural state for {name}; train anew")
        for name, value in mine.items():
            value.copy_(tensors[name])


def named(weights: Weights) -> Iterator[tuple[str, Tensor]]:
    """Give each weight, detached, with its name or number."""
    pairs = weights.items() if isinstance(weights, Mapping) else enumerate(weights)
    for name, weight in pairs:
        yield str(name), weight.detach()


def fresh(weight: Tensor, *, gradient: bool, rate: float) -> LayerState:
    """Make the state of a layer whose synapses are all there; ranges are not set."""

    def floats() -> Tensor:
        return torch.zeros_like(weight)

    def streak() -> Tensor:
        return torch.zeros_like(weight, dtype=torch.uint8)

    return LayerState(
        upper=floats(),
        lower=floats(),
        above=floats(),
        below=floats(),
        before=floats(),
        rising=streak(),
        sinking=streak(),
        falling=streak(),
        mask=torch.ones_like(weight, dtype=torch.bool),
        growth=torch.zeros(weight.shape[:2], dtype=torch.uint8, device=weight.device),
        gradient=floats() if gradient else weight.new_empty(0),
        pruned=torch.zeros(len(weight), dtype=torch.bool, device=weight.device),
        rate=torch.tensor(rate, dtype=torch.float64),
        age=torch.tensor(0),
    )
