"""Is what structural development learnt worth passing on? none, baldwin, lamarck, equally trained.

    python benchmarks/inherit.py --out FOLDER

For each seed, three searches of `mse` with `--develop sdsnn` on digits that differ in `--inherit`
alone. The winner (best validation accuracy) of `lamarck` has been trained in all its ancestors too:
it is booked so many epochs. The winners of all three are then trained from initial weights for just
as many, with development; the one of `lamarck` also as it is, with the body that it inherited.
Prints one JSON object: test accuracy, SynOps and pruned weights of each, means over seeds and the
differences to `none`, seed by seed, with 95 % intervals (Student). Stopped and started again, it
goes on: searches and trainings that are done are kept in the folder.
"""

import argparse
import json
import math
import statistics
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

import torch
from scipy.stats import t

import evo_core
from evo_core.folder import write_whole
from evo_core.recipe import ShortTraining
from evo_core.snn.loaded import load_network
from evo_core.snn.training import Trainer
from evo_core.store import Store
from evo_core.sweeps import parse_seeds
from evo_core.targets import resolve

WAYS = ("none", "baldwin", "lamarck")
MEASURED = ("test", "synops", "pruned_weights", "pruned_neurons")


def search(given, way, seed):
    """Run a search, go on with it, or read it; give the target of its winner and its epochs."""
    out = given.out / f"{way}-{seed}"
    training = f"epochs={given.epochs},samples={given.samples},lr={given.lr}"
    settings = {
        "space": "mse",
        "mse": {"cells": given.cells, "channels": given.channels},
        "develop": given.develop,
        "inherit": way,
        "scoring": {"steps": given.steps},
        "fitness": [f"accuracy[{training}]", f"synops[at=trained,{training}]"],
        "population": given.population,
        "generations": given.generations,
        "seed": seed,
        "observers": [],
        "workers": given.workers,
        "out": str(out),
    }
    result = ended(out) or (evo_core.resume(out) if out.exists() else evo_core.run(settings))
    if result.status != "done":
        raise SystemExit(f"{out}: {result.reason}")
    number = result.best.candidate
    with closing(Store.open(out)) as store:
        ((_, evaluation),) = store.evaluated(number)
        generations = store.generations()
        booked = {candidate.id: one.details.get("training") for candidate, one in store.evaluated()}
    spent = [one for one in booked.values() if one]
    epochs = evaluation.details["training"]
    return {
        "target": f"{out}:{number}",
        "epochs": epochs["epochs"] + epochs["inherited"],
        "search_epochs": sum(one["epochs"] for one in spent),
        "validation": evaluation.scores[result.objectives[0].name].value,
        "generations": len(generations),
    }


def ended(out):
    """Give the result of a search that is done; None if it is to go on, or to begin."""
    if not (out / "result.json").exists():
        return None
    with closing(Store.open(out)) as store:
        result = store.result()
    return result if result.status == "done" else None


def afresh(given, target, epochs, seed):
    """Train a network from initial weights, with the development of its genes; measure it."""
    found = resolve(target)
    trainer = trainer_of(given, found.plan, found.architecture, found.genome, epochs, seed)
    while trainer.epoch < epochs:
        while trainer.step < trainer.steps:
            trainer.make_step()
        trainer.end_epoch()
    return measured(trainer)


def as_it_is(given, target, seed):
    """Measure the winner of lamarck with the body that it left."""
    loaded, found = load_network(target), resolve(target)
    trainer = trainer_of(given, found.plan, found.architecture, found.genome, given.epochs, seed)
    trainer.network.load_state_dict(loaded.network.state_dict())
    assert loaded.trained, f"{target} has no body"
    return measured(trainer)


def trainer_of(given, plan, architecture, genome, epochs, seed):
    """Make a trainer as the search has one, for so many epochs."""
    recipe = ShortTraining(epochs, given.samples, given.lr).recipe
    bound = plan.developing(genome)
    return Trainer(architecture, plan.splits, plan.neurons, recipe, seed, development=bound)


def measured(trainer):
    """Measure on the test split."""
    return {"test": trainer.measure(trainer.splits.test).accuracy, **asdict(trainer.costs())}


def one_seed(given, seed):
    """Search in all three ways, and train the winners equally long."""
    found = {way: search(given, way, seed) for way in WAYS}
    epochs = found["lamarck"]["epochs"]
    rows = {f"{way}, afresh": afresh(given, found[way]["target"], epochs, seed) for way in WAYS}
    rows["lamarck, inherited"] = as_it_is(given, found["lamarck"]["target"], seed)
    return {"seed": seed, "epochs": epochs, "searches": found, "rows": rows}


def interval(values):
    """Give the mean of some values and its 95 % interval."""
    mean, n = statistics.mean(values), len(values)
    if n < 2:
        return {"mean": mean}
    half = float(t.ppf(0.975, n - 1)) * statistics.stdev(values) / math.sqrt(n)
    return {"mean": mean, "low": mean - half, "high": mean + half}


def summary(seeds):
    """Put the seeds together."""
    rows = {
        name: {key: interval([one["rows"][name][key] for one in seeds]) for key in MEASURED}
        for name in seeds[0]["rows"]
    }
    control = "none, afresh"
    differences = {
        name: {
            key: interval([one["rows"][name][key] - one["rows"][control][key] for one in seeds])
            for key in MEASURED
        }
        for name in rows
        if name != control
    }
    validation = {
        way: interval([one["searches"][way]["validation"] for one in seeds]) for way in WAYS
    }
    return {
        "epochs": [one["epochs"] for one in seeds],
        "search_epochs": {
            way: [one["searches"][way]["search_epochs"] for one in seeds] for way in WAYS
        },
        "validation_in_the_search": validation,
        "rows": rows,
        "differences_to_none": differences,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="the folder to work in")
    parser.add_argument("--seeds", default="0-3", help="e.g. 0-3 or 0,2,3")
    parser.add_argument("--population", type=int, default=6)
    parser.add_argument("--generations", type=int, default=5)
    parser.add_argument("--cells", type=int, default=1)
    parser.add_argument("--channels", type=int, default=6)
    parser.add_argument("--epochs", type=int, default=5, help="of one evaluation")
    parser.add_argument("--samples", type=int, default=540, help="that candidates train on")
    parser.add_argument("--lr", type=float, default=0.02, help="largest learning rate")
    parser.add_argument("--steps", type=int, default=2, help="time steps")
    parser.add_argument("--develop", default="sdsnn")
    parser.add_argument("--workers", type=int, default=1)
    given = parser.parse_args()
    torch.set_num_threads(1)
    given.out.mkdir(parents=True, exist_ok=True)
    seeds = []
    for seed in parse_seeds(given.seeds):
        path = given.out / f"seed-{seed}.json"
        if not path.exists():
            write_whole(path, json.dumps(one_seed(given, seed), indent=2) + "\n")
        seeds.append(json.loads(path.read_text(encoding="utf-8")))
    print(json.dumps(summary(seeds), indent=2))


if __name__ == "__main__":
    main()
