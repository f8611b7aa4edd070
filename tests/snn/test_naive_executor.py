"""A third executor in plain loops, written from the definitions alone, as referee."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from evo_core.architecture import Task
from evo_core.snn.weights import Weights

OPTIONS = {"cells": 3, "channels": 2, "neurons": ("lif", "lif[tau=3.0,threshold=0.3]")}


class Naive:
    """Goes through time, and in each step through the nodes; nothing is folded or forgotten."""

    def __init__(self, architecture, seed):
        self.architecture = architecture
        self.weights = Weights(seed, dtype=torch.float64)
        self.membranes = {}
        self.spikes = {}
        self.arriving = {}  # what delayed edges bring to the next step
        self.now = {}

    def run(self, frames):
        logits = []
        for step in range(len(frames)):
            self.now = {"input": frames[step]}
            for node in self.architecture.nodes:
                self.now[node.name] = self.node(node, step)
            self.arriving = {
                path: self.edge(path, edge, step)
                for path, edge in self.named_edges()
                if edge.stage == "next-step"
            }
            logits.append(self.now[self.architecture.output])
        return torch.stack(logits)

    def named_edges(self):
        seen = {}
        for edge in self.architecture.edges:
            arrow = "~>" if edge.stage == "next-step" else "->"
            name = f"{edge.source}{arrow}{edge.target}"
            seen[name] = seen.get(name, 0) + 1
            yield (name if seen[name] == 1 else f"{name}#{seen[name]}"), edge

    def node(self, node, step):
        parts = []
        for path, edge in self.named_edges():
            if edge.target == node.name and edge.stage != "next-step":
                parts.append(self.edge(path, edge, step))
            elif edge.target == node.name and step > 0:
                parts.append(self.arriving[path])
        return torch.cat(parts, dim=1) if node.join == "concat" else sum(parts[1:], parts[0])

    def edge(self, path, edge, step):
        value = self.now[edge.source]
        for position, op in enumerate(edge.operations):
            value = self.operation(f"{path}/{position}", op, value, edge, step)
        return value

    def operation(self, path, op, value, edge, step):
        if op.tag == "neuron":
            return self.fire(edge.source, op, value, step)
        if op.tag == "conv":
            shape = (op.outputs, op.inputs, op.kernel, op.kernel)
            weight = self.weights.draw(f"{path}.weight", shape, op.inputs * op.kernel**2)
            pad = (op.kernel - 1) // 2
            return functional.conv2d(value, weight, stride=op.stride, padding=pad)
        if op.tag == "batch-norm":
            mean = value.mean((0, 2, 3), keepdim=True)
            variance = value.var((0, 2, 3), unbiased=False, keepdim=True)
            return (value - mean) / (variance + 1e-5).sqrt()
        if op.tag == "clip":
            return value * (value * op.sign > 0)
        if op.tag == "global-average-pool":
            return value.sum((2, 3)) / (value.shape[2] * value.shape[3])
        assert op.tag == "linear"
        weight = self.weights.draw(f"{path}.weight", (op.outputs, op.inputs), op.inputs)
        bias = self.weights.draw(f"{path}.bias", (op.outputs,), op.inputs)
        return value @ weight.T + bias

    def fire(self, state, neuron, current, step):
        """Leak towards the current, spike at the threshold, reset to zero; once in each step."""
        key = (state, neuron)
        if (key, step) not in self.spikes:
            settings = dict(neuron.settings)
            v = self.membranes.get(key, torch.zeros_like(current))
            v = v + (current - v) / settings["tau"]
            fired = v >= settings["threshold"]
            self.membranes[key] = torch.where(fired, torch.zeros_like(v), v)
            self.spikes[key, step] = fired.to(v)
        return self.spikes[key, step]


@pytest.mark.parametrize(
    ("feedback", "macro"),
    [("next-step", "chain"), ("next-step", "per-cell"), ("same-step", "chain")],
)
def test_the_scoring_pass_equals_plain_loops(draw, frames_of, score, feedback, macro):
    options = OPTIONS | {"feedback": feedback, "macro": macro}
    for seed, architecture in enumerate(draw(8, 11, Task((1, 8, 8), 3, 4), **options)):
        frames = frames_of(architecture, seed=seed)
        logits, spikes = score(architecture, frames, seed)
        naive = Naive(architecture, seed)
        expected = naive.run(frames)
        assert len(naive.spikes) == len(spikes)
        for ((state, neuron), step), fired in naive.spikes.items():
            text = ",".join(f"{name}={value}" for name, value in neuron.settings)
            assert torch.equal(spikes[f"{state}:lif[{text}]", step], fired), (state, step)
        assert torch.allclose(logits, expected, rtol=1e-9, atol=1e-12)
