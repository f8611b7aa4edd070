"""Is a network that was searched on digits good on MNIST? The paper's claim of transfer, tried.

For each seed: a search on digits (RDM, nothing trained), whose best network is trained on MNIST
beside a random network of the same space and the reference network 2conv2fc. All three make equal
MACs within 20 % on MNIST, see equal images, and are measured once on the whole test split. Then the
first winner is trained on the N-MNIST recordings that are there, to show that this works; nothing
is compared on them.

Everything is done by the commands of evo, which are printed as they run. Stop it at any time and
start it again: what is done is kept, what was cut off goes on. It prints one JSON object at the
end and draws transfer.png. An hour on one core.

python benchmarks/transfer.py --data-root DATA --nmnist-root DATA/NMNIST/subset --out FOLDER
"""

import argparse
import json
import shlex
import statistics
import subprocess
import sys
from pathlib import Path

from scipy import stats

EVO = Path(sys.executable).with_name("evo")
REFERENCE = "reference:2conv2fc[channels=48]"
MNIST = "mnist[validation=0.02]"
# MACs per time step on digits; on MNIST they are 12.8 to 13.8 times as many, and within 20 % of
# the 9.1 million of the reference network
LEAST, MOST = 605_000, 770_000
SEARCH = (
    *("--space", "mse", "--set", "mse.channels=4", "--data", "digits", "--fitness", "rdm"),
    *("--constraint", f"macs>={LEAST}", "--constraint", f"macs<={MOST}"),
    *("--executor", "serial", "--set", 'observers=["figures"]'),
)


def evo(*arguments):
    """Run a command of evo, and give what it printed."""
    words = [str(one) for one in arguments]
    print("evo", shlex.join(words), file=sys.stderr, flush=True)
    done = subprocess.run([EVO, *words], stdout=subprocess.PIPE, text=True, check=True)  # noqa: S603
    return done.stdout


def searched(folder, seed, *flags):
    """Search, or go on searching, and give the folder."""
    if not (folder / "result.json").is_file():
        if folder.is_dir():
            evo("resume", folder)
        else:
            evo("run", *SEARCH, *flags, "--seed", seed, "--out", folder)
    return folder


def trained(folder, target, seed, *flags):
    """Train, or go on training, and give the result and the size of the network."""
    if folder.is_dir():
        text = evo("train", "--resume", folder, "--quiet", "--json")
    else:
        text = evo("train", target, *flags, "--seed", seed, "--out", folder, "--quiet", "--json")
    result = json.loads(text)
    recipe = result["recipe"]
    per_epoch = (recipe["samples"] or 0) // recipe["batch"] * recipe["batch"]
    return {
        "test": result["test"]["accuracy"],
        "images_seen": result["epochs"] * per_epoch if per_epoch else None,
        "macs": result["macs"],
        "params": result["params"],
    }


def interval(values):
    """Give the mean, and half of its 95 % interval by Student's t over the seeds."""
    if len(values) < 2:
        return {"mean": values[0], "half_width": None}
    spread = stats.sem(values) * stats.t.ppf(0.975, len(values) - 1)
    return {"mean": statistics.mean(values), "half_width": float(spread)}


def compared(trainings):
    """Give accuracies of the three, and the differences within each seed."""
    tests = {name: [one["test"] for one in each] for name, each in trainings.items()}
    pairs = [("winner", "random"), ("winner", "2conv2fc")]
    differences = {
        f"{one} - {other}": interval([a - b for a, b in zip(tests[one], tests[other], strict=True)])
        for one, other in pairs
    }
    return {
        "trainings": trainings,
        "accuracy": {name: interval(values) for name, values in tests.items()},
        "difference": differences,
    }


def check_matched(trainings):
    """Refuse a comparison of networks that differ by more than 20 % in MACs, or in images seen."""
    everyone = [one for each in trainings.values() for one in each]
    least, most = (choose(one["macs"] for one in everyone) for choose in (min, max))
    reference = trainings["2conv2fc"][0]["macs"]
    assert least >= 0.8 * reference, (least, reference)
    assert most <= 1.2 * reference, (most, reference)
    assert len({one["images_seen"] for one in everyone}) == 1


def draw(trainings, path):
    """Draw the accuracy of every network, a point for each seed."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5, 2.2), layout="constrained")
    axes = figure.subplots()
    for place, (_, each) in enumerate(trainings.items()):
        values = [100 * one["test"] for one in each]
        axes.plot(values, [place] * len(values), "o", alpha=0.7)
        axes.plot(statistics.mean(values), place, "k|", markersize=18)
    axes.set_yticks(range(len(trainings)), list(trainings))
    axes.set_ylim(len(trainings) - 0.5, -0.5)
    axes.set_xlabel("test accuracy on MNIST, %; bar: mean")
    figure.savefig(path, dpi=150)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-root", type=Path, required=True)
    parser.add_argument("--nmnist-root", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--population", type=int, default=32)
    parser.add_argument("--generations", type=int, default=25)
    parser.add_argument("--samples", type=int, default=3000)
    parser.add_argument("--epochs", type=int, default=5)
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    sizes = ("--population", given.population, "--generations", given.generations)
    recipe = ("--samples", given.samples, "--epochs", given.epochs)
    mnist = ("--data", MNIST, "--data-root", given.data_root)
    trainings = {"winner": [], "random": [], "2conv2fc": []}
    for seed in range(given.seeds):
        place = given.out / f"seed-{seed}"
        place.mkdir(exist_ok=True)
        first = ("--strategy", "random", "--population", 2, "--generations", 1)
        targets = {
            "winner": searched(place / "search-winner", seed, *sizes),
            "random": f"{searched(place / 'search-random', seed, *first)}:0",
            "2conv2fc": REFERENCE,
        }
        for name, target in targets.items():
            done = trained(place / f"train-{name}", target, seed, *mnist, *recipe)
            trainings[name].append(done)
    check_matched(trainings)
    events = ("--data", "nmnist[frames=4]", "--data-root", given.nmnist_root, "--allow-partial")
    works = trained(given.out / "train-nmnist", given.out / "seed-0" / "search-winner", 0, *events)
    draw(trainings, given.out / "transfer.png")
    arguments = {name: str(value) for name, value in vars(given).items()}
    print(json.dumps({"arguments": arguments, **compared(trainings), "nmnist": works}, indent=2))


if __name__ == "__main__":
    main()
