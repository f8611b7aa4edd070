"""The rules of SD-SNN synapse by synapse, in plain loops, as the released code states them.

Counts and flags of the epoch before, not streaks; float32 sums in the constraint, exact fractions
in the scores of neurons. Nothing here is shared with ``evo_sdsnn``.
"""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

F = np.float32


class Synapse:
    """One synapse with its range; ``event`` counts are those of the release."""

    def __init__(self, upper, lower, weight):
        self.upper, self.lower, self.before = F(upper), F(lower), abs(F(weight))
        self.there = True
        self.count = {"up": 0, "down": 0, "in": 0}
        self.was = dict.fromkeys(self.count, False)
        self.sum = {"up": F(0), "down": F(0)}

    def update(self, weight, spine, contraction):
        weight = F(weight) if self.there else F(0)
        self._expand("up", weight >= self.upper, weight, "upper", spine)
        self._expand("down", weight <= self.lower, weight, "lower", spine)
        falls = bool(abs(weight) < self.before)
        self.count["in"] = self.count["in"] + 1 if falls and self.was["in"] else 0
        if self.count["in"] >= spine:
            self.upper, self.lower = self.upper * F(contraction), self.lower * F(contraction)
            self.count["in"] = 0
        self.was["in"], self.before = falls, abs(weight)

    def _expand(self, side, outside, weight, end, spine):
        if outside and self.was[side]:
            self.count[side] += 1
            self.sum[side] += weight - getattr(self, end)
        else:
            self.count[side], self.sum[side] = 0, F(0)
        if self.count[side] >= spine:
            setattr(self, end, getattr(self, end) + self.sum[side] / F(spine))
            self.count[side], self.sum[side] = 0, F(0)
        self.was[side] = bool(outside)


class Layer:
    """A layer as a table of synapses, ``[neuron][input][place in the kernel]``."""

    def __init__(self, weight, rate):
        top = weight.max()
        self.conv = weight.ndim == 4
        self.synapses = [
            [[Synapse(top, -top, one) for one in kernel] for kernel in row] for row in table(weight)
        ]
        self.grow = {}
        self.ever = set()
        self.rate = rate

    def update(self, weight, spine, contraction):
        for one, value in self.pairs(weight):
            one.update(value, spine, contraction)

    def clamp(self, weight):
        for index, one in self.indexed():
            flat = table(weight)
            flat[index] = min(max(flat[index], one.lower), one.upper)

    def regenerate(self, weight, percentile, spine):
        flat = table(weight)
        values = flat.sum(2, dtype=F)
        level = np.percentile(values.astype(np.float64), percentile)
        for j, row in enumerate(self.synapses):
            for i, kernel in enumerate(row):
                count, was = self.grow.get((j, i), (0, False))
                asks = not any(one.there for one in kernel) and values[j, i] > level
                count = count + 1 if asks and was else 0
                if count > spine:
                    for one in kernel:
                        one.there = True
                    count = 0
                self.grow[j, i] = (count, bool(asks))

    def prune(self):
        spans = [
            Fraction(float(one.upper)) + abs(Fraction(float(one.lower)))
            for _, one in self.indexed()
        ]
        least, most = min(spans), max(spans)
        scores = []
        for row in self.synapses:
            there = [one for kernel in row for one in kernel if one.there]
            spans = [span(one) for one in there]
            if most == least:
                scores.append(Fraction(len(there), 2))
            else:
                scores.append(sum(((one - least) / (most - least) for one in spans), Fraction(0)))
        quota = min(math.floor(len(scores) * self.rate / 100), len(scores) - 1)
        for neuron in sorted(range(len(scores)), key=lambda at: (scores[at], at))[:quota]:
            if neuron not in self.ever:
                self.ever.add(neuron)
                for kernel in self.synapses[neuron]:
                    for one in kernel:
                        one.there = False

    def mask(self, weight):
        for index, one in self.indexed():
            if not one.there:
                table(weight)[index] = 0

    def alive(self):
        least = 20 if self.conv else 50
        rows = [[one.there for kernel in row for one in kernel] for row in self.synapses]
        return sum(sum(row) >= least for row in rows)

    def indexed(self):
        for j, row in enumerate(self.synapses):
            for i, kernel in enumerate(row):
                for k, one in enumerate(kernel):
                    yield (j, i, k), one

    def pairs(self, weight):
        flat = table(weight)
        for index, one in self.indexed():
            yield one, flat[index]


def span(synapse):
    return Fraction(float(synapse.upper)) + abs(Fraction(float(synapse.lower)))


def table(weight):
    """Give a view ``[neuron, input, place]``."""
    return weight.reshape(*weight.shape[:2], -1)


def step(layers, weights, epoch, *, spine, classes, contraction=0.75, grow=True):
    """Make the step of an epoch from 1 on: mode intended with the released constants."""
    since, time = epoch - 2 * spine - 1, 18 / spine
    for layer, weight in zip(layers, weights, strict=True):
        layer.update(weight, spine, contraction)
        if epoch > spine:
            layer.clamp(weight)
    if since < 0:
        return
    for layer, weight in zip(layers, weights, strict=True):
        if grow:
            level = min(99, (65 if layer.conv else 60) + 1.1 ** (since * time))
            layer.regenerate(weight, level, spine)
    for number, (layer, weight) in enumerate(zip(layers, weights, strict=True)):
        layer.prune()
        layer.mask(weight)
        ahead = layers[number + 1].alive() if number + 1 < len(layers) else classes
        if layer.conv:
            gain = math.exp(-since * time / 5)
        else:
            gain = 0.0005 if epoch > 2 * spine + 24 else 0.5 * math.exp(-since * time)
        layer.rate = min(100.0, layer.rate + gain * layer.alive() / max(1, ahead))
