"""The door for Python: what trained networks can stand, measured and perhaps written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

from evo_core.components import Component, Dataset
from evo_core.errors import EvoError
from evo_core.evaluating.answering import Asked
from evo_core.evaluating.given import listed
from evo_core.evaluating.progress import Silent
from evo_core.evaluating.question import ENERGY, Question, ask
from evo_core.evaluating.results import EvaluateResult
from evo_core.evaluating.subjects import load_subjects
from evo_core.evaluating.writing import write
from evo_core.folder import new_folder
from evo_core.snn.loaded import LoadedNetwork


def evaluate(
    checkpoints: str | Path | Iterable[str | Path],
    *,
    data: str | Dataset | None = None,
    split: str = "test",
    samples: int | None = None,
    noise: str | Iterable[str] = (),
    drop_events: float | Iterable[float] = (),
    timesteps: int | Iterable[int] = (),
    energy: str | Iterable[str] = ENERGY,
    repeats: int = 3,
    seed: int | None = None,
    out: str | Path | None = None,
    config: Mapping[str, Any] | None = None,
    components: Iterable[Component] = (),
) -> EvaluateResult:
    """Measure what trained networks can stand; all see the same samples and the same noise.

    Where a list is wanted, one value alone will do.

    Args:
        checkpoints: Training folders, checkpoints ``TRAINING/epoch-7``, runs or other targets.
        data: A data set, by default that of the first.
        split: ``"test"`` or ``"validation"``.
        samples: So many of it, classes in proportion; by default all.
        noise: Kinds with their levels, e.g. ``["gaussian:0.1,0.2", "salt-pepper:0.05"]``.
        drop_events: Chances that an event, or a spike of an encoded image, is lost.
        timesteps: Numbers of time steps to show images for, or first frames of events.
        energy: Energy models of SpikingJelly to set beside evo's count: ``simple``, ``spikesim``.
        repeats: How often what is random is drawn.
        seed: The seed of these draws, and of weights that were never trained; by default 0, or
            for weights that of the run.
        out: A new folder to write numbers and figures into; by default nothing is written.
        config: Other settings as in a TOML file, e.g. ``{"data_root": "data"}``.
        components: Records of your own, e.g. a data set that ``array_dataset`` made.

    Raises:
        EvoError: If something does not fit; nothing has been written then.

    Example:
        >>> found = evaluate("runs/trained", noise=["gaussian:0.2"])  # doctest: +SKIP
        >>> found.checkpoints[0].curve("gaussian")[1].accuracy  # doctest: +SKIP
    """
    named = listed(checkpoints)
    for one in named:
        if not isinstance(one, str | Path):
            raise EvoError(f"{one!r} is no checkpoint; name a training folder or a target")
    question = ask(
        split=split,
        samples=samples,
        noise=noise,
        drop_events=drop_events,
        timesteps=timesteps,
        energy=energy,
        repeats=repeats,
        seed=0 if seed is None else seed,
    )
    given = [*components, data] if isinstance(data, Dataset) else [*components]
    flags = {"data": data.name if isinstance(data, Dataset) else data, "seed": seed}
    layer = dict(config or {}) | {key: value for key, value in flags.items() if value is not None}
    networks = load_subjects([str(one) for one in named], [layer], components=given)
    return answer(question, networks, None if out is None else Path(out))


def answer(
    question: Question,
    networks: Sequence[LoadedNetwork],
    out: Path | None,
    watcher: Silent | None = None,
) -> EvaluateResult:
    """Put a question to networks, and write what was found, whole or not at all.

    Args:
        question: The question.
        networks: The networks, as :func:`load_subjects` gives them.
        out: A new folder; None to write nothing.
        watcher: What hears how far it is.

    Raises:
        EvoError: If a condition does not fit the data, or the folder can not be written.
    """
    asked = Asked(question, networks)
    with ExitStack() as stack:
        aside = stack.enter_context(new_folder(out)) if out is not None else None
        found = asked.answer(watcher or Silent())
        result = EvaluateResult(facts=asked.facts(), checkpoints=found)
        if aside is not None:
            write(aside, result)
    return replace(result, folder=out)
