"""What a search costs beside its evaluations: strategy, executor and store, per candidate.

    python benchmarks/bookkeeping.py --json

A fitness function that does nothing is given to a whole search of some generations; what is left is
the cost of asking and telling the strategy (genomes are decoded there, to know repeats), of sending
candidates to where they are evaluated and back, and of storing. Two executors are compared; what
``serial`` does is timed on the CPU, where other programs do not count, and ``loky`` on the wall.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections import Counter
from contextlib import closing, contextmanager
from pathlib import Path

from evo_core.api import job_of
from evo_core.components import FitnessFunction
from evo_core.evaluation import Candidate
from evo_core.evolution import random_proposals
from evo_core.generations import ask, tell
from evo_core.memory import Memory
from evo_core.parts import assemble
from evo_core.plan import make_plan
from evo_core.seeds import generator
from evo_core.store import Store

GENERATIONS = 3


def nothing(view, options):
    """Score without looking."""
    return float(view.architecture.parameters)


NOOP = FitnessFunction(name="noop", summary="", goal="max", needs=("graph",), score=nothing)


def measure(population, executor, workers, folder):
    """Time each part of a search; give milliseconds per candidate."""
    settings = {
        "population": population, "fitness": ["noop"], "executor": executor, "workers": workers,
        "observers": [], "mse": {"cells": 4},
    }  # fmt: skip
    plan = make_plan(job_of(settings, [NOOP]))
    seconds, candidates = Counter(), 0
    clock = time.process_time if executor == "serial" else time.perf_counter
    memory = Memory(plan.objectives)
    with assemble(plan) as parts, closing(Store.create(folder, "", {})) as store:
        _start(parts, plan)
        for _ in range(GENERATIONS):
            with _timed(clock, seconds, "ask"):
                asked = ask(plan, parts, memory)
            by_id = {one.id: one for one in asked.candidates}
            with _timed(clock, seconds, "executor"):
                evaluated = [
                    (by_id[one.candidate], one) for one in _evaluate(parts, asked.candidates)
                ]
            with _timed(clock, seconds, "store"):
                for pair in evaluated:
                    store.add(*pair)
            with _timed(clock, seconds, "tell"):
                for pair in evaluated:
                    memory.keep(*pair)
                report = tell(parts, memory, asked, evaluated, 0.0)
            with _timed(clock, seconds, "store"):
                store.add_generation(report, memory.state)
            candidates += len(evaluated)
    per_candidate = {part: 1000 * total / candidates for part, total in seconds.items()}
    return per_candidate | {"total": sum(per_candidate.values())}


def _start(parts, plan):
    """Start the workers and import what is imported late, with other genomes than the search."""
    strangers = random_proposals(parts.problem, 50, generator(1, "benchmark"))
    members = [{"id": 0, "genome": list(one.genome), "values": [0.0]} for one in strangers]
    parts.strategy.ask({"population": members}, 2, generator(1, "benchmark"))
    _evaluate(parts, [Candidate(n, one.genome, "") for n, one in enumerate(strangers)])


def _evaluate(parts, candidates):
    for candidate in candidates:
        parts.executor.submit((candidate,))
    return [one for bundle in parts.executor.as_completed() for one in bundle]


@contextmanager
def _timed(clock, seconds, part):
    start = clock()
    yield
    seconds[part] += clock() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--populations", type=int, nargs="+", default=[50, 1000, 10000])
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    given = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for population in given.populations:
            for executor in ("serial", "loky"):
                place = Path(folder) / f"{executor}{population}"
                costs = measure(population, executor, given.workers, place)
                rows.append({"population": population, "executor": executor, "ms": costs})
    if given.json:
        print(json.dumps({"generations": GENERATIONS, "workers": given.workers, "rows": rows}))
        return
    for row in rows:
        parts = "  ".join(f"{part} {value:.3f}" for part, value in row["ms"].items())
        print(f"population {row['population']:>6}  {row['executor']:<7} {parts}  (ms/candidate)")


if __name__ == "__main__":
    main()
