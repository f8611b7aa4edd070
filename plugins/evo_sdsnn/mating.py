"""Mating two bodies: each neuron comes whole from either parent."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from evo_sdsnn.bodies import Body, BodyLayer, layers_of


def mate(one: Body, two: Body, rng: np.random.Generator) -> Body:
    """Take each neuron, or output channel, from either parent.

    With a neuron come the weights that it reads with, their structural state, its bias and its
    BatchNorm. Layers whose outputs are added draw together. So a weight comes from the parent of
    the neuron that it belongs to; in the classifier, which has no neurons, from the parent of the
    one that it reads. All else, ages and pruning rates among it, is that of the first parent.

    Args:
        one: The first parent.
        two: The second, with the same names and shapes.
        rng: Where the draws come from.
    """
    child = dict(one)
    drawn: dict[str, Tensor] = {}
    pairs = list(zip(layers_of(one), layers_of(two), strict=True))
    for layer, other in pairs:
        if layer.state is None:
            continue
        if layer.makes not in drawn:
            drawn[layer.makes] = torch.from_numpy(rng.random(len(layer.weight)) < 0.5)
        taken = _with_one_alive(drawn[layer.makes], layer, other)
        for name in layer.named():
            rows = taken.view(-1, *[1] * (one[name].ndim - 1))
            child[name] = torch.where(rows, two[name], one[name])
    for layer, other in pairs:
        if layer.state is None and layer.reads in drawn:
            columns = drawn[layer.reads]
            columns = columns.repeat_interleave(layer.weight.shape[1] // len(columns))
            columns = columns.view(-1, *[1] * (layer.weight.ndim - 2))
            child[f"network/{layer.name}"] = torch.where(columns, other.weight, layer.weight)
    return child


def _with_one_alive(taken: Tensor, one: BodyLayer, two: BodyLayer) -> Tensor:
    """Take the neuron of the first parent with most synapses, should no living one be taken."""
    assert one.state is not None
    assert two.state is not None
    live = one.state.live()
    if int(torch.where(taken, two.state.live(), live).max()) > 0:
        return taken
    changed = taken.clone()
    changed[live.argmax()] = False
    return changed
