"""What does each motif do to the firing rates of its nodes?

Draws random networks of the space mse that use one motif only, shows each a batch of digits
without training, and prints one JSON object: for each motif and node the mean firing rate (spikes
per neuron and time step) over networks and cells, and the standard deviation over networks.

python benchmarks/motif_rates.py --networks 20 [--inputs 3]
"""

import argparse
import json
import statistics
from collections import defaultdict

import numpy as np
import torch

from evo_core.config import from_layers
from evo_core.genome import random_genome
from evo_core.plan import Job, make_plan
from evo_core.snn.scoring import untrained_pass
from evo_core.snn.watcher import Watcher
from evo_core.snn.weights import Weights

MOTIFS = ("FE", "FI", "FbI", "LI", "MI")


def rates_of(plan, architecture, frames, seed):
    """Give the mean firing rate of each node of the motif, over the cells of one network."""
    watcher = Watcher(architecture, (), len(frames))
    untrained_pass(
        architecture,
        frames,
        neurons=plan.neurons,
        weights=Weights(seed),
        on_spikes=watcher,
    )
    by_node = defaultdict(list)
    for population, rate in watcher.activity.rates().items():
        _, slash, node = population.partition(":")[0].partition("/")
        if slash and node != "out" and not node.startswith("x"):
            by_node[node].append(rate)
        elif slash and node == "out":
            by_node["output of the cell"].append(rate)
    return {node: statistics.mean(rates) for node, rates in by_node.items()}


def measure(motif, networks, seed, inputs):
    """Measure one motif; a node that opens no edge of its own fires in the output of the cell."""
    plan = make_plan(Job(from_layers({"mse": {"motifs": [motif], "inputs": inputs}, "seed": seed})))
    samples = plan.splits.batch(plan.config.scoring.batch, seed, 0)
    frames = torch.tensor(samples.frames(plan.task.steps), dtype=torch.float32)
    rng = np.random.default_rng(seed)
    found = defaultdict(list)
    for number in range(networks):
        architecture = plan.decode(random_genome(rng, plan.space.genes))
        for node, rate in rates_of(plan, architecture, frames, number).items():
            found[node].append(rate)
    return {
        node: {"mean": statistics.mean(rates), "sd": statistics.stdev(rates)}
        for node, rates in sorted(found.items())
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--networks", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--inputs", type=int, nargs="+", default=[2, 3, 4], help="values of k")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    given = (arguments.networks, arguments.seed, arguments.inputs)
    report = {motif: measure(motif, *given) for motif in MOTIFS}
    print(json.dumps({**vars(arguments), "rates": report}, indent=2))


if __name__ == "__main__":
    main()
