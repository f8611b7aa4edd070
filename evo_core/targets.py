"""Targets: how every command is told which network is meant.

``RUN`` (its best), ``RUN:ID``, ``SPACE:1,0,2,...`` (a genome), ``reference:6conv2fc`` (a choice,
where a space has but one gene), ``FILE.json`` (an architecture). Options of a space may stand
behind the genome, as in ``reference:2fc[hidden=400]``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from evo_core import architecture_json
from evo_core.architecture import Architecture
from evo_core.binding import validate
from evo_core.components import Component, NeuronModel, SearchSpace
from evo_core.config import Layer, from_layers
from evo_core.errors import EvoError, did_you_mean
from evo_core.evaluation import Candidate, Evaluation, Objective
from evo_core.folder import is_folder
from evo_core.genome import Gene, Genome, check_genome, parse_genome
from evo_core.memory import recall
from evo_core.plan import Job, Plan, make_plan
from evo_core.primitives import Neuron
from evo_core.registry import installed
from evo_core.store import Store
from evo_core.stored import config_of, plan_of


@dataclass(frozen=True, slots=True)
class Target:
    """A network that was asked for.

    Attributes:
        text: What the user wrote.
        plan: The plan it is to be seen under: that of its run, or one of the flags given.
        architecture: The network.
        genome: Its genome, if it has one.
        candidate: Its id, if it comes from a run.
        evaluated: The candidate and its evaluation, if it was asked for by its run.
    """

    text: str
    plan: Plan
    architecture: Architecture
    genome: Genome | None = None
    candidate: int | None = None
    evaluated: tuple[Candidate, Evaluation] | None = None


def resolve(
    text: str,
    layers: Sequence[Layer] = (),
    *,
    components: Iterable[Component] = (),
    allow_plugins: bool = False,
    trainings: bool = False,
) -> Target:
    """Find the network that a text names.

    Args:
        text: The target.
        layers: Settings that win over those of the run, or over the defaults.
        components: Records given in Python.
        allow_plugins: Load plugin files that only a run folder names.
        trainings: Whether whoever asks knows trainings too, so that the error names them.

    Raises:
        EvoError: If there is no such network.
    """
    loose = tuple(components)
    if text.endswith(".json"):
        architecture = architecture_json.read(Path(text))
        plan = make_plan(Job(from_layers(*layers), loose))
        try:
            check_neurons(architecture, plan)
        except EvoError as error:
            raise EvoError(f"{text} is not an architecture: {error}") from None
        return Target(text, plan, architecture)
    if is_folder(text):
        return _from_run(text, Path(text), None, layers, loose, allow_plugins=allow_plugins)
    head, colon, rest = text.rpartition(":")
    if colon and is_folder(head):
        return _from_run(text, Path(head), rest, layers, loose, allow_plugins=allow_plugins)
    head, colon, rest = text.partition(":")
    if not colon:
        kinds = "training or run" if trainings else "run"
        more = "TRAINING, TRAINING/epoch-7, " if trainings else ""
        raise EvoError(
            f"no target {text!r}: there is no such {kinds} folder; "
            f"write {more}RUN, RUN:ID, mse:1,0,2,..., reference:2fc or FILE.json"
        )
    return _from_genome(text, head, rest, layers, loose)


def check_task(found: Target) -> None:
    """Refuse a network that is for another task than the data of its plan.

    Raises:
        EvoError: If its input, its classes, or its time steps on events differ.
    """
    wanted = found.architecture.task
    given = found.plan.splits.task(wanted.steps)
    if wanted != given:
        raise EvoError(
            f"{found.text} is for input {wanted.shape} and {wanted.classes} classes, but the data "
            f"has {given.shape} and {given.classes}; name its data with --data"
        )


def check_neurons(architecture: Architecture, plan: Plan) -> None:
    """Refuse neuron models and settings that do not exist here.

    Raises:
        EvoError: If there are any.
    """
    operations = {operation for edge in architecture.edges for operation in edge.operations}
    for neuron in sorted((one for one in operations if isinstance(one, Neuron)), key=repr):
        record = plan.registry.get(NeuronModel, neuron.model)
        validate(record.options, dict(neuron.settings), neuron.model)


def front_of(
    folder: Path, count: int, layers: Sequence[Layer] = (), *, allow_plugins: bool = False
) -> list[Target]:
    """Find the best networks of a run: those of its front first, each by the first objective.

    Args:
        folder: The run folder.
        count: How many; there may be fewer.
        layers: Settings that win over those of the run.
        allow_plugins: Load plugin files that only the run folder names.

    Raises:
        EvoError: If the run has no result yet.
    """
    with closing(Store.open(folder)) as store:
        result = store.result()
        if result is None or not result.front:
            raise EvoError(f"run {folder} has no front yet; go on with it: evo resume {folder}")
        plan = _plan_of(store, layers, allow_plugins=allow_plugins)
        pairs = store.evaluated()
    goal, front = result.objectives[0], {one.candidate for one in result.front}
    ranked = sorted(
        (candidate.id not in front, -goal.sign * values[0], candidate.id, candidate.genome)
        for candidate, one in pairs
        if (values := one.values(result.objectives)) is not None and one.copied_from is None
    )
    return [
        Target(f"{folder}:{number}", plan, plan.decode(genome), genome, number)
        for _, _, number, genome in ranked[:count]
    ]


def _from_genome(
    text: str,
    space: str,
    genome_text: str,
    layers: Sequence[Layer],
    components: tuple[Component, ...],
) -> Target:
    config = from_layers(*layers)
    spaces = installed(config.plugins).all(SearchSpace)
    if space not in spaces:
        hint = did_you_mean(space, spaces)
        raise EvoError(f"no target {text!r}: {space!r} is neither a run folder nor a space; {hint}")
    genome_text, bracket, options = genome_text.partition("[")
    layer = {"space": space + bracket + options}
    plan = make_plan(Job(from_layers(*layers, layer), components))
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
    text: str,
    folder: Path,
    number: str | None,
    layers: Sequence[Layer],
    components: tuple[Component, ...],
    *,
    allow_plugins: bool,
) -> Target:
    with closing(Store.open(folder)) as store:
        candidate = _candidate_id(store, folder, number)
        pair = next(iter(store.evaluated(candidate)), None)
        if pair is None:
            raise EvoError(f"run {folder} has no candidate {number or candidate}")
        plan = _plan_of(store, layers, components, allow_plugins=allow_plugins)
    genome = check_genome(pair[0].genome, plan.space.genes, plan.config.space)
    return Target(text, plan, plan.decode(genome), genome, candidate, pair)


def _plan_of(
    store: Store,
    layers: Sequence[Layer],
    components: tuple[Component, ...] = (),
    *,
    allow_plugins: bool,
) -> Plan:
    """Make the plan of a run; where other data are asked for, its own data root is no help."""
    data = [layer["data"] for layer in layers if "data" in layer]
    moved = bool(data) and data[-1] != config_of(store).data
    stack = [{"data_root": None}, *layers] if moved else layers
    return plan_of(store, stack, components, allow_plugins=allow_plugins)


def _candidate_id(store: Store, folder: Path, number: str | None) -> int:
    if number is not None:
        if not re.fullmatch(r"[0-9]+", number):
            raise EvoError(f"{number!r} is no candidate of {folder}; ids are whole numbers")
        return min(int(number), 2**63 - 1)  # the largest id the database can be asked for
    best = _best_id(store)
    if best is None:
        raise EvoError(f"run {folder} has no best candidate yet; name one as {folder}:ID")
    return best


def _best_id(store: Store) -> int | None:
    """Give the best of a run; while it has not ended, that of its complete generations."""
    result = store.result()
    if result is not None:
        return result.best.candidate if result.best is not None else None
    best = recall(store, tuple(Objective(**one) for one in store.fact("objectives"))).best()
    return best["id"] if best is not None else None
