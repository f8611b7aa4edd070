"""Two frozen ways to score a network by its responses, for others to be compared with.

Both step a SpikingJelly module through time, with a forward hook on each of its neuron modules, and
compare at each hook call the responses of all samples by one metric (Hamming). They differ in how:

- ``loop`` compares each sample with all others by ``torch.nn.PairwiseDistance``, row by row, as the
  code released with MSE-NAS does (arXiv 2304.10749);
- ``cdist`` makes one call of ``torch.cdist``.

They are kinder than the released code, which has a neuron layer for each edge (here edges that
leave a state share one), computes two metrics, and makes two passes. They stay as they are, and use
nothing of evo's own pass but the module of a network with its initial weights.
"""

from __future__ import annotations

from collections import defaultdict
from functools import partial

import torch
from spikingjelly.activation_based import functional, neuron
from torch import nn


def loop(spikes):
    """Count where the patterns ``[B, N]`` of each pair differ, row by row: ``[B, B]``."""
    distance = nn.PairwiseDistance(p=1, eps=0)
    matrix = torch.empty(len(spikes), len(spikes))
    for number, row in enumerate(spikes):
        matrix[number] = distance(row[None], spikes)
    return matrix


def cdist(spikes):
    """Count where the patterns ``[B, N]`` of each pair differ, in one call: ``[B, B]``."""
    return torch.cdist(spikes, spikes, p=1)


def score(network, frames, compare):
    """Run ``[T, B, ...]`` step by step through a module in training mode; give the mean distance.

    It is the mean over neuron modules of the mean over steps of the mean over pairs of samples, per
    neuron. Samples without a spike have no pattern; their pairs are left out.
    """
    means = defaultdict(list)
    hooks = [
        module.register_forward_hook(partial(_look, means[name], compare))
        for name, module in network.named_modules()
        if isinstance(module, neuron.BaseNode)
    ]
    with torch.no_grad():
        for frame in frames:
            network(frame[None])
    functional.reset_net(network)
    for hook in hooks:
        hook.remove()
    return float(torch.stack([torch.stack(each).nanmean() for each in means.values()]).nanmean())


def _look(means, compare, module, given, spikes):
    patterns = spikes.reshape(len(spikes[0]), -1)
    distances = compare(patterns) / patterns.shape[1]
    silent = patterns.sum(1) == 0
    distances[silent[:, None] | silent] = torch.nan
    means.append(distances[torch.ones_like(distances).triu(1).bool()].nanmean())
