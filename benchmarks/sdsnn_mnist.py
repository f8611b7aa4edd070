"""SD-SNN on MNIST: what constraint, pruning and regeneration do, mode intended and improved.

    python benchmarks/sdsnn_mnist.py --data-root DATA --out FOLDER

Trains the reference networks 2fc (dense; then constraint only, pruning only, pruning and
regeneration, and all of it, as ``intended`` and as ``improved``; and with 95 % of the synapses to
prune) and 2conv2fc (dense, all as ``improved``) under three seeds. From the second half of the
epochs, when most of the structure is settled, the epoch with the best validation accuracy is
chosen, the first of equals; its test accuracy, pruning rates, SynOps and energy are reported, all
with the weights of that epoch.

Writes ``table.md`` and ``rows.json`` into the folder. It may be stopped and started again at any
time: what is finished is kept, and a training goes on after its last epoch.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import asdict
from pathlib import Path

import torch

from evo_core.components import Development
from evo_core.folder import write_whole
from evo_core.recipe import read_recipe
from evo_core.results import Spread
from evo_core.snn import checkpoint
from evo_core.snn.training import Trainer
from evo_core.targets import resolve

PARTS = {
    "constraint only": "prune=false,regenerate=false",
    "pruning only": "clamp=false,regenerate=false",
    "pruning and regeneration": "clamp=false",
    "all": "",
}
MEASURED = (
    "validation", "test", "pruned_weights", "pruned_neurons", "synops", "energy_pj",
)  # fmt: skip


def cases(given):
    """Give (network, name, development or None, epochs, samples) of each row."""
    small = ("2fc", given.epochs, given.samples)
    large = ("2conv2fc", given.conv_epochs, given.conv_samples)
    yield small, "dense", None
    for mode in ("intended", "improved"):
        for part, options in PARTS.items():
            yield small, f"{mode}, {part}", f"sdsnn[{','.join([f'mode={mode}', options])}]"
    yield small, "improved, all, sparser", "sdsnn[synapses=0.95]"
    yield large, "dense", None
    yield large, "improved, all", "sdsnn"


def train(given, network, way, seed, folder):
    """Train one network, or go on with it; give what was measured after each epoch."""
    name, epochs, samples = network
    settings = {"data": "mnist", "data_root": str(given.data_root), "seed": seed}
    target = resolve(f"reference:{name}[spiking_output=false]", [settings])
    plan, recipe = target.plan, read_recipe("quick", {"epochs": epochs, "samples": samples})
    record = plan.binder.bind(Development, way.replace(",]", "]")) if way else None
    trainer = Trainer(
        target.architecture, plan.splits, plan.neurons, recipe, seed, development=record
    )
    history, job = [], {"way": way, "network": name, "seed": seed, "recipe": recipe.to_json()}
    place = checkpoint.latest(folder) if folder.is_dir() else None
    rows = []
    if place is not None:
        found = checkpoint.read(place)
        if found.job != job:
            raise SystemExit(f"{folder} holds another training; take a new --out")
        checkpoint.restore(trainer, place, found)
        history = list(found.history)
        rows = json.loads((folder / "epochs.json").read_text(encoding="utf-8"))[: trainer.epoch]
    folder.mkdir(parents=True, exist_ok=True)
    while trainer.epoch < epochs:
        start = time.process_time()
        while trainer.step < trainer.steps:
            trainer.make_step()
        history.append(trainer.end_epoch())
        rows.append(measured(trainer, history[-1], epochs) | {"cpu": time.process_time() - start})
        write_whole(folder / "epochs.json", json.dumps(rows))
        checkpoint.save(folder, trainer, job, history, {})
        checkpoint.keep(folder, None)
    return rows


def measured(trainer, metrics, epochs):
    """Measure the network as it is, in the second half of the epochs."""
    row = {"epoch": metrics.epoch, "validation": metrics.validation.accuracy}
    if 2 * metrics.epoch <= epochs:
        return row
    return row | {
        "test": trainer.measure(trainer.splits.test).accuracy,
        **asdict(trainer.costs()),
    }


def chosen(rows):
    """Give the epoch with the best validation accuracy among those that were measured."""
    return max((row for row in rows if "test" in row), key=lambda row: row["validation"])


def table(results):
    """Write the means and spreads of all rows as Markdown."""
    lines = [
        "| network | development | seeds | validation % | test % | weights pruned % "
        "| neurons pruned % | SynOps | pJ |",
        "|" + " --- |" * 9,
    ]
    for (network, name), rows in results.items():
        spread = {key: Spread(tuple(row[key] for row in rows)) for key in MEASURED}
        percent = [Spread(tuple(100 * one for one in spread[key].values)) for key in MEASURED[:4]]
        cells = [network, name, len(rows), *(show(one, 2) for one in percent)]
        cells += [show(spread[key], 0) for key in MEASURED[4:]]
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    return "\n".join(lines) + "\n"


def show(spread, digits):
    tail = "" if spread.std is None else f" ± {spread.std:,.{digits}f}"
    return f"{spread.mean:,.{digits}f}{tail}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data-root", type=Path, required=True, help="the folder with MNIST")
    parser.add_argument("--out", type=Path, required=True, help="the folder to work in")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--samples", type=int, help="of the train split; by default all")
    parser.add_argument("--conv-epochs", type=int, default=15)
    parser.add_argument("--conv-samples", type=int, default=20000)
    parser.add_argument("--only", default="", help="cases that begin so, e.g. 2conv2fc")
    given = parser.parse_args()
    torch.set_num_threads(1)
    results = {}
    for seed in range(given.seeds):
        for network, name, way in cases(given):
            title = f"{network[0]} {name}"
            if not title.startswith(given.only):
                continue
            folder = given.out / f"{title.replace(', ', '-').replace(' ', '-')}-{seed}"
            row = chosen(train(given, network, way, seed, folder))
            results.setdefault((network[0], name), []).append(row)
            print(title, seed, json.dumps(row), flush=True)
            flat = [
                {"network": one, "name": two, "seeds": rows} for (one, two), rows in results.items()
            ]
            write_whole(given.out / "rows.json", json.dumps(flat, indent=2) + "\n")
            write_whole(given.out / "table.md", table(results))


if __name__ == "__main__":
    main()
