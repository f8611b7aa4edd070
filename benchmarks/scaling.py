"""How does the cost of scoring grow? With workers, population, batch, channels and time steps.

- ``workers``: candidates per second on the wall with one and two worker processes, in turns.
- ``population``: CPU seconds of a whole search in one process (strategy, scoring, storing) per
  evaluated candidate; small populations search several times, so that each scores hundreds.
- ``batch``, ``channels``, ``steps``: CPU seconds of an evaluation of the same networks, and for
  batch and channels the peak memory of a fresh process that makes one; ``slopes`` are the exponents
  between the largest two values: 1 is proportional. A figure of them is drawn.

Ask for some of these by name; all of them take ten minutes.

python benchmarks/scaling.py --out docs/images/cost.png --json
"""

from __future__ import annotations

import argparse
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

import numpy as np

from evo_core import array_dataset
from evo_core.api import job_of
from evo_core.evaluation import Candidate
from evo_core.evolution import random_proposals
from evo_core.executors import make_evaluator
from evo_core.limits import peak_bytes
from evo_core.loop import Loop
from evo_core.parts import assemble
from evo_core.plan import make_plan
from evo_core.seeds import generator
from evo_core.snn.devices import prepare, threads
from evo_core.store import Store

CASE = {"batch": 32, "channels": 16, "steps": 4}
GROWING = {"batch": (8, 16, 32, 64, 128), "channels": (4, 8, 16, 32), "steps": (1, 2, 4, 8)}
MEASURED_MEMORY = ("batch", "channels")


def case(batch, channels, steps, height):
    """Say what is scored: networks of ``mse`` on noise of the size of CIFAR-10."""
    noise = np.random.default_rng(0).random((256, 3, height, height), dtype=np.float32)
    data = array_dataset("noise", noise, np.arange(len(noise)) % 10)
    scoring = {"batch": batch, "steps": steps}
    return job_of({"data": "noise", "mse": {"channels": channels}, "scoring": scoring}, [data])


def genomes_of(plan, count):
    """Draw random genomes, always the same."""
    drawn = random_proposals(plan.problem(), count, generator(0, "benchmark"))
    return [one.genome for one in drawn]


def workers(given):
    """Count candidates per second with one and with two workers, on digits."""
    rates = {1: [], 2: []}
    for _ in range(given.repeats):
        for number, each in rates.items():
            each.append(rate(number, given.candidates))
    medians = {number: statistics.median(each) for number, each in rates.items()}
    return {
        "candidates_per_second": {number: sorted(each) for number, each in rates.items()},
        "two_over_one": medians[2] / medians[1],
        "load": os.getloadavg()[0],
    }


def rate(number, count):
    """Give candidates per second of loky with that many workers, which have all started."""
    plan = make_plan(job_of({"executor": "loky", "workers": number, "observers": []}))
    with assemble(plan) as parts:
        candidates = [Candidate(n, one, "") for n, one in enumerate(genomes_of(plan, count))]
        evaluate(parts.executor, candidates[: 4 * number])
        start = time.perf_counter()
        evaluate(parts.executor, candidates)
        return len(candidates) / (time.perf_counter() - start)


def evaluate(executor, candidates):
    """Have candidates evaluated."""
    for candidate in candidates:
        executor.submit((candidate,))
    assert all(one.error is None for each in executor.as_completed() for one in each)


def population(given):
    """Give CPU milliseconds of a search per evaluated candidate, by population."""
    costs = {}
    with tempfile.TemporaryDirectory() as folder:
        search(20, 99, Path(folder) / "warm")
        for size in given.populations:
            runs = max(1, given.populations[-1] // (5 * size))
            found = [search(size, seed, Path(folder) / f"{size}-{seed}") for seed in range(runs)]
            seconds, count = map(sum, zip(*found, strict=True))
            costs[size] = 1000 * seconds / count
    return {"ms_per_candidate": costs, "most_over_least": max(costs.values()) / min(costs.values())}


def search(size, seed, folder):
    """Run two generations on digits; give CPU seconds and the number of evaluated candidates."""
    settings = {"population": size, "generations": 2, "seed": seed, "executor": "serial"}
    plan = make_plan(job_of(settings | {"observers": [], "rescore": 0}))
    start = time.process_time()
    with assemble(plan) as parts, closing(Store.create(folder, "", {})) as store:
        counts = Loop(plan, parts, store).whole().counts
    return time.process_time() - start, counts.evaluated


def growing(given, what):
    """Give CPU seconds of an evaluation, and peak memory, as one thing grows."""
    times, peaks = {}, {}
    for value in GROWING[what]:
        sizes = CASE | {what: value}
        job = case(**sizes, height=given.height)
        prepare(job.config)
        plan, evaluator = make_plan(job), make_evaluator(job)
        architectures = [plan.decode(one) for one in genomes_of(plan, given.genomes)]
        times[value] = statistics.median(seconds(given, evaluator, one) for one in architectures)
        if what in MEASURED_MEMORY:
            peaks[value] = peak(given, sizes)
    found = {"s": times, "slope": slope(times)}
    return found | ({"peak_mib": peaks} if peaks else {})


def seconds(given, evaluator, architecture):
    """Give the median CPU seconds of an evaluation."""
    evaluator.score(0, architecture)
    times = []
    for _ in range(given.repeats):
        start = time.process_time()
        evaluator.score(0, architecture)
        times.append(time.process_time() - start)
    return statistics.median(times)


def slope(times):
    """Give the exponent between the largest two values."""
    (one, before), (two, after) = list(times.items())[-2:]
    return math.log(after / before) / math.log(two / one)


def peak(given, sizes):
    """Give the peak memory in MiB of a new process that evaluates the first network once."""
    text = json.dumps(sizes | {"height": given.height})
    done = subprocess.run(  # noqa: S603
        [sys.executable, __file__, "--one", text], capture_output=True, text=True, check=True
    )
    return round(int(done.stdout) / 2**20)


def one(sizes):
    """Evaluate the first network; give the peak memory of this process in bytes."""
    job = case(**sizes)
    prepare(job.config)
    genome = genomes_of(make_plan(job), 1)[0]
    assert make_evaluator(job).evaluate(Candidate(0, genome, "")).error is None
    return peak_bytes()


def draw(found, path):
    """Draw seconds and memory as batch, channels and steps grow."""
    from matplotlib.figure import Figure

    names = [name for name in GROWING if name in found]
    figure = Figure(figsize=(8, 4.4), layout="constrained")
    axes = figure.subplots(2, len(names), squeeze=False)
    for (time_axes, memory_axes), name in zip(axes.T, names, strict=True):
        times, peaks = found[name]["s"], found[name].get("peak_mib")
        time_axes.plot(list(times), list(times.values()), "o-")
        time_axes.set_title(f"slope {found[name]['slope']:.2f}", fontsize=10)
        time_axes.set_ylabel("CPU s per candidate")
        ticks = [time_axes]
        if peaks is None:
            memory_axes.remove()
        else:
            memory_axes.plot(list(peaks), list(peaks.values()), "s-", color="C1")
            memory_axes.set_ylabel("peak memory, MiB")
            memory_axes.set_ylim(bottom=0)
            ticks.append(memory_axes)
        time_axes.set_yscale("log")
        for each in ticks:
            each.set_xscale("log", base=2)
            each.set_xticks(list(times), [str(value) for value in times])
            each.set_xlabel(name)
            each.grid(alpha=0.3)
    figure.savefig(path, dpi=150)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", nargs="*", help="workers, population, batch, channels, steps")
    parser.add_argument("--populations", type=int, nargs="+", default=[20, 200, 2000])
    parser.add_argument("--candidates", type=int, default=60, help="to be scored by the workers")
    parser.add_argument("--genomes", type=int, default=3, help="random networks")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--height", type=int, default=32, help="and width of the images")
    parser.add_argument("--out", type=Path, help="draw a figure here")
    parser.add_argument("--one", type=json.loads, help=argparse.SUPPRESS)
    parser.add_argument("--json", action="store_true", help="print one JSON object in a line")
    given = parser.parse_args()
    with threads(1):
        if given.one is not None:
            print(one(given.one))
            return
        parts = {"workers": workers, "population": population}
        wanted = given.what or [*parts, *GROWING]
        found = {
            name: parts[name](given) if name in parts else growing(given, name) for name in wanted
        }
    if given.out:
        draw(found, given.out)
    print(json.dumps(found, indent=None if given.json else 2))


if __name__ == "__main__":
    main()
