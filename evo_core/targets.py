"""Targets: how every command is told which network is meant.

``RUN`` (its best), ``RUN:ID``, ``SPACE:1,0,2,...`` (a genome), ``reference:6conv2fc`` (a choice,
where a space has but one gene), ``FILE.json`` (an architecture). Options of a space may stand
behind the genome, as in ``reference:2fc[hidden=400]``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from evo_core import architecture_json
from evo_core.architecture import Architecture
from evo_core.binding import validate
from evo_core.components import NeuronModel, SearchSpace
from evo_core.config import Layer, from_layers
from evo_core.errors import EvoError, did_you_mean
from evo_core.genome import Gene, Genome, check_genome, parse_genome
from evo_core.plan import Job, Plan, make_plan
from evo_core.primitives import Neuron
from evo_core.registry import installed
from evo_core.store import Store
from evo_core.stored import plan_of


@dataclass(frozen=True, slots=True)
class Target:
    """A network that was asked for.

    Attributes:
        text: What the user wrote.
        plan: The plan it is to be seen under: that of its run, or one of the flags given.
        architecture: The network.
        genome: Its genome, if it has one.
        candidate: Its id, if it comes from a run.
    """

    text: str
    plan: Plan
    architecture: Architecture
    genome: Genome | None = None
    candidate: int | None = None


def resolve(text: str, layers: Sequence[Layer] = (), *, allow_plugins: bool = False) -> Target:
    """Find the network that a text names.

    Args:
        text: The target.
        layers: Settings that win over those of the run, or over the defaults.
        allow_plugins: Load plugin files that only a run folder names.

    Raises:
        EvoError: If there is no such network.
    """
    if text.endswith(".json"):
        architecture = architecture_json.read(Path(text))
        plan = make_plan(Job(from_layers(*layers)))
        _check_neurons(text, architecture, plan)
        return Target(text, plan, architecture)
    if Path(text).is_dir():
        return _from_run(text, Path(text), None, layers, allow_plugins=allow_plugins)
    head, colon, rest = text.rpartition(":")
    if colon and Path(head).is_dir():
        return _from_run(text, Path(head), rest, layers, allow_plugins=allow_plugins)
    head, colon, rest = text.partition(":")
    if not colon:
        raise EvoError(
            f"no target {text!r}: there is no such run folder; "
            "write RUN, RUN:ID, mse:1,0,2,..., reference:2fc or FILE.json"
        )
    return _from_genome(text, head, rest, layers)


def _from_genome(text: str, space: str, genome_text: str, layers: Sequence[Layer]) -> Target:
    config = from_layers(*layers)
    spaces = installed(config.plugins).all(SearchSpace)
    if space not in spaces:
        hint = did_you_mean(space, spaces)
        raise EvoError(f"no target {text!r}: {space!r} is neither a run folder nor a space; {hint}")
    genome_text, bracket, options = genome_text.partition("[")
    plan = make_plan(Job(from_layers(*layers, {"space": space + bracket + options})))
    genes = getattr(plan.space, "readable_genes", plan.space.genes)
    genome = _named(genome_text, genes) or check_genome(parse_genome(genome_text), genes, space)
    return Target(text, plan, plan.decode(genome), genome)


def _named(name: str, genes: Sequence[Gene]) -> Genome | None:
    """Give the genome that the name of a choice stands for, where there is but one gene.

    Raises:
        EvoError: If the gene has no such choice.
    """
    if len(genes) != 1 or re.fullmatch(r"[+-]?[0-9]+", name):
        return None
    (gene,) = genes
    if name not in gene.choices:
        raise EvoError(f"no {gene.name} {name!r}; {did_you_mean(name, gene.choices)}")
    return (gene.values[gene.choices.index(name)],)


def _from_run(
    text: str, folder: Path, number: str | None, layers: Sequence[Layer], *, allow_plugins: bool
) -> Target:
    with closing(Store.open(folder)) as store:
        candidate = _candidate_id(store, folder, number)
        pair = next(iter(store.evaluated(candidate)), None)
        if pair is None:
            raise EvoError(f"run {folder} has no candidate {number or candidate}")
        plan = plan_of(store, layers, allow_plugins=allow_plugins)
    genome = check_genome(pair[0].genome, plan.space.genes, plan.config.space)
    return Target(text, plan, plan.decode(genome), genome, candidate)


def _check_neurons(text: str, architecture: Architecture, plan: Plan) -> None:
    """Refuse neuron models and settings that do not exist here."""
    operations = {operation for edge in architecture.edges for operation in edge.operations}
    for neuron in sorted((one for one in operations if isinstance(one, Neuron)), key=repr):
        try:
            record = plan.registry.get(NeuronModel, neuron.model)
            validate(record.options, dict(neuron.settings), neuron.model)
        except EvoError as error:
            raise EvoError(f"{text} is not an architecture: {error}") from None


def _candidate_id(store: Store, folder: Path, number: str | None) -> int:
    if number is not None:
        if not re.fullmatch(r"[0-9]+", number):
            raise EvoError(f"{number!r} is no candidate of {folder}; ids are whole numbers")
        return min(int(number), 2**63 - 1)  # the largest id the database can be asked for
    best = (store.fact("result") or {}).get("best")
    if best is None:
        raise EvoError(f"run {folder} has no best candidate yet; name one as {folder}:ID")
    return int(best["candidate"])
