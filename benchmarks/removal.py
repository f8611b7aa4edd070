"""What does it save to remove what is dead? A pruned network beside the same without it.

    python benchmarks/removal.py --json

A share of the channels in front of the classifier is silenced for good in every layer of an
untrained reference network, as pruning leaves them; the channels are drawn at random. BatchNorm has
the statistics of one batch and hidden neurons a low threshold, so that all layers fire. ``pruned``
is that network in its full shape, ``removed`` what :func:`evo_core.snn.removal.without_dead` makes
of it. Both run the same batch in evaluation mode, by turns, on one thread; ``cpu_seconds`` are
medians of process CPU time and ``ratio`` is the median of pruned over removed of each turn, with
its extremes. ``expected`` is the ratio of the MACs. ``difference`` is the largest between their
logits in float64.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time

import torch
from spikingjelly.activation_based import functional

from evo_core.snn.loaded import load_network
from evo_core.snn.removal import difference, without_dead
from evo_core.snn.silence import weight_layers


def settle(network, frames):
    """Let BatchNorm take over the statistics of a batch."""
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = 1.0
    with torch.no_grad():
        network.train()(frames)
    functional.reset_net(network.eval())


def silence(network, share, seed=0):
    """Silence a share of the channels of all layers but the last."""
    rng = torch.Generator().manual_seed(seed)
    for layer in weight_layers(network):
        width = len(layer.weight)
        dead = torch.randperm(width, generator=rng)[: round(share * width)]
        for one in (layer.weight, layer.bias):
            if one is not None and not layer.last:
                one.data[dead] = 0


def cpu_seconds(network, frames):
    """Time one pass."""
    start = time.process_time()
    with torch.no_grad():
        network(frames)
    seconds = time.process_time() - start
    functional.reset_net(network)
    return seconds


def measured(target, share, batch, repeats):
    """Compare the two at one share."""
    pruned = load_network(target).network
    full = pruned.architecture
    generator = torch.Generator().manual_seed(0)
    frames = torch.rand((full.task.steps, batch, *full.task.shape), generator=generator)
    silence(pruned, share)
    settle(pruned, frames)
    removed = without_dead(pruned)
    small = removed.architecture
    turns = [[cpu_seconds(one, frames) for one in (pruned, removed)] for _ in range(repeats + 1)]
    turns = turns[1:]  # the first warms up
    ratios = [slow / fast for slow, fast in turns]
    return {
        "dead": share,
        "params": [full.parameters, small.parameters],
        "macs": [full.macs, small.macs],
        "expected": round(full.macs / small.macs, 2),
        "cpu_seconds": [round(statistics.median(one), 4) for one in zip(*turns, strict=True)],
        "ratio": round(statistics.median(ratios), 2),
        "spread": [round(min(ratios), 2), round(max(ratios), 2)],
        "difference": difference(pruned, removed),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--target",
        default="reference:6conv2fc[channels=32,hidden=128,fc_neuron=lif[threshold=0.02],"
        "spiking_output=false]",
    )
    parser.add_argument("--shares", type=float, nargs="+", default=[0.0, 0.25, 0.5, 0.75, 0.9])
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--json", action="store_true", help="print one JSON object in a line")
    given = parser.parse_args()
    torch.set_num_threads(1)
    found = [measured(given.target, one, given.batch, given.repeats) for one in given.shares]
    result = {"target": given.target, "batch": given.batch, "networks": found}
    print(json.dumps(result, indent=None if given.json else 2))


if __name__ == "__main__":
    main()
