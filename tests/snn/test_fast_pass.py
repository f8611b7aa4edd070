"""The scoring pass against the plain one in tests/data: the same spikes, the same ranking."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.stats import kendalltau

from evo_core.architecture import INPUT, Architecture, Edge, Node, Task
from evo_core.binding import Binder
from evo_core.components import FitnessFunction, SearchSpace, load
from evo_core.errors import InvalidGenomeError
from evo_core.genome import random_genome
from evo_core.primitives import BatchNorm, Conv, GlobalAveragePool, Linear, Neuron, Zero
from evo_core.registry import installed
from evo_core.snn.scoring import untrained_pass
from evo_core.snn.view import View, duplicates_in
from evo_core.snn.watcher import Watcher
from evo_core.snn.weights import Bank, Weights

ALL = ("conv1", "conv3", "conv5", "dil3", "dil5", "sep3", "sep5", "avg3", "max3")
NEURONS = ("lif", "if", "plif[tau=3.0]", "lif[tau=4.0,threshold=0.3]")
# space, its options, the shape of a frame, T; 25 genomes each: 200 in all
SPACES = [
    ("mse", {"cells": 3, "channels": 8}, (1, 8, 8), 4),
    ("mse", {"cells": 4, "channels": 4, "operations": ALL, "macro": "free"}, (3, 16, 16), 4),
    ("mse", {"cells": 3, "channels": 4, "neurons": NEURONS, "macro": "per-cell"}, (2, 11, 9), 6),
    ("mse", {"cells": 3, "channels": 4, "feedback": "same-step"}, (1, 16, 16), 4),
    ("mse", {"cells": 4, "channels": 6, "feedback": "same-step", "operations": ALL}, (2, 8, 8), 8),
    ("mse", {"cells": 3, "channels": 4, "plain_reductions": True, "reductions": 1}, (3, 8, 8), 4),
    ("mse-released", {"channels": 4}, (1, 16, 16), 4),
    ("mse-released", {"channels": 4}, (2, 16, 16), 5),
]
SCORES = (
    "rdm[metric=hamming]", "rdm[metric=euclidean]", "rdm[metric=cosine]", "rdm[metric=pearson]",
    "rdm[metric=hamming,normalise=expected]", "rdm[metric=hamming,feature=rate]",
    "rdm[metric=pearson,feature=rate]", "rdm-released",
)  # fmt: skip


def plain_pass():
    path = Path(__file__).parents[1] / "data" / "plain_pass.py"
    spec = importlib.util.spec_from_file_location("plain_pass", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.untrained_pass


def one_by_one(watcher):
    """Let a watcher take what the plain pass gives: the spikes of one step at a time."""
    return lambda population, step, spikes: watcher(population, step, spikes[None])


class Spikes:
    """Keeps the spikes of every population at every step."""

    def __init__(self):
        self.seen = {}

    def __call__(self, population, step, spikes):
        for number, one in enumerate(spikes, step):
            assert (population, number) not in self.seen
            self.seen[population, number] = one.clone()


def both(*watchers):
    def tell(*record):
        for watcher in watchers:
            watcher(*record)

    return tell


def drawn(name, options, shape, steps, seed):
    """Give 25 random networks of a space, and for each a batch: still images, or events."""
    binder = Binder(installed(), {name: options})
    bound = binder.bind(SearchSpace, name)
    space = load(bound.record.build)(bound.options, binder.bind)
    rng, task, found = np.random.default_rng(seed), Task(shape, 5, steps), 0
    while found < 25:
        try:
            architecture = space.decode(random_genome(rng, space.genes), task)
        except InvalidGenomeError:
            continue
        found += 1
        if found % 2:
            frames = torch.tensor(rng.random((1, 8, *shape))).expand(steps, 8, *shape)
        else:
            frames = torch.tensor((rng.random((steps, 8, *shape)) < 0.3).astype(float))
        yield architecture, frames


def scores(bounds, architecture, watcher, frames):
    duplicates = duplicates_in(frames)
    for bound in bounds:
        collected = tuple(watcher.collected.get(bound.text, ()))
        view = View(architecture, tuple(watcher.grams), collected, duplicates=duplicates)
        score = load(bound.record.score)(view, bound.options)
        yield np.nan if score.value is None else score.value


@pytest.fixture(scope="module")
def compared(neurons):
    """Run 200 networks in both passes; give the spikes that differ, all of them, and the scores."""
    plain, bank = plain_pass(), Bank()
    binder = Binder(installed(), {})
    bounds = [binder.bind(FitnessFunction, text) for text in SCORES]
    differ = {torch.float64: 0, torch.float32: 0}
    fired, rows = dict(differ), {"plain": [], "fast": []}
    for seed, given in enumerate(SPACES):
        for architecture, double in drawn(*given, seed):
            for dtype in differ:
                frames, weights = double.to(dtype), Weights(seed, dtype=dtype, bank=bank)
                frames = frames[:1].expand_as(frames) if double.stride(0) == 0 else frames
                spikes = {"plain": Spikes(), "fast": Spikes()}
                watchers = {name: Watcher(architecture, bounds, len(frames)) for name in spikes}
                for name, run in (("plain", plain), ("fast", untrained_pass)):
                    tell = both(spikes[name], watchers[name])
                    run(
                        architecture, frames, neurons=neurons, weights=weights,
                        on_spikes=one_by_one(tell) if name == "plain" else tell,
                    )  # fmt: skip
                one, other = spikes["plain"].seen, spikes["fast"].seen
                assert one.keys() == other.keys()
                differ[dtype] += sum(int((one[key] != other[key]).sum()) for key in one)
                fired[dtype] += sum(int(one[key].sum()) for key in one)
            for name, watcher in watchers.items():  # of float32, the last
                rows[name].append(list(scores(bounds, architecture, watcher, frames)))
    return differ, fired, {name: np.array(table) for name, table in rows.items()}


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_in_float64_every_spike_is_that_of_the_plain_pass(compared):
    differ, fired, _ = compared
    assert fired[torch.float64] > 1_000_000
    assert differ[torch.float64] == 0


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_in_float32_at_most_one_spike_in_ten_thousand_differs(compared):
    differ, fired, _ = compared
    assert differ[torch.float32] <= fired[torch.float32] / 10_000


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("number", range(len(SCORES)), ids=SCORES)
def test_every_score_ranks_networks_as_the_plain_pass_does(compared, number):
    _, _, rows = compared
    plain, fast = rows["plain"][:, number], rows["fast"][:, number]
    assert (np.isnan(plain) == np.isnan(fast)).all()
    known = ~np.isnan(plain)
    assert known.sum() > 150
    assert len(set(plain[known])) > 100
    assert kendalltau(plain[known], fast[known]).statistic >= 0.99


def test_a_still_input_gives_the_spikes_of_the_same_frames_one_by_one(small, frames_of, score):
    for seed, feedback in ((0, "next-step"), (1, "same-step")):
        architecture = small(seed, feedback=feedback)
        still = frames_of(architecture)[:1].expand(4, 3, 1, 8, 8)
        logits, spikes = score(architecture, still)
        apart, expected = score(architecture, still.contiguous())
        assert torch.equal(logits, apart)
        assert all(torch.equal(spikes[key], expected[key]) for key in expected)


def test_the_input_is_left_as_it_is_and_a_second_pass_is_equal(small, frames_of, neurons):
    """A bank shared by passes, and memory written in place, carry nothing over."""
    bank, frames = Bank(), frames_of(small(0))
    before, results = frames.clone(), []
    for seed in (0, 3, 0):
        architecture, spikes = small(seed), Spikes()
        weights = Weights(0, dtype=frames.dtype, bank=bank)
        logits = untrained_pass(
            architecture, frames, neurons=neurons, weights=weights, on_spikes=spikes
        )
        results.append((logits, spikes.seen))
    assert torch.equal(frames, before)
    assert torch.equal(results[0][0], results[2][0])
    for key, spikes in results[0][1].items():
        assert torch.equal(spikes, results[2][1][key])


@pytest.mark.parametrize("alone", [False, True])
def test_an_edge_that_brings_zero_changes_nothing(frames_of, score, build, alone):
    lif = Neuron("lif", (("tau", 2.0), ("threshold", 0.2)))
    dead = Edge("a", "b", (lif, Zero()))
    bringing = () if alone else (Edge("a", "b", (lif, Conv(2, 2, 3), BatchNorm(2))),)
    head = Edge("b", "out", (lif, GlobalAveragePool(), Linear(2, 3)))
    stem = Edge(INPUT, "a", (Conv(1, 2, 3), BatchNorm(2)))
    nodes = (Node("a"), Node("b"), Node("out"))
    edges = (stem, dead, *bringing, head)
    architecture = Architecture(Task((1, 6, 6), 3, 4), nodes, edges, "out")
    frames = frames_of(architecture)
    logits, spikes = score(architecture, frames)
    network = build(architecture)
    with torch.no_grad():
        expected = torch.cat([network(frames[step : step + 1]) for step in range(4)])
    assert torch.allclose(logits, expected, rtol=1e-12, atol=1e-14)
    silent = all(not spikes[key].any() for key in spikes if key[0].startswith("b:"))
    assert silent == alone
