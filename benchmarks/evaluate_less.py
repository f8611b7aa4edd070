"""How much of a search need not be evaluated? Measured on real searches of ``mse`` on digits.

- repeats: children whose network is a survivor's or a sibling's are drawn again, and a network that
  an earlier generation has seen takes over its scores.
- size first: in a second search under ``macs<=M``, M the median of the first generation, children
  that violate it are never evaluated.
- shared prefixes: weights are keyed by the path of a parameter, so networks with equal first cells
  compute equal activations there. How much less would be computed if each were computed once,
  within a generation or in the whole run? Whole cells could be shared by a walk over a tree of
  cells; single states are the upper bound. Seconds come from a linear model of the measured ones.

python benchmarks/evaluate_less.py --json
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import tempfile
import time
from collections import Counter, defaultdict
from contextlib import closing
from itertools import groupby
from pathlib import Path
from unittest import mock

import numpy as np
from scipy.optimize import nnls

from evo_core import evolution, strategies
from evo_core.api import job_of
from evo_core.architecture import INPUT
from evo_core.executors import make_evaluator
from evo_core.loop import Loop
from evo_core.parts import assemble
from evo_core.plan import make_plan
from evo_core.primitives import Conv
from evo_core.snn.devices import threads
from evo_core.store import Store


def search(settings, folder):
    """Run a search; give its plan, what became of its candidates, and counts of its children."""
    plan = make_plan(job_of(settings))
    children = Counter()
    with (
        assemble(plan) as parts,
        closing(Store.create(folder, "", {})) as store,
        mock.patch.object(strategies, "reproduce", watching(strategies.reproduce, children)),
    ):
        loop = Loop(plan, parts, store)
        loop.whole()
        return plan, list(loop.memory.done.values()), children


def watching(reproduce, children):
    """Wrap ``reproduce`` so that it counts the children made and what keeps them out."""
    vary = evolution.vary

    def watched(problem, *given):
        made = []
        with mock.patch.object(
            evolution, "vary", lambda *these: made.extend(vary(*these)) or made[-2:]
        ):
            kept = reproduce(problem, *given)
        waiting = [id(one) for one in kept]
        for one in made:
            if not waiting:
                break  # a second child that was not needed
            children["made"] += 1
            if id(one) == waiting[0]:
                waiting.pop(0)
            elif problem.feasible(one.genome):
                children["repeat"] += 1
            else:
                children["infeasible"] += 1
        return kept

    return watched


def states(architecture):
    """Give each state: its cell, a key of all that its value depends on, and what it costs.

    States that a next-step feedback ties together depend on all of their segment.
    """
    keys, calls = {INPUT: INPUT}, {}
    for segment in architecture.segments:
        names = [node.name for node in segment.nodes]
        calls |= dict.fromkeys(names, architecture.task.steps if segment.recurrent else 1)
        for group in [names] if segment.recurrent else [[name] for name in names]:
            entering = tuple(
                (path, edge.operations, keys.get(edge.source))
                for name in group
                for path, edge in architecture.incoming[name]
            )
            keys |= {name: hash((entering, name)) for name in group}
    return [
        (node.name.split("/")[0], keys[node.name], cost(architecture, node.name, calls[node.name]))
        for node in architecture.nodes
    ]


def cost(architecture, name, calls):
    """Give what makes the cost of a state: MACs of convolutions, elements, neurons, and calls.

    The first three are per sample and step. A call is one of an edge, which runs at each step anew
    where feedback arrives one step later.
    """
    entering = [edge for _, edge in architecture.incoming[name]]
    size = math.prod(architecture.shapes[name])
    macs = sum(
        operation.macs(shape)
        for edge in entering
        for operation, shape in edge.walk(architecture.shapes[edge.source])
        if isinstance(operation, Conv)
    )
    neurons = size * len(architecture.populations[name])
    return np.array([macs, size * len(entering), neurons, calls * len(entering)], dtype=float)


def by_cell(architecture):
    """Give each cell with a key of all cells up to it, and its cost."""
    found, before = [], ()
    for _, group in groupby(states(architecture), key=lambda state: state[0]):
        members = list(group)
        before += tuple(key for _, key, _ in members)
        found.append((hash(before), sum(cost for _, _, cost in members)))
    return found


def by_state(architecture):
    """Give each state with its key and its cost."""
    return [(key, cost) for _, key, cost in states(architecture)]


def gain(bundles, parts_of, per):
    """Give by how many times less is computed: MACs of convolutions, and modelled seconds."""
    total, new = np.zeros(len(per) - 1), np.zeros(len(per) - 1)
    for bundle in bundles:
        seen = set()
        for architecture in bundle:
            for key, cost in parts_of(architecture):
                total += cost
                new += cost * (key not in seen)
                seen.add(key)
    fixed = per[-1] * sum(map(len, bundles))  # a part of each network that can not be shared
    seconds = (total @ per[:-1] + fixed) / (new @ per[:-1] + fixed)
    return {"conv_macs": round(float(total[0] / new[0]), 3), "seconds": round(float(seconds), 3)}


def seconds_model(plan, networks):
    """Fit CPU seconds by costs and a constant, none below 0; give them, R^2 and the median."""
    evaluator = make_evaluator(plan.job)
    seconds = np.array([min(timed(evaluator, one) for _ in range(2)) for one in networks])
    rows = np.array([[*sum(cost for _, cost in by_state(one)), 1] for one in networks])
    scale = rows.max(0)
    per = nnls(rows / scale, seconds)[0] / scale
    left = ((rows @ per - seconds) ** 2).sum() / ((seconds - seconds.mean()) ** 2).sum()
    return per, float(1 - left), float(np.median(seconds))


def timed(evaluator, architecture):
    """Give the CPU seconds of an evaluation."""
    start = time.process_time()
    evaluator.score(0, architecture)
    return time.process_time() - start


def report(given, folder):
    """Run both searches and put together what each measure saves."""
    settings = {
        "population": given.population, "generations": given.generations, "seed": given.seed,
        "executor": "serial", "observers": [], "rescore": 0,
    }  # fmt: skip
    plan, done, children = search(settings, folder / "free")
    first = [plan.decode(one.genome).macs for one, _ in done if one.generation == 0]
    constraint = f"macs<={int(statistics.median(first))}"
    _, _, limited = search(settings | {"constraints": [constraint]}, folder / "limited")
    generations = defaultdict(list)
    for candidate, evaluation in done:
        if evaluation.stage == "evaluate":
            generations[candidate.generation].append(plan.decode(candidate.genome))
    networks = [one for each in generations.values() for one in each]
    per, fit, seconds = seconds_model(plan, networks)
    bundles = {"generation": list(generations.values()), "run": [networks]}
    unevaluated = children["repeat"] + len(done) - len(networks)
    return {
        "population": given.population,
        "generations": given.generations,
        "seed": given.seed,
        "evaluated": len(networks),
        "cpu_s_per_evaluation": round(seconds, 4),
        "repeats": {
            "children": children["made"],
            "drawn_again": children["repeat"],
            "scores_taken_over": len(done) - len(networks),
            "share_not_evaluated": round(unevaluated / children["made"], 3),
        },
        "size_first": {
            "constraint": constraint,
            "children": limited["made"],
            "share_refused": round(limited["infeasible"] / limited["made"], 3),
        },
        "sharing": {
            within: {
                "cells": gain(each, by_cell, per),
                "states": gain(each, by_state, per),
            }
            for within, each in bundles.items()
        },
        "seconds_model_r2": round(fit, 3),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--population", type=int, default=24)
    parser.add_argument("--generations", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true", help="print one JSON object in a line")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, threads(1):
        found = report(given, Path(folder))
    print(json.dumps(found, indent=None if given.json else 2))


if __name__ == "__main__":
    main()
