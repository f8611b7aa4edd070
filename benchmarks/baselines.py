"""Two frozen ways to score a network by its responses, for others to be compared with.

Both step a SpikingJelly module through time, with a forward hook on each of its neuron layers, and
compare at each hook call the responses of all samples by one metric (Hamming). They differ in how:

- ``loop`` compares each sample with all others by ``torch.nn.PairwiseDistance``, row by row, as the
  code released with MSE-NAS does (arXiv 2304.10749);
- ``cdist`` makes one call of ``torch.cdist``.

As in the released code, each operation opens with a neuron layer of its own (:class:`Network`).
With ``shared=True`` operations that read a state share one layer: a kinder baseline, as these
layers fire alike. All stay as they are, and use nothing of evo but the graph of a network and the
numbers of its initial weights.
"""

from __future__ import annotations

from collections import defaultdict
from functools import partial, reduce
from operator import add

import torch
from spikingjelly.activation_based import base, functional, layer, neuron
from torch import nn

from evo_core import primitives
from evo_core.architecture import INPUT, population


class Network(base.MemoryModule):
    """A network as one writes it by hand in SpikingJelly: ``[B, C, H, W]`` to logits, by steps."""

    def __init__(self, architecture, weights, *, shared=False):
        super().__init__()
        self.architecture = architecture
        self.shared = shared
        self.neurons, self.operations, self.reads = nn.ModuleDict(), nn.ModuleDict(), {}
        for path, edge in zip(architecture.paths, architecture.edges, strict=True):
            if edge.neuron is not None:
                fires = population(edge.source, edge.neuron)
                self.reads[path] = (fires if shared else f"{fires} of {path}").replace(".", "_")
                self.neurons[self.reads[path]] = lif(edge.neuron)
            made = [
                module(operation, f"{path}/{place}", weights)
                for place, operation in enumerate(edge.operations)
                if place > 0 or edge.neuron is None
            ]
            self.operations[path.replace(".", "_")] = nn.Sequential(*made)
        self.register_memory("delayed", {})

    def forward(self, frame):
        """Make one step; feedback of the step before is in ``delayed``."""
        values, fired = {INPUT: frame}, {}
        for node in self.architecture.nodes:
            parts = [
                self.delayed[path]
                if edge.stage == "next-step"
                else self.carry(path, edge, values, fired)
                for path, edge in self.architecture.incoming[node.name]
                if edge.stage != "next-step" or path in self.delayed
            ]
            joined = torch.cat(parts, 1) if node.join == "concat" else reduce(add, parts)
            values[node.name] = joined
        self.delayed = {
            path: self.carry(path, edge, values, fired)
            for path, edge in zip(self.architecture.paths, self.architecture.edges, strict=True)
            if edge.stage == "next-step"
        }
        return values[self.architecture.output]

    def carry(self, path, edge, values, fired):
        """Let an edge bring what its source gives."""
        value, name = values[edge.source], self.reads.get(path)
        if name in fired:
            value = fired[name]
        elif name is not None:
            value = self.neurons[name](value)
            if self.shared:  # nobody else reads it otherwise
                fired[name] = value
        return self.operations[path.replace(".", "_")](value)


class Clip(nn.Module):
    """Keep the positive (+1) or the negative (-1) part of a current."""

    def __init__(self, sign):
        super().__init__()
        self.sign = sign

    def forward(self, current):
        """Clip a current of any shape."""
        return current.clamp(min=0) if self.sign > 0 else current.clamp(max=0)


def lif(given):
    """Make SpikingJelly's LIF layer; other models have no baseline."""
    settings = dict(given.settings)
    if given.model != "lif":
        raise ValueError(f"the baselines know lif, not {given.model}")
    return neuron.LIFNode(tau=settings["tau"], v_threshold=settings["threshold"], v_reset=0.0)


def module(operation, path, weights):
    """Make the layer of an operation of ``mse`` as it is by default."""
    match operation:
        case primitives.Conv(inputs, outputs, kernel, stride, dilation, groups):
            sizes = (inputs, outputs, kernel, stride, operation.padding, dilation, groups)
            return filled(layer.Conv2d(*sizes, bias=False), path, weights, operation.fan_in)
        case primitives.BatchNorm(channels):
            return layer.BatchNorm2d(channels)
        case primitives.Clip(sign):
            return Clip(sign)
        case primitives.GlobalAveragePool():
            return nn.Sequential(layer.AdaptiveAvgPool2d(1), layer.Flatten())
        case primitives.Linear(inputs, outputs):
            return filled(layer.Linear(inputs, outputs), path, weights, inputs)
    raise TypeError(f"the baselines have no layer for {operation}")


def filled(made, path, weights, fan_in):
    """Give a layer the initial weights that evo draws."""
    for name, parameter in made.named_parameters():
        parameter.data = weights.draw(f"{path}.{name}", tuple(parameter.shape), fan_in)
    return made


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

    It is the mean over states of the mean over the neuron layers that read one (they fire alike),
    over steps and over pairs of samples, per neuron: one vote for each state, as in evo's ``rdm``.
    Samples without a spike have no pattern; their pairs are left out.
    """
    means = defaultdict(list)
    hooks = [
        one.register_forward_hook(partial(_look, means[name.partition(" of ")[0]], compare))
        for name, one in network.neurons.items()
    ]
    with torch.no_grad():
        for frame in frames:
            network(frame)
    functional.reset_net(network)
    for hook in hooks:
        hook.remove()
    return float(torch.stack([torch.stack(each).nanmean() for each in means.values()]).nanmean())


def _look(means, compare, module, given, spikes):
    patterns = spikes.flatten(1)
    distances = compare(patterns) / patterns.shape[1]
    silent = patterns.sum(1) == 0
    distances[silent[:, None] | silent] = torch.nan
    means.append(distances[torch.ones_like(distances).triu(1).bool()].nanmean())
