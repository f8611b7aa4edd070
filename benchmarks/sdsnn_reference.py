"""A slow structural step of SD-SNN, with sets and lists, for `sdsnn_step.py` to compare with.

Written after a description of the released code (arXiv 2211.12219, prun_and_generation.py), with
ranges on every layer: Python sets of indices tell which
synapses are in a streak, state lies in float64 arrays. It stays as it is.
"""

from __future__ import annotations

import math

import numpy as np

SPINE, CONTRACTION = 18, 0.75


class SetAndLoop:
    """The state and the rules of all layers, in the order of the layers."""

    def __init__(self, weights):
        self.shapes = [weight.shape for weight in weights]
        self.layers = [layer_state(np.asarray(weight)) for weight in weights]

    def step(self, weights, epoch):
        """Update ranges, clamp, regenerate and prune; give new weights."""
        flat = [np.asarray(weight, dtype=np.float64).ravel() for weight in weights]
        for number, layer in enumerate(self.layers):
            update(layer, flat[number] * layer["mask"])
            flat[number] = np.minimum(np.maximum(flat[number], layer["lower"]), layer["upper"])
        for number, layer in enumerate(self.layers):
            regenerate(layer, flat[number], self.shapes[number], epoch)
        for number, layer in enumerate(self.layers):
            prune(layer, self.shapes[number])
            flat[number] = flat[number] * layer["mask"]
            self.move_rate(number, epoch)
        return [one.reshape(shape) for one, shape in zip(flat, self.shapes, strict=True)]

    def move_rate(self, number, epoch):
        """Let the pruning rate of a layer grow, as its living neurons and those ahead say."""
        alive = [living(self.layers[at], self.shapes[at]) for at in range(number, len(self.shapes))]
        elapsed = epoch - 2 * SPINE - 1
        if len(self.shapes[number]) == 4:
            ahead = alive[1] if len(alive) > 1 else 10
            self.layers[number]["rate"] += math.exp(-elapsed / 5) * alive[0] / ahead
        else:
            factor = 0.5 * math.exp(-elapsed) if epoch <= 60 else 0.0005
            self.layers[number]["rate"] += factor * alive[0] / 10


def layer_state(weight):
    """Begin with ranges from the largest weight of a layer."""
    size, end = weight.size, float(weight.max())
    zeros = {name: np.zeros(size) for name in ("up", "down", "fall", "above", "below", "grow")}
    return {
        **zeros,
        "upper": np.full(size, end),
        "lower": np.full(size, -end),
        "before": np.abs(weight.ravel()).astype(np.float64),
        "mask": np.ones(size),
        "was": {"up": set(), "down": set(), "fall": set(), "grow": set()},
        "pruned": set(),
        "rate": 0.5 if weight.ndim == 4 else 2.0,
    }


def streak(layer, name, now):
    """Let the counts of synapses that are in a set, as in the epoch before, rise; others end."""
    every = set(range(len(layer["mask"])))
    inside = set(now.tolist())
    both = inside & layer["was"][name]
    on, off = np.array(sorted(both), dtype=int), np.array(list(every - both), dtype=int)
    layer[name][on] += 1
    layer[name][off] = 0
    layer["was"][name] = inside
    return on, off


def update(layer, weight):
    """Expand upward and downward, then contract."""
    for count, end, excess, outside in (
        ("up", "upper", "above", weight >= layer["upper"]),
        ("down", "lower", "below", weight <= layer["lower"]),
    ):
        on, off = streak(layer, count, np.flatnonzero(outside))
        layer[excess][on] += weight[on] - layer[end][on]
        layer[excess][off] = 0
        moved = np.flatnonzero(layer[count] >= SPINE)
        layer[end][moved] += layer[excess][moved] / SPINE
        layer[count][moved] = 0
        layer[excess][moved] = 0
    size = np.abs(weight)
    streak(layer, "fall", np.flatnonzero(size < layer["before"]))
    moved = np.flatnonzero(layer["fall"] >= SPINE)
    layer["upper"][moved] *= CONTRACTION
    layer["lower"][moved] *= CONTRACTION
    layer["fall"][moved] = 0
    layer["before"] = size


def regenerate(layer, weight, shape, epoch):
    """Let masked kernels or synapses grow whose value has been high for long."""
    conv = len(shape) == 4
    value = weight.reshape(shape[0] * shape[1], -1).sum(1)
    there = layer["mask"].reshape(shape[0] * shape[1], -1)
    level = min(99, (65 if conv else 60) + 1.1 ** (epoch - 2 * SPINE - 1))
    asking = np.flatnonzero((there.sum(1) == 0) & (value > np.percentile(value, level)))
    every, inside = set(range(len(value))), set(asking.tolist())
    both = inside & layer["was"]["grow"]
    counts = layer["grow"][: len(value)]
    counts[np.array(sorted(both), dtype=int)] += 1
    counts[np.array(list(every - both), dtype=int)] = 0
    layer["was"]["grow"] = inside
    for place in np.flatnonzero(counts > SPINE):
        there[place] = 1
        counts[place] = 0


def prune(layer, shape):
    """Mask the neurons with the lowest scores that were never pruned before."""
    span = layer["upper"] + np.abs(layer["lower"])
    least, most = span.min(), span.max()
    scaled = np.full(len(span), 0.5) if most == least else (span - least) / (most - least)
    rows = (layer["mask"] * scaled).reshape(shape[0], -1)
    scores = [float(row.sum()) for row in rows]
    quota = math.floor(shape[0] * layer["rate"] / 100)
    lowest = sorted(range(shape[0]), key=scores.__getitem__)[:quota]
    mask = layer["mask"].reshape(shape[0], -1)
    for neuron in lowest:
        if neuron not in layer["pruned"]:
            mask[neuron] = 0
            layer["pruned"].add(neuron)


def living(layer, shape):
    """Count neurons that have some synapses left."""
    mask = layer["mask"].reshape(shape[0], -1)
    least = 20 if len(shape) == 4 else 50
    return max(1, sum(int(row.sum() >= least) for row in mask))
