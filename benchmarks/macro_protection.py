"""Does protecting macro genes keep several k alive, and does it find better networks?

Runs the default search on digits with and without `nsga2.protect`, at equal evaluations, and prints
one JSON object: for each setting the share of runs whose final population holds a single k, and the
best score found with each k (median over runs, and how many runs found the overall best there).

python benchmarks/macro_protection.py --seeds 10
"""

import argparse
import json
import statistics
import tempfile
from collections import Counter
from pathlib import Path

import evo_core
from evo_core.store import Store


def one_run(seed, protect, folder, extra):
    """Run one search; give the k values of the final population and the best score for each k."""
    settings = {
        "seed": seed,
        "nsga2": {"protect": protect},
        "observers": [],
        "out": str(folder / f"{protect}-{seed}"),
    }
    result = evo_core.run({**settings, **extra})
    store = Store.open(result.run)
    inputs = (2, 3, 4)  # the default choices; the last gene is k
    rows = list(store.evaluated())
    k_of = {candidate.id: inputs[candidate.genome[-1]] for candidate, _ in rows}
    survivors = [k_of[number] for number in store.generations()[-1].report.survivors]
    best = {}
    for candidate, evaluation in rows:
        value = evaluation.scores["rdm"].value
        k = k_of[candidate.id]
        best[k] = max(value, best.get(k, value))
    store.close()
    return Counter(survivors), best, result


def summary(runs):
    """Put the runs of one setting together."""
    winners = Counter(max(best, key=best.get) for _, best, _ in runs)
    ks = sorted({k for _, best, _ in runs for k in best})
    return {
        "runs": len(runs),
        "single_k_share": sum(len(ks) == 1 for ks, _, _ in runs) / len(runs),
        "mean_number_of_k": statistics.mean(len(ks) for ks, _, _ in runs),
        "best_median": statistics.median(result.best.scores["rdm"].value for *_, result in runs),
        "best_per_run": [result.best.scores["rdm"].value for *_, result in runs],
        "best_by_k_median": {
            k: statistics.median(best[k] for _, best, _ in runs if k in best) for k in ks
        },
        "runs_won_by_k": dict(sorted(winners.items())),
        "evaluated": sorted({result.counts.evaluated for *_, result in runs}),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--population", type=int, default=24)
    parser.add_argument("--generations", type=int, default=12)
    parser.add_argument("--json", action="store_true", help="the default, and all there is")
    arguments = parser.parse_args()
    extra = {"population": arguments.population, "generations": arguments.generations}
    with tempfile.TemporaryDirectory() as folder:
        report = {
            f"protect={protect}": summary(
                [one_run(seed, protect, Path(folder), extra) for seed in range(arguments.seeds)]
            )
            for protect in (0.0, 0.5)
        }
    print(json.dumps({**extra, **report}, indent=2))


if __name__ == "__main__":
    main()
