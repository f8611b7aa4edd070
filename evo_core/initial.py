"""Genomes that the first generation starts from: ``init = FILE`` or ``init = RUN``."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from evo_core.errors import EvoError
from evo_core.evolution import Problem, Proposal
from evo_core.genome import Gene, Genome, check_genome, parse_genome
from evo_core.plan import Plan
from evo_core.spaces import space_of
from evo_core.store import Store
from evo_core.stored import config_of

Named = Iterator[tuple[str, Sequence[Any]]]  # where a genome stands, for messages, and the genome


def given_genomes(plan: Plan) -> tuple[Genome, ...]:
    """Read the genomes that the configuration names under ``init``.

    Raises:
        EvoError: If they can not be read, do not fit the space, or are more than the population.
    """
    if plan.config.init is None:
        return ()
    path = Path(plan.config.init)
    source = _of_run(path, plan) if path.is_dir() else _of_file(path)
    genomes = []
    for where, values in source:
        try:
            genomes.append(check_genome(values, plan.space.genes, plan.config.space))
        except EvoError as error:
            raise EvoError(f"{where}: {error}") from None
    if not genomes:
        raise EvoError(f"{path} holds no genomes")
    if len(genomes) > plan.config.population:
        raise EvoError(
            f"{path} holds {len(genomes)} genomes, but the population is "
            f"{plan.config.population}; take a larger --population or fewer genomes"
        )
    return tuple(genomes)


def start_from(
    given: Sequence[Genome], proposals: Sequence[Proposal], problem: Problem
) -> list[Proposal]:
    """Put given genomes first, and fill up with the proposals, repeats of the given ones last."""
    taken = {problem.identity(genome) for genome in given}
    rest = sorted(proposals, key=lambda proposal: problem.identity(proposal.genome) in taken)
    return [*(Proposal(genome) for genome in given), *rest][: len(proposals)]


def _of_file(path: Path) -> Named:
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise EvoError(
            f"init {path} can not be read: {error.strerror}; name a file of genomes or a run folder"
        ) from None
    except UnicodeDecodeError:
        raise EvoError(f"init {path} is no text; name a file of genomes or a run folder") from None
    return _of_json(path, text) if text.lstrip().startswith(("[", "{")) else _of_lines(path, text)


def _of_lines(path: Path, text: str) -> Named:
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip() and not line.lstrip().startswith("#"):
            try:
                yield f"{path} line {number}", parse_genome(line.strip())
            except EvoError as error:
                raise EvoError(f"{path} line {number}: {error}") from None


def _of_json(path: Path, text: str) -> Named:
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        raise EvoError(f"{path} line {error.lineno}: no valid JSON: {error.msg}") from None
    if not isinstance(data, list) or not all(isinstance(genome, list) for genome in data):
        raise EvoError(f"{path} line 1: expected a list of genomes such as [[0, 1], [1, 0]]")
    for number, genome in enumerate(data, 1):
        yield f"{path} genome {number}", genome


def _of_run(folder: Path, plan: Plan) -> Named:
    with closing(Store.open(folder)) as store:
        complete = store.generations()
        genomes = {candidate.id: candidate.genome for candidate, _ in store.evaluated()}
        _check_same_genes(store, plan)
    for number in complete[-1].report.survivors if complete else ():
        yield f"{folder}:{number}", genomes[number]


def _check_same_genes(store: Store, plan: Plan) -> None:
    there = space_of(plan.registry, config_of(store))
    difference = _difference(there.genes, plan.space.genes)
    if difference:
        raise EvoError(f"the genomes of {store.folder} mean something else here: {difference}")


def _difference(there: Sequence[Gene], here: Sequence[Gene]) -> str | None:
    if len(there) != len(here):
        return f"they have {len(there)} genes, here there are {len(here)}"
    for position, (one, two) in enumerate(zip(there, here, strict=True)):
        if one != two:
            return (
                f"gene {position} is {one.name} of {', '.join(one.choices)} there, "
                f"and {two.name} of {', '.join(two.choices)} here"
            )
    return None
