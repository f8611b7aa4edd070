"""Checkpoints: a folder for each, whole or not there at all, from which a training goes on.

``epoch-3/`` holds ``checkpoint.json`` with the job and what was measured so far, the weights, the
moments of the optimiser, and what a Development keeps. After Ctrl-C it may be ``epoch-3-step-7/``.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from evo_core.binding import validate
from evo_core.errors import EvoError
from evo_core.snn.optimising import moments, restore_moments
from evo_core.snn.tensors import read_tensors, write_tensors
from evo_core.snn.training import Trainer
from evo_core.train_results import EpochMetrics, Sums

FORMAT = 1
_NAME = re.compile(r"epoch-(\d+)(?:-step-(\d+))?")
_ASIDE = ".checkpoint"


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """What ``checkpoint.json`` holds.

    Attributes:
        format: The version of this layout.
        code: The versions and sources of what wrote it.
        job: What is trained, as JSON types.
        epoch: How many epochs are done.
        step: How many steps of the next epoch are done.
        sums: What these add up to.
        history: The epochs so far.
        files: The SHA-256 of each file beside it.
    """

    format: int
    code: dict[str, dict[str, str]]
    job: dict[str, Any]
    epoch: int
    step: int
    sums: Sums
    history: tuple[EpochMetrics, ...]
    files: dict[str, str]


def save(
    folder: Path,
    trainer: Trainer | None,
    job: Mapping[str, Any],
    history: Sequence[EpochMetrics],
    code: Mapping[str, Mapping[str, str]],
) -> None:
    """Write a checkpoint; without a trainer, one of the very start, which needs no weights.

    Raises:
        EvoError: If it can not be written.
    """
    aside = folder / _ASIDE
    tensors = {} if trainer is None else _tensors(trainer)
    try:
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir()
        for name, named in tensors.items():
            write_tensors(aside / name, named, {})
        found = Checkpoint(
            format=FORMAT,
            code={name: dict(one) for name, one in code.items()},
            job=dict(job),
            epoch=trainer.epoch if trainer else 0,
            step=trainer.step if trainer else 0,
            sums=trainer.sums if trainer else Sums(),
            history=tuple(history),
            files={name: _digest(aside / name) for name in tensors},
        )
        text = json.dumps(asdict(found), indent=2, allow_nan=False)
        (aside / "checkpoint.json").write_text(text + "\n", encoding="utf-8")
        final = folder / _name(found.epoch, found.step)
        if not final.exists():  # after Ctrl-C at once it may be there already
            aside.rename(final)
    except OSError as error:
        raise EvoError(f"the checkpoint in {folder} can not be written: {error.strerror}") from None


def latest(folder: Path) -> Path | None:
    """Find the newest checkpoint of a training, or None."""
    places = _places(folder)
    return max(places, key=places.__getitem__) if places else None


def keep(folder: Path, best: int | None) -> None:
    """Delete all checkpoints but the newest and that of the best epoch."""
    newest = latest(folder)
    shutil.rmtree(folder / _ASIDE, ignore_errors=True)
    for path, (epoch, step) in _places(folder).items():
        if path != newest and (step or epoch != best):
            shutil.rmtree(path)


def read(path: Path) -> Checkpoint:
    """Read ``checkpoint.json`` and check that all files are as they were written.

    Raises:
        EvoError: If something is missing or damaged, or it was written in another layout.
    """
    try:
        data = json.loads((path / "checkpoint.json").read_text(encoding="utf-8"))
    except OSError as error:
        raise EvoError(f"{path} is no checkpoint: checkpoint.json: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise EvoError(
            f"{path / 'checkpoint.json'} is damaged: {error}; {_way_out(path)}"
        ) from None
    given = data.get("format") if isinstance(data, dict) else None
    if given != FORMAT:
        raise EvoError(
            f"{path} has the checkpoint format {given!r}, but this evo reads {FORMAT}; "
            "use the evo that wrote it"
        )
    try:
        found = validate(Checkpoint, data, "checkpoint")
    except EvoError as error:
        raise EvoError(f"{path / 'checkpoint.json'} is damaged: {error}") from None
    for name, digest in found.files.items():
        if name not in _FILES or not (path / name).is_file() or _digest(path / name) != digest:
            raise EvoError(f"{path / name} is missing or damaged; {_way_out(path)}")
    return found


def _way_out(damaged: Path) -> str:
    """Say how to go on without a checkpoint: the newest one that is there is taken."""
    others = {path: place for path, place in _places(damaged.parent).items() if path != damaged}
    if not others:
        return "it is the only checkpoint of its training, which has to be started anew"
    other = max(others, key=others.__getitem__)
    if damaged == latest(damaged.parent):
        return f"delete the folder {damaged} to go on from {other}"
    return f"take {other}"


def restore(trainer: Trainer, path: Path, found: Checkpoint) -> None:
    """Put a new trainer where a checkpoint was written.

    Raises:
        EvoError: If the checkpoint is of another network.
    """
    tensors = {name: read_tensors(path / name)[0] for name in found.files}
    try:
        if tensors:
            trainer.network.load_state_dict(tensors[WEIGHTS])
            restore_moments(trainer.network, trainer.optimiser, tensors[_MOMENTS])
        if trainer.developer is not None and tensors:
            trainer.developer.restore(tensors[_DEVELOPMENT])
    except (RuntimeError, ValueError, KeyError) as error:
        line = " ".join(str(error).split())[:200]
        raise EvoError(f"{path} does not fit the network of its job: {line}") from None
    trainer.epoch, trainer.step, trainer.sums = found.epoch, found.step, found.sums


WEIGHTS = "weights.safetensors"
_MOMENTS = "optimiser.safetensors"
_DEVELOPMENT = "development.safetensors"
_FILES = (WEIGHTS, _MOMENTS, _DEVELOPMENT)


def _tensors(trainer: Trainer) -> dict[str, Mapping[str, Tensor]]:
    found: dict[str, Mapping[str, Tensor]] = {
        WEIGHTS: trainer.network.state_dict(),
        _MOMENTS: moments(trainer.network, trainer.optimiser),
    }
    if trainer.developer is not None:
        found[_DEVELOPMENT] = trainer.developer.tensors()
    return found


def _places(folder: Path) -> dict[Path, tuple[int, int]]:
    named = {path: _NAME.fullmatch(path.name) for path in folder.glob("epoch-*")}
    return {path: (int(one[1]), int(one[2] or 0)) for path, one in named.items() if one}


def _name(epoch: int, step: int) -> str:
    return f"epoch-{epoch}-step-{step}" if step else f"epoch-{epoch}"


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
