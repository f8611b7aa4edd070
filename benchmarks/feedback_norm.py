"""What running statistics cost a trained network with feedback: BatchNorm at rest and as trained.

    python benchmarks/feedback_norm.py TRAINING

Cells with feedback run step by step, so in training their BatchNorm sees the batch at one step; at
rest it has one mean and variance for all steps. Prints one JSON object with the accuracy on some
samples of the validation split: `rest`, with the running statistics; `settled`, with the mean over
batches of the train split of what BatchNorm saw in training mode; `by_step`, where inside cells
with feedback that mean is taken for each step by itself; and `batch`, in training mode.
"""

import argparse
import copy
import json

import numpy as np
import torch
from spikingjelly.activation_based import functional
from torch import nn

from evo_core.seeds import generator
from evo_core.snn.encoding import encoded
from evo_core.snn.loaded import load_network


def batches(samples, steps, count, batch):
    """Give frames and labels of the first samples, batch by batch."""
    for first in range(0, min(count, len(samples)), batch):
        some = samples.take(np.arange(first, min(first + batch, count, len(samples))))
        rng = generator(0, "shown", first)
        yield encoded(some, steps, "direct", rng), torch.as_tensor(some.labels)


def accuracy(network, shown):
    """Measure on batches; the statistics of BatchNorm are left as they are."""
    right = seen = 0
    with torch.no_grad():
        for frames, labels in shown:
            functional.reset_net(network)
            right += int((network(frames).mean(0).argmax(1) == labels).sum())
            seen += len(labels)
    functional.reset_net(network)
    return right / seen


def norms(network, recurrent=None):
    """Give the BatchNorm modules, all or those inside cells with feedback."""
    inside = {
        node.name
        for segment in network.architecture.segments
        for node in segment.nodes
        if segment.recurrent
    }
    pairs = zip(network.architecture.paths, network.architecture.edges, strict=True)
    for path, edge in pairs:
        if recurrent is None or edge.target in inside:
            yield from (
                one for one in network.edge(path).modules() if isinstance(one, nn.BatchNorm2d)
            )


def settled(network, shown):
    """Give a copy with the mean statistics over batches; and, inside feedback, those by step."""
    network = copy.deepcopy(network).train()
    steps = network.architecture.task.steps
    for one in norms(network):
        one.reset_running_stats()
        one.momentum = None
    seen = {one: [] for one in norms(network, recurrent=True)}
    hooks = [one.register_forward_pre_hook(_note(seen[one])) for one in seen]
    accuracy(network, shown)
    for hook in hooks:
        hook.remove()
    by_step = {
        one: [tuple(torch.stack(part).mean(0) for part in zip(*found[step::steps], strict=True))
              for step in range(steps)]
        for one, found in seen.items()
    }  # fmt: skip
    return network.eval(), by_step


def _note(found):
    def hook(_, given):
        value = given[0].flatten(0, 1)
        found.append((value.mean((0, 2, 3)), value.var((0, 2, 3))))

    return hook


def use_by_step(by_step):
    """Let BatchNorm take the statistics of the step that it is at."""
    for one, statistics in by_step.items():
        calls = [0]

        def hook(norm, _, calls=calls, statistics=statistics):
            mean, variance = statistics[calls[0] % len(statistics)]
            norm.running_mean.copy_(mean)
            norm.running_var.copy_(variance)
            calls[0] += 1

        one.register_forward_pre_hook(hook)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("training")
    parser.add_argument("--samples", type=int, default=1024, help="of each split")
    parser.add_argument("--batch", type=int, default=64)
    given = parser.parse_args()
    torch.set_num_threads(1)
    loaded = load_network(given.training)
    network, splits = loaded.network, loaded.plan.splits
    steps = loaded.architecture.task.steps
    some = (steps, given.samples, given.batch)
    validation = list(batches(splits.validation, *some))
    found = {"training": given.training, "samples": given.samples, "epoch": loaded.origin}
    found["rest"] = accuracy(network, validation)
    calm, by_step = settled(network, batches(splits.train, *some))
    found["settled"] = accuracy(calm, validation)
    use_by_step(by_step)
    found["by_step"] = accuracy(calm, validation)
    found["batch"] = accuracy(copy.deepcopy(network).train(), validation)
    rounded = {key: round(one, 4) if isinstance(one, float) else one for key, one in found.items()}
    print(json.dumps(rounded))


if __name__ == "__main__":
    main()
