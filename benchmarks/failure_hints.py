"""How often does a run that stops for its failures name the gene choice that causes them?

Random genomes of a space, of which those with one choice of one gene fail with one probability and
the others with another. Prints one JSON object per number of candidates and pair of probabilities:
the share of runs in which the culprit was named, and in which some other choice was.

python benchmarks/failure_hints.py --runs 200 [--space mse]
"""

import argparse
import json

import numpy as np

from evo_core.config import from_layers
from evo_core.evaluation import Candidate, Evaluation, Objective, Score
from evo_core.failures import failure_table, worst
from evo_core.genome import random_genome
from evo_core.plan import Job, make_plan

OBJECTIVES = (Objective("f", "max"),)


def named(space, rng, count, culprit, guilty, others):
    """Tell whether the culprit (gene, choice) is named, and whether anything else is."""
    gene, choice = culprit
    place = [one.name for one in space.genes].index(gene)
    pairs = []
    for number in range(count):
        genome = random_genome(rng, space.genes)
        has = space.genes[place].choice(genome[place]) == choice
        fails = rng.random() < (guilty if has else others)
        evaluation = Evaluation(number, "silent" if fails else "ok", {"f": Score.of(1.0)})
        pairs.append((Candidate(number, genome, str(number)), evaluation))
    found = {(one.gene, one.choice) for one in worst(failure_table(pairs, space, OBJECTIVES))}
    return culprit in found, bool(found - {culprit})


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--space", default="mse")
    given = parser.parse_args()
    space = make_plan(Job(from_layers({"space": given.space}))).space
    gene = next(one for one in space.genes if one.scale == "motif")
    for count in (24, 48, 96):
        for guilty, others in ((0.5, 0.5), (0.9, 0.4), (1.0, 0.1)):
            rng = np.random.default_rng(count)
            culprit = (gene.name, gene.choices[-1])
            runs = [named(space, rng, count, culprit, guilty, others) for _ in range(given.runs)]
            hit, false = np.mean(runs, axis=0)
            settings = {"candidates": count, "guilty": guilty, "others": others}
            print(json.dumps(settings | {"culprit named": hit, "another named": false}))


if __name__ == "__main__":
    main()
