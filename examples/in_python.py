"""A search from Python on arrays in memory, as in a notebook.

python in_python.py
"""

import numpy as np

import evo_core


def main():
    rng = np.random.default_rng(0)
    labels = np.arange(400) % 4
    bars = np.zeros((400, 12, 12), dtype=np.float32)  # four classes: where a bright bar stands
    for image, label in zip(bars, labels, strict=True):
        image[:, 3 * label : 3 * label + 3] = 1
    images = np.clip(bars + rng.normal(0, 0.3, bars.shape), 0, 1).astype(np.float32)

    result = evo_core.run(
        {
            "data": "bars",
            "fitness": ["rdm", "macs"],
            "population": 8,
            "generations": 3,
            "mse": {"cells": 3},
            "executor": "serial",
        },
        components=[evo_core.array_dataset("bars", images, labels)],
    )
    print(result.status, result.best.genome, result.best.scores["rdm"].value)
    for solution in result.front:
        print(solution.candidate, {name: one.value for name, one in solution.scores.items()})
    return result


if __name__ == "__main__":
    main()
