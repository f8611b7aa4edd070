"""What a silent neuron in a body needs to take part again, once connections of it have grown."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from evo_sdsnn.bodies import Body, BodyLayer
from evo_sdsnn.growth import JUST_GROWN

_SENT = 0.1  # of the mean weight: what a neuron that wakes sends at first


def wake(body: Body, layer: BodyLayer, awake: Tensor, rng: np.random.Generator) -> None:
    """Give neurons ``[O]`` weights to read with, of the mean size in their layer.

    Their BatchNorm, which silenced them, begins anew.
    """
    assert layer.state is not None
    there = layer.state.mask[awake]
    layer.weight[awake] = _noise(layer.weight[awake], _size(layer.weight), rng) * there
    for name in layer.units:
        if name.endswith((".weight", ".running_var")):
            body[name][awake] = 1


def let_send(reader: BodyLayer, awake: Tensor, rng: np.random.Generator) -> None:
    """Let neurons send a little by connections that are there but have no weight.

    These are as safe from pruning as if they had grown.

    Args:
        reader: The layer that reads them.
        awake: Which neurons.
        rng: Draws the weights.
    """
    weight, state = reader.weight, reader.state
    columns = awake.repeat_interleave(weight.shape[1] // len(awake))
    silent = (weight == 0) & columns.view(-1, *[1] * (weight.ndim - 2))
    if state is not None:
        silent &= state.mask
    weight.copy_(torch.where(silent, _noise(weight, _SENT * _size(weight), rng), weight))
    if state is not None:
        lit = silent.flatten(2).any(2) if weight.ndim > 2 else silent
        state.growth.masked_fill_(lit, JUST_GROWN)


def kernels(connections: Tensor, mask: Tensor) -> Tensor:
    """Spread flags of connections, ``[O, I]``, over their synapses."""
    return connections.view(*connections.shape, *[1] * (mask.ndim - 2)).expand_as(mask)


def _size(weight: Tensor) -> float:
    """Give the mean absolute value of what is not zero, or that of initial weights."""
    there = weight[weight != 0].abs()
    if len(there):
        return float(there.mean())
    return 0.5 / math.sqrt(weight[0].numel())


def _noise(weight: Tensor, size: float, rng: np.random.Generator) -> Tensor:
    """Draw from U(-2 size, 2 size), whose mean absolute value is the size."""
    return torch.from_numpy(rng.uniform(-2 * size, 2 * size, tuple(weight.shape))).to(weight)
