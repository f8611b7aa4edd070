"""What one structural step of SD-SNN costs on all layers of 6conv2fc, 21,351,808 weights.

    python benchmarks/sdsnn_step.py --json

One thread, process CPU seconds, no training. Weights move at random between steps; timed are epochs
in which ranges are updated, weights clamped, connections regenerated, neurons pruned and masked
(from epoch 2 T_s + 1). ``cpu_seconds`` is the median; ``loop_seconds`` that of one step of
`sdsnn_reference.py` on the same weights in the same run, ``loop_ratio`` what it is times as slow.
``peak_bytes`` is the most memory above that of a process that has imported torch, weights and state
included, in a process of its own.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

import torch
from sdsnn_reference import SetAndLoop

from evo_sdsnn import SdsnnOptions, begin, step

SHAPES = (
    (128, 3, 3, 3), (128, 128, 3, 3), (256, 128, 3, 3), (256, 256, 3, 3), (512, 256, 3, 3),
    (512, 512, 3, 3), (512, 32768),
)  # fmt: skip


def draw():
    """Give weights as they are after an epoch."""
    rng = torch.Generator().manual_seed(0)
    return [torch.randn(shape, generator=rng).mul_(0.05) for shape in SHAPES], rng


def move(weights, rng):
    """Change weights as an epoch might, in place and in small pieces, to need no memory."""
    for weight in weights:
        for row in weight:
            row.add_(torch.randn(row.shape, generator=rng), alpha=0.01)


def time_steps(mode, repeats, warm):
    """Time steps; give the seconds of each, the weights and the first timed epoch."""
    weights, rng = draw()
    options = SdsnnOptions(mode=mode)
    state = begin(weights, options)
    step(weights, state, 0, options)
    seconds = []
    for epoch in range(options.first - warm, options.first + repeats):
        move(weights, rng)
        if mode == "improved":
            move([layer.gradient for layer in state.layers.values()], rng)
        start = time.process_time()
        step(weights, state, epoch, options)
        seconds.append(time.process_time() - start)
    return seconds[warm:]


def time_loop():
    """Time one step of the reference."""
    weights, rng = draw()
    arrays = [weight.numpy() for weight in weights]
    reference = SetAndLoop(arrays)
    move(weights, rng)
    start = time.process_time()
    reference.step(arrays, 37)
    return time.process_time() - start


def most_memory():
    """Give the most resident memory this process ever had, in bytes (Linux)."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) for line in status.splitlines() if "VmHWM" in line) * 1024


def in_a_process(*flags):
    """Run this script for one measurement, and read what it prints."""
    command = [sys.executable, __file__, *flags]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)  # noqa: S603
    return json.loads(done.stdout)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mode", default="intended", choices=["improved", "intended", "released"])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--warm", type=int, default=2, help="epochs before those that are timed")
    parser.add_argument("--json", action="store_true", help="print one JSON object in a line")
    parser.add_argument("--memory", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    torch.set_num_threads(1)
    if given.memory:
        before = most_memory()
        time_steps(given.mode, 2, 1)
        print(json.dumps(most_memory() - before))
        return
    seconds = time_steps(given.mode, given.repeats, given.warm)
    loop = time_loop()
    cost = statistics.median(seconds)
    found = {
        "mode": given.mode,
        "weights": sum(torch.Size(shape).numel() for shape in SHAPES),
        "cpu_seconds": round(cost, 4),
        "spread": [round(min(seconds), 4), round(max(seconds), 4)],
        "loop_seconds": round(loop, 2),
        "loop_ratio": round(loop / cost, 1),
        "peak_bytes": in_a_process("--memory", "--mode", given.mode),
    }
    print(json.dumps(found, indent=None if given.json else 2))


if __name__ == "__main__":
    main()
