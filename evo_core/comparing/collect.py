"""Score networks under several seeds: each seed is a run of one generation in a folder of its own.

So a comparison has all that runs have: workers, limits, failures that cost one network, a database
that keeps what was scored, and going on after a kill.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from evo_core.comparing.networks import text_of
from evo_core.comparing.sample import Floats
from evo_core.config import RunConfig
from evo_core.errors import EvoError, RunFailedError
from evo_core.evaluation import Candidate, Evaluation
from evo_core.folder import check_closed, new_folder
from evo_core.genome import Genome
from evo_core.plan import Job, Plan
from evo_core.store import Store
from evo_core.sweeps import carry_out, what_to_do

NETWORKS = "networks.txt"
_REPEATED = "repeated.txt"


@dataclass(frozen=True, slots=True)
class Seeds:
    """Under which seeds networks are scored.

    Attributes:
        numbers: The seeds; under the first all networks are scored.
        repeated: How many of the networks are scored under the others, the first ones.
    """

    numbers: tuple[int, ...]
    repeated: int


@dataclass(frozen=True, slots=True)
class Found:
    """What scoring gave.

    Attributes:
        values: By name ``[N, S]``, NaN where undefined or not scored.
        seconds: By name ``[N, S]``, of the score and the pass that it shares with others.
        undefined: By name, how many scores that were asked for have no value.
        statuses: How many evaluations ended how.
        rows: Every evaluation: place of the network, seed, evaluation.
    """

    values: dict[str, Floats]
    seconds: dict[str, Floats]
    undefined: dict[str, int]
    statuses: dict[str, int]
    rows: tuple[tuple[int, int, Evaluation], ...]

    def of(self, name: str) -> tuple[Floats, Floats, int]:
        """Give values, seconds and how many are undefined of a score."""
        return self.values[name], self.seconds[name], self.undefined[name]


def search_free(config: RunConfig, fitness: tuple[str, ...], samples: int) -> RunConfig:
    """Turn a configuration into that of runs which score given networks and search nothing."""
    return replace(
        config,
        fitness=fitness,
        strategy="random",
        population=samples,
        generations=1,
        rescore=0,
        init=None,
        out=None,
        target=None,
        max_evaluations=None,
        max_seconds=None,
        max_failed=None,
    )


def keep_networks(folder: Path, genomes: Sequence[Genome], repeated: int) -> None:
    """Write down which networks are compared; a folder that has them already is left alone.

    Raises:
        EvoError: If the folder holds something else, or can not be made.
    """
    texts = {
        NETWORKS: "".join(f"{text_of(one)}\n" for one in genomes),
        _REPEATED: "".join(f"{text_of(one)}\n" for one in genomes[:repeated]),
    }
    if folder.is_dir() and any(folder.iterdir()):
        check_closed(folder)
        if any(_read(folder / name) != text for name, text in texts.items()):
            raise EvoError(
                f"{folder} holds no comparison of these networks; choose another --out, or ask "
                "for the same --space, --samples, --repeated and --seed as before"
            )
        return
    with new_folder(folder) as aside:
        for name, text in texts.items():
            (aside / name).write_text(text, encoding="utf-8")


def score_all(plan: Plan, folder: Path, seeds: Seeds) -> bool:
    """Score the networks of a folder, as far as that has not been done; False if interrupted.

    Raises:
        EvoError: If the folder was made with other settings.
        RunFailedError: If it could not go on.
    """
    return all(_score(_under(plan, folder, seeds, seed)) for seed in seeds.numbers)


def read(plan: Plan, folder: Path, seeds: Seeds, genomes: Sequence[Genome]) -> Found:
    """Read what was found of the networks.

    Raises:
        EvoError: If the run of a seed is that of other networks.
    """
    names = [bound.text for bound in plan.fitness]
    shape = (len(genomes), len(seeds.numbers))
    values = {name: np.full(shape, np.nan) for name in names}
    seconds = {name: np.full(shape, np.nan) for name in names}
    undefined, statuses = dict.fromkeys(names, 0), dict[str, int]()
    rows = []
    for column, seed in enumerate(seeds.numbers):
        for candidate, one in _evaluated(folder / f"seed-{seed}"):
            if [candidate.genome] != list(genomes[candidate.id : candidate.id + 1]):
                raise EvoError(f"{folder / f'seed-{seed}'} scored other networks; take it away")
            place = (candidate.id, column)
            rows.append((candidate.id, seed, one))
            statuses[one.status] = statuses.get(one.status, 0) + 1
            shared = one.seconds - sum(score.seconds for score in one.scores.values())
            for name in names:
                score = one.scores.get(name)
                if score is None or score.value is None or score.status != "ok":
                    undefined[name] += 1
                    continue
                values[name][place] = score.value
                looked = score.forwards > 0
                seconds[name][place] = score.seconds + (max(0.0, shared) if looked else 0.0)
    return Found(values, seconds, undefined, statuses, tuple(rows))


def _under(plan: Plan, folder: Path, seeds: Seeds, seed: int) -> Plan:
    """Give the plan of one seed."""
    first = seed == seeds.numbers[0]
    config = replace(
        plan.config,
        seed=seed,
        population=plan.config.population if first else seeds.repeated,
        init=str((folder / (NETWORKS if first else _REPEATED)).absolute()),
        out=str(folder / f"seed-{seed}"),
    )
    return replace(plan, job=Job(config, plan.job.components))


def _score(plan: Plan) -> bool:
    folder = Path(str(plan.config.out))
    todo = what_to_do(plan, "init")  # the networks have been compared; the folder may have moved
    if todo == "resume" and _is_complete(folder):
        return True  # nothing was fit to be selected, which ends a run as failed, but all is there
    try:
        return carry_out(plan, todo).status != "interrupted"
    except RunFailedError:
        if not _is_complete(folder):
            raise
        return True


def _is_complete(folder: Path) -> bool:
    with closing(Store.open(folder)) as store:
        return bool(store.generations())


def _evaluated(folder: Path) -> list[tuple[Candidate, Evaluation]]:
    with closing(Store.open(folder)) as store:
        return store.evaluated()


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None
