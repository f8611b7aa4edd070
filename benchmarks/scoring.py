"""What evo's scoring of a network costs, beside two frozen baselines and the convolutions alone.

Random networks of ``mse`` (6 cells) see one batch of noise of the size of CIFAR-10. All is timed in
this process, in turns, with one thread, in seconds of process CPU time; every figure is the median
over networks of the median over repeats, ``spread`` has the least and the most over networks.

- ``lean_s``: an evaluation under ``rdm`` as in a run whose worker has met the network's parameters
  before: forward pass, Gram matrices, RDM, activity. ``decode_s`` and ``draw_s`` (all its weights
  drawn anew) are beside it; ``cold_s`` is an evaluation by a worker that meets them first.
- ``loop_s``, ``cdist_s``: the baselines of ``baselines.py``, always fp32, module and weights ready;
  ``build_s`` makes the module. Each operation has a neuron layer and a hook of its own, as in the
  released code; ``shared_loop_s`` is the loop where those that read one state share both. The
  process keeps freed memory, as a worker of evo does.
- ``ratio_loop``, ``ratio_cdist``, ``ratio_shared_loop``: baseline over ``lean_s``, the median of
  each network's ratio;
  ``with_weights`` gives the ratios from the genome on: (baseline + build + decode) over
  (``cold_s`` + decode).
- ``floor_s``: the convolutions of the network alone, on tensors that are ready, each in the memory
  format that is faster; ``floor_ratio`` is ``lean_s`` over it. ``shares`` says where the time goes.

python benchmarks/scoring.py --channels 16 --batch 32 --json
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from collections import Counter, defaultdict

import baselines
import numpy as np
import torch

from evo_core import array_dataset
from evo_core.api import job_of
from evo_core.evolution import random_proposals
from evo_core.executors import make_evaluator
from evo_core.plan import make_plan
from evo_core.primitives import Conv, Linear
from evo_core.seeds import generator
from evo_core.snn.devices import prepare, threads
from evo_core.snn.encoding import encoded
from evo_core.snn.floor import floor
from evo_core.snn.stopwatch import Stopwatch
from evo_core.snn.weights import Weights


def job(given):
    """Say what is scored: random networks on noise."""
    size = (2 * given.batch, 3, given.height, given.height)
    noise = np.random.default_rng(0).random(size, dtype=np.float32)
    data = array_dataset("noise", noise, np.arange(len(noise)) % 10)
    settings = {
        "data": "noise", "mse": {"channels": given.channels}, "fitness": ["rdm"],
        "precision": given.precision, "scoring": {"batch": given.batch, "steps": given.steps},
    }  # fmt: skip
    return job_of(settings, [data])


def measure(given):
    """Give the seconds of each thing for each network, and where the time of evo's pass goes."""
    what = job(given)
    plan = make_plan(what)
    rng = generator(given.seed, "benchmark")
    genomes = [one.genome for one in random_proposals(plan.problem(), given.genomes, rng)]
    seconds, shares = defaultdict(list), Counter()
    prepare(plan.config)
    evaluator = make_evaluator(what)
    for number, genome in enumerate(genomes):
        inits = range(1 + number * given.repeats, 1 + (number + 1) * given.repeats)
        for name, value in of_network(given, plan, evaluator, genome, inits).items():
            seconds[name].append(value)
        with Stopwatch(plan) as stopwatch:
            evaluator.score(0, plan.decode(genome))
        shares.update(stopwatch.seconds)
    return dict(seconds), {part: value / shares.total() for part, value in shares.items()}


def of_network(given, plan, evaluator, genome, inits):
    """Time everything for one network; give the medians.

    ``inits`` numbers draws of the weights that nobody has met yet, one for each repeat.
    """
    architecture, frames = plan.decode(genome), batch(plan)
    network = baselines.Network(architecture, Weights(0))
    kinder = baselines.Network(architecture, Weights(0), shared=True)
    fresh = iter(inits)
    todo = {
        "lean_s": lambda: evaluator.score(0, architecture),
        "loop_s": lambda: baselines.score(network, frames, baselines.loop),
        "cdist_s": lambda: baselines.score(network, frames, baselines.cdist),
        "shared_loop_s": lambda: baselines.score(kinder, frames, baselines.loop),
        "cold_s": lambda: evaluator.score(0, architecture, (next(fresh),)),
        "build_s": lambda: baselines.Network(architecture, Weights(0)),
        "draw_s": lambda: draw(architecture, Weights(0)),
        "decode_s": lambda: plan.decode(genome),
    }
    todo["lean_s"](), todo["cdist_s"]()  # the libraries choose and load their kernels
    dtype = {"fp32": torch.float32, "bf16": torch.bfloat16}[given.precision]
    least = floor(architecture, given.batch, static=True, dtype=dtype, repeats=given.repeats)
    return in_turns(todo, given.repeats) | {"floor_s": least}


def in_turns(todo, repeats):
    """Time calls in turns; give the median process CPU seconds of each."""
    times = defaultdict(list)
    for _ in range(repeats):
        for name, do in todo.items():
            start = time.process_time()
            do()
            times[name].append(time.process_time() - start)
    return {name: statistics.median(each) for name, each in times.items()}


def draw(architecture, weights):
    """Draw all weights of a network."""
    for path, edge in zip(architecture.paths, architecture.edges, strict=True):
        for place, operation in enumerate(edge.operations):
            match operation:
                case Conv(outputs=outputs):
                    shape = (outputs, operation.fan_in)
                case Linear(inputs, outputs):
                    shape = (outputs, inputs)
                case _:
                    continue
            weights.draw(f"{path}/{place}.weight", shape, shape[1])


def batch(plan):
    """Give the scoring batch, ``[T, B, C, H, W]``."""
    scoring, seed = plan.config.scoring, plan.config.seed
    samples = plan.splits.batch(scoring.batch, seed, 0)
    rng = generator(seed, "encoding", 0)
    return encoded(samples, plan.task.steps, scoring.encoding, rng)


def summary(given, seconds, shares):
    """Put together what was measured."""
    of = {name: np.array(each) for name, each in seconds.items()}
    everything = of | {
        "ratio_loop": of["loop_s"] / of["lean_s"],
        "ratio_cdist": of["cdist_s"] / of["lean_s"],
        "ratio_shared_loop": of["shared_loop_s"] / of["lean_s"],
        "floor_ratio": of["lean_s"] / of["floor_s"],
    }
    made, cold = of["build_s"] + of["decode_s"], of["cold_s"] + of["decode_s"]
    weighted = {
        "ratio_loop": (of["loop_s"] + made) / cold,
        "ratio_cdist": (of["cdist_s"] + made) / cold,
    }
    return {
        "clock": "process CPU seconds, 1 thread",
        "arguments": vars(given),
        "load": os.getloadavg()[0],
        **{name: round(float(np.median(each)), 5) for name, each in everything.items()},
        "with_weights": {name: round(float(np.median(each)), 2) for name, each in weighted.items()},
        "spread": {
            name: [round(float(each.min()), 5), round(float(each.max()), 5)]
            for name, each in everything.items()
        },
        "shares": {part: round(share, 3) for part, share in shares.items()},
    }


def arguments(given=None):
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--channels", type=int, default=16)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--height", type=int, default=32, help="and width of the images")
    parser.add_argument("--steps", type=int, default=4)
    parser.add_argument("--precision", default="fp32", choices=["fp32", "bf16"])
    parser.add_argument("--genomes", type=int, default=5, help="random networks")
    parser.add_argument("--repeats", type=int, default=3, help="how often each is timed")
    parser.add_argument("--seed", type=int, default=0, help="which random networks")
    parser.add_argument("--json", action="store_true", help="print one JSON object in a line")
    return parser.parse_args(given)


def main(words=None):
    given = arguments(words)
    with threads(1):
        found = summary(given, *measure(given))
    print(json.dumps(found, indent=None if given.json else 2))


if __name__ == "__main__":
    main()
