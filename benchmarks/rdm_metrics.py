"""Time scores of the same spikes against rdm alone: 32x32 images, 16 channels, batches of 32.

python benchmarks/rdm_metrics.py --json
"""

from __future__ import annotations

import argparse
import json
import statistics
import time

import numpy as np
import torch

from evo_core import array_dataset
from evo_core.config import from_layers
from evo_core.evaluation import Candidate
from evo_core.genome import random_genome
from evo_core.plan import Job, make_plan
from evo_core.seeds import generator
from evo_core.snn.worker import Evaluator

STEP = [f"rdm[metric={metric}]" for metric in ("hamming", "euclidean", "cosine", "pearson")]
EXPECTED = [text.replace("]", ",normalise=expected]") for text in STEP[:-1]]
RATE = [text.replace("]", ",feature=rate]") for text in STEP]
PATTERNS = ["nwot", "nwot-normalised", "sahd", "sahd-snasnet", "jaccard", "firing-rate"]
FUNCTIONS = {
    "hamming_s": STEP[:1],
    "four_metrics_s": STEP,
    "four_metrics_and_patterns_s": [*STEP, *PATTERNS],
    "everything_s": [*STEP, *EXPECTED, *RATE, "rdm-released"],
}


def evaluator(fitness: list[str]) -> Evaluator:
    """Make an evaluator for the functions, on noise of the size of CIFAR-10."""
    images = np.random.default_rng(0).random((64, 3, 32, 32), dtype=np.float32)
    data = array_dataset("noise", images, np.arange(64) % 10)
    layer = {
        "data": "noise",
        "fitness": fitness,
        "mse": {"channels": 16},
        "scoring": {"batch": 32},
    }
    return Evaluator(make_plan(Job(from_layers(layer), (data,))))


def measure(genomes: int, rounds: int) -> dict[str, float]:
    """Give the median seconds of an evaluation with each set of functions, taken in turns."""
    evaluators = {name: evaluator(fitness) for name, fitness in FUNCTIONS.items()}
    plan = make_plan(Job(from_layers({"mse": {"channels": 16}})))
    drawn = [random_genome(generator(0, "benchmark", n), plan.space.genes) for n in range(genomes)]
    seconds: dict[str, list[float]] = {name: [] for name in FUNCTIONS}
    for _ in range(rounds):
        for genome in drawn:
            for name, one in evaluators.items():
                start = time.perf_counter()
                evaluation = one.evaluate(Candidate(0, genome, ""))
                seconds[name].append(time.perf_counter() - start)
                assert evaluation.error is None, evaluation.error
    return {name: round(statistics.median(given), 4) for name, given in seconds.items()}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--genomes", type=int, default=4, help="random networks to score")
    parser.add_argument("--rounds", type=int, default=3, help="how often to score each")
    given = parser.parse_args()
    torch.set_num_threads(1)
    found = measure(given.genomes, given.rounds)
    found["four_metrics_over_hamming"] = round(found["four_metrics_s"] / found["hamming_s"], 3)
    shared = found["four_metrics_and_patterns_s"] / found["hamming_s"]
    found["four_metrics_and_patterns_over_hamming"] = round(shared, 3)
    found["everything_over_hamming"] = round(found["everything_s"] / found["hamming_s"], 3)
    if given.json:
        print(json.dumps(found))
    else:
        print("\n".join(f"{name:<40} {value}" for name, value in found.items()))


if __name__ == "__main__":
    main()
