"""Networks with weights: from a training, one of its checkpoints, the body of a run, or drawn.

``TRAINING`` (its last epoch), ``TRAINING/epoch-7``, or any target of :mod:`evo_core.targets`; those
have the body that a run passed on for them, or else the initial weights of their seed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from torch import Tensor

from evo_core.architecture import Architecture
from evo_core.bodies import Bodies
from evo_core.components import Component
from evo_core.config import Layer, RunConfig, from_layers
from evo_core.errors import EvoError
from evo_core.folder import is_folder
from evo_core.plan import Job, Plan, make_plan
from evo_core.snn import checkpoint
from evo_core.snn.heritage import NETWORK
from evo_core.snn.network import SpikingNetwork
from evo_core.snn.tensors import parse_tensors, read_tensors
from evo_core.snn.weights import Weights
from evo_core.stored import check_plugins
from evo_core.targets import Target, check_neurons, resolve
from evo_core.train_results import TrainJob
from evo_core.train_session import is_group


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedNetwork:
    """A network with its weights, on the CPU and in evaluation mode.

    Attributes:
        text: What the user wrote.
        architecture: The network as data.
        network: The network itself; takes ``[T, B, C, H, W]``, gives logits ``[T, B, classes]``.
        plan: The plan of its data, its neurons and its seed.
        origin: Where the weights come from, for people: ``"epoch 7 of runs/trained"``.
        trained: Whether they were ever trained.
    """

    text: str
    architecture: Architecture
    network: SpikingNetwork
    plan: Plan
    origin: str
    trained: bool


@dataclass(frozen=True, slots=True)
class _Kept:
    """A checkpoint, with its weights by name."""

    place: Path
    found: checkpoint.Checkpoint
    weights: Mapping[str, Tensor]


def load_network(
    text: str,
    layers: Sequence[Layer] = (),
    *,
    components: Iterable[Component] = (),
    allow_plugins: bool = False,
    known: Plan | None = None,
) -> LoadedNetwork:
    """Find the network that a text names, with its weights.

    Args:
        text: A training folder, one of its checkpoints, or a target.
        layers: Settings that win over those it was trained or found with.
        components: Records given in Python.
        allow_plugins: Load plugin files that only a folder names.
        known: The plan of another training with the same components; if it is on the same data,
            these are not loaded again.

    Raises:
        EvoError: If there is no such network, its weights are missing, damaged, of another version
            or of another network, its neurons or data do not exist here, or it is for other data.
    """
    folder, loose = Path(text), tuple(components)
    if not is_folder(text):
        _check_epoch(folder)
        return _found(text, layers, loose, allow_plugins=allow_plugins)
    if is_group(folder):
        names = sorted(path.name for path in folder.iterdir() if checkpoint.latest(path))
        raise EvoError(f"{text} holds several trainings; name one of them: {', '.join(names)}")
    is_one = (folder / "checkpoint.json").exists()
    kept = _kept(folder) if is_one else _newest(folder)
    if kept is not None:
        return _of_checkpoint(text, kept, layers, loose, allow_plugins=allow_plugins, known=known)
    return _found(text, layers, loose, allow_plugins=allow_plugins)


def _newest(folder: Path) -> _Kept | None:
    """Read the newest checkpoint; a training that goes on may put a newer one in its place."""
    while (place := checkpoint.latest(folder)) is not None:
        try:
            return _kept(place)
        except EvoError:
            if checkpoint.latest(folder) == place:
                raise
    return None


def _kept(place: Path) -> _Kept:
    """Read all of a checkpoint at once."""
    found = checkpoint.read(place)
    if checkpoint.WEIGHTS not in found.files:
        raise EvoError(f"{place} holds no weights: its training has not begun")
    return _Kept(place, found, read_tensors(place / checkpoint.WEIGHTS)[0])


def _check_epoch(path: Path) -> None:
    """Say which checkpoints a training has, where one is asked for that is not there."""
    kept = sorted(one.name for one in path.parent.glob("epoch-*")) if path.parent.name else []
    if path.name.startswith("epoch-") and kept:
        raise EvoError(f"no checkpoint {path}; {path.parent} has {', '.join(kept)}")


def _found(
    text: str,
    layers: Sequence[Layer],
    components: tuple[Component, ...],
    *,
    allow_plugins: bool,
) -> LoadedNetwork:
    target = resolve(
        text, layers, components=components, allow_plugins=allow_plugins, trainings=True
    )
    loaded = _of_target(text, target)
    if any("data" in layer for layer in layers):  # a FILE.json does not name its own
        check_data(loaded)
    return loaded


def check_data(loaded: LoadedNetwork) -> None:
    """Refuse a network that is for other data than those of its plan; more frames are no harm.

    Raises:
        EvoError: If its input or classes differ, or it has more time steps than events have frames.
    """
    task, splits = loaded.architecture.task, loaded.plan.splits
    given, name = splits.train.inputs.shape[-3:], loaded.plan.config.data
    if (task.shape, task.classes) != (given, splits.classes):
        raise EvoError(
            f"{loaded.text} is for input {task.shape} and {task.classes} classes, but {name} has "
            f"{given} and {splits.classes}; name its data with --data"
        )
    frames = splits.train.inputs.shape[1] if splits.train.inputs.ndim == 5 else task.steps
    if frames < task.steps:
        raise EvoError(
            f"{loaded.text} is for {task.steps} time steps, but {name} has {frames} frames"
        )


def _of_checkpoint(
    text: str,
    kept: _Kept,
    layers: Sequence[Layer],
    components: tuple[Component, ...],
    *,
    allow_plugins: bool,
    known: Plan | None,
) -> LoadedNetwork:
    place, found = kept.place, kept.found
    try:
        job = TrainJob.from_json(found.job)
    except EvoError as error:
        raise EvoError(f"{place / 'checkpoint.json'} is damaged: {error}") from None
    config = _config(job, layers)
    check_plugins(place.parent, config, layers, allow_plugins=allow_plugins)
    try:
        plan = _plan(config, components, known)
        check_neurons(job.architecture, plan)
    except EvoError as error:
        raise EvoError(f"{place} can not be loaded here: {error}") from None
    network = _with(_drawn(job.architecture, plan), kept.weights)
    if network is None:
        raise EvoError(f"{place} does not fit the network of its job")
    step = f", step {found.step}" if found.step else ""
    loaded = LoadedNetwork(
        text=text,
        architecture=job.architecture,
        network=network,
        plan=plan,
        origin=f"epoch {found.epoch}{step} of {place.parent}",
        trained=True,
    )
    check_data(loaded)
    return loaded


def _config(job: TrainJob, layers: Sequence[Layer]) -> RunConfig:
    """Give the settings of a training; where other data are asked for, its root is no help."""
    own = dict(job.settings)
    if any(layer.get("data", own.get("data")) != own.get("data") for layer in layers):
        own.pop("data_root", None)
    return from_layers(own, {"seed": job.seed}, *layers)


def _plan(config: RunConfig, components: tuple[Component, ...], known: Plan | None) -> Plan:
    """Make a plan, or take one that differs in no more than the seed and how data are shown."""
    job = Job(config, components)
    if known is None or config != replace(known.config, seed=config.seed, scoring=config.scoring):
        return make_plan(job)
    return replace(known, job=job, task=known.splits.task(config.scoring.steps))


def _of_target(text: str, target: Target) -> LoadedNetwork:
    network = _drawn(target.architecture, target.plan)
    body = _body(text, target)
    inherited = _with(network, body) if body is not None else None
    seed = target.plan.config.seed
    return LoadedNetwork(
        text=text,
        architecture=target.architecture,
        network=inherited or network,
        plan=target.plan,
        origin=f"body of {text}" if inherited else f"initial weights, seed {seed}",
        trained=inherited is not None,
    )


def _body(text: str, target: Target) -> dict[str, Tensor] | None:
    """Give what the candidate of a run left, if the run still has it."""
    digest = target.evaluated[1].body if target.evaluated is not None else None
    if digest is None:
        return None
    folder = Path(text) if is_folder(text) else Path(text.rpartition(":")[0])
    bodies = Bodies(folder / "weights")
    if not bodies.has([digest]):
        return None
    named = parse_tensors(bodies.read(digest), f"the body {digest}")
    return {
        name.removeprefix(NETWORK): one for name, one in named.items() if name.startswith(NETWORK)
    }


def _drawn(architecture: Architecture, plan: Plan) -> SpikingNetwork:
    network = SpikingNetwork(architecture, plan.neurons, Weights(plan.config.seed))
    network.eval()
    return network


def _with(network: SpikingNetwork, tensors: Mapping[str, Tensor]) -> SpikingNetwork | None:
    """Put weights into a network; None if they are those of another one."""
    try:
        network.load_state_dict(dict(tensors))
    except RuntimeError:
        return None
    return network
