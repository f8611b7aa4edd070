"""How much memory does a training take, with and without the memory optimiser?

    python benchmarks/training_memory.py --data-root DATA --json

Trained are the reference network 2conv2fc and a random network of the space mse on MNIST, T = 4, in
batches of 128: some steps, and a measurement on 600 validation samples. Each case runs in a process
of its own, and tells the largest resident memory that this process ever had, in GiB, and the CPU
seconds of its fastest step.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path

import torch

from evo_core.config import from_layers
from evo_core.genome import random_genome
from evo_core.limits import peak_bytes
from evo_core.plan import Job, make_plan
from evo_core.recipe import read_recipe
from evo_core.seeds import generator
from evo_core.snn.training import Trainer
from evo_core.targets import resolve


def random_target():
    """Draw a network of the space mse."""
    genes = make_plan(Job(from_layers({"space": "mse"}))).space.genes
    genome = random_genome(generator(0, "training-memory"), genes)
    return "mse:" + ",".join(map(str, genome))


def measure(case):
    """Train one network for some steps, in this process."""
    torch.set_num_threads(1)
    settings = {"data": "mnist[validation=0.01]", "data_root": case["data_root"]}
    found = resolve(case["target"], [settings])
    changes = {name: case[name] for name in ("batch", "memory_optimiser")}
    trainer = Trainer(
        found.architecture,
        found.plan.splits,
        found.plan.neurons,
        read_recipe("quick", changes | {"samples": case["batch"] * case["steps"]}),
        seed=0,
    )
    seconds = []
    for _ in range(trainer.steps):
        start = time.process_time()
        trainer.make_step()
        seconds.append(time.process_time() - start)
    trainer.end_epoch()
    shown = {name: case[name] for name in ("target", "batch", "memory_optimiser")}
    return shown | {
        "time_steps": found.architecture.task.steps,
        "params": found.architecture.parameters,
        "peak_gib": peak_bytes() / 2**30,
        "step_seconds": min(seconds),
    }


def in_a_process(case):
    """Measure one case in a process of its own."""
    command = [sys.executable, __file__, "--case", json.dumps(case)]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)  # noqa: S603
    return json.loads(done.stdout)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data-root", type=Path, help="the folder with the files of MNIST")
    parser.add_argument("--steps", type=int, default=3)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.add_argument("--case", type=json.loads, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.case:
        print(json.dumps(measure(given.case)))
        return
    if given.data_root is None:
        parser.error("name the folder with the files of MNIST: --data-root DATA")
    shared = {"data_root": str(given.data_root), "steps": given.steps, "batch": given.batch}
    rows = [
        in_a_process(shared | {"target": target, "memory_optimiser": optimised})
        for target in ("reference:2conv2fc", random_target())
        for optimised in (False, True)
    ]
    if given.json:
        print(json.dumps({"steps": given.steps, "rows": rows}, indent=2))
        return
    for row in rows:
        name = row["target"].partition(":")[2] if "reference" in row["target"] else "mse"
        kind = "memory optimiser" if row["memory_optimiser"] else "plain"
        sizes = f"{row['peak_gib']:.2f} GiB  {row['step_seconds']:.2f} s a step"
        print(f"{name:<10} {kind:<18} {sizes}")


if __name__ == "__main__":
    main()
