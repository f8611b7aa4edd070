"""Do cheaper ways of scoring rank networks alike? Precision, batch size, statistics of BatchNorm.

Random networks of ``mse`` are scored by ``rdm`` under each setting. Each is compared with the
reference (fp32, statistics of each step, batches of 128, init 0) by Kendall's tau-b and by how many
of the ten best are the same, with 95 % intervals of a bootstrap over networks. How much agreement
could there be at all? That of two draws of the initial weights, init 0 and init 1, tells.

Statistics over the whole sequence do not go with next-step feedback, so these are compared on the
space with same-step feedback, with a reference of their own (batches of 32, as is init 1).

Stop it at any time and start it again: every score is kept in FOLDER/scores.jsonl.

python benchmarks/precision.py --data-root DATA --out FOLDER --json
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.stats import kendalltau

from evo_core.api import job_of
from evo_core.evolution import random_proposals
from evo_core.executors import make_evaluator
from evo_core.plan import make_plan
from evo_core.seeds import generator
from evo_core.snn.devices import prepare

BATCHES = (16, 32, 64, 128)
RESAMPLES = 1000


@dataclass(frozen=True)
class Setting:
    """How a network is scored."""

    precision: str = "fp32"
    batch: int = 128
    statistics: str = "step"
    init: int = 0
    feedback: str = "next-step"

    @property
    def name(self):
        return f"{self.precision} {self.statistics} {self.batch} init {self.init} {self.feedback}"


REFERENCE = Setting()
SAME_STEP = Setting(batch=32, feedback="same-step")
COMPARED = (
    *((REFERENCE, Setting(batch=batch)) for batch in BATCHES[:-1]),
    *((REFERENCE, Setting("bf16", batch)) for batch in BATCHES),
    *((Setting(batch=batch), Setting("bf16", batch)) for batch in BATCHES[:-1]),
    (Setting(batch=32), Setting(batch=32, init=1)),
    (SAME_STEP, Setting(batch=32, statistics="sequence", feedback="same-step")),
)


def job(given, data, setting):
    """Say how networks are scored."""
    files = {} if data == "digits" else {"data_root": str(given.data_root), "allow_partial": True}
    return job_of(
        {
            "data": data, "precision": setting.precision, "fitness": ["rdm"],
            "mse": {"channels": given.channels, "feedback": setting.feedback},
            "scoring": {"batch": setting.batch, "statistics": setting.statistics},
        } | files
    )  # fmt: skip


def score(given, data, path):
    """Score every network under every setting, as far as that has not been done; give all."""
    lines = path.read_text().splitlines() if path.exists() else []
    done = {tuple(row[:3]): row[3] for row in map(json.loads, lines)}
    plan = make_plan(job(given, data, REFERENCE))
    rng = generator(0, "benchmark")
    genomes = [one.genome for one in random_proposals(plan.problem(), given.networks, rng)]
    scores = {}
    for one in dict.fromkeys(one for pair in COMPARED for one in pair):
        keys = [(data, one.name, number) for number in range(given.networks)]
        missing = [key for key in keys if key not in done]
        with path.open("a", buffering=1) as file:
            for key, value in zip(missing, values(given, one, missing, genomes), strict=True):
                done[key] = value
                file.write(json.dumps([*key, value]) + "\n")
        scores[one] = np.array([done[key] for key in keys], dtype=float)  # None becomes NaN
    return scores


def values(given, setting, missing, genomes):
    """Give the score of each missing network under a setting; None where it has none."""
    if missing:
        given_job = job(given, missing[0][0], setting)
        prepare(given_job.config)
        plan, evaluator = make_plan(given_job), make_evaluator(given_job)
    for _, _, number in missing:
        evaluation = evaluator.score(0, plan.decode(genomes[number]), (setting.init,))
        yield evaluation.scores["rdm"].value if evaluation.status == "ok" else None


def agreement(one, other, rng):
    """Give the rank agreement of two sets of scores of the same networks, with 95 % intervals."""
    both = np.isfinite(one) & np.isfinite(other)
    one, other = one[both], other[both]
    rows = rng.integers(len(one), size=(RESAMPLES, len(one)))
    taus = [kendalltau(one[row], other[row]).statistic for row in rows]
    tops = [shared(one[row], other[row]) for row in rows]
    return {
        "networks": len(one),
        "tau": round(float(kendalltau(one, other).statistic), 3),
        "tau_95": np.quantile(taus, (0.025, 0.975)).round(3).tolist(),
        "top10": shared(one, other),
        "top10_95": np.quantile(tops, (0.025, 0.975)).tolist(),
    }


def shared(one, other, count=10):
    """Count the networks among the best of both."""
    best = [set(np.argsort(-values, kind="stable")[:count]) for values in (one, other)]
    return len(best[0] & best[1])


def compared(scores):
    """Compare all pairs of settings."""
    rng = generator(0, "bootstrap")
    return [
        {"setting": other.name, "reference": one.name} | agreement(scores[one], scores[other], rng)
        for one, other in COMPARED
    ]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data-root", type=Path, help="where cifar10 is")
    parser.add_argument("--out", type=Path, required=True, help="folder for the scores")
    parser.add_argument("--data", nargs="+", default=["digits", "cifar10"])
    parser.add_argument("--networks", type=int, default=200)
    parser.add_argument("--channels", type=int, default=8)
    parser.add_argument("--json", action="store_true", help="print one JSON object in a line")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    found = {data: compared(score(given, data, given.out / "scores.jsonl")) for data in given.data}
    print(json.dumps(found, indent=None if given.json else 2))


if __name__ == "__main__":
    main()
