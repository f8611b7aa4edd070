"""Score any torch module with evo's training-free fitness functions."""

from __future__ import annotations

import random
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from evo_core.binding import Binder, Bound, split_commas
from evo_core.components import Component, FitnessFunction, load
from evo_core.errors import EvoError
from evo_core.evaluation import Score
from evo_core.registry import installed
from evo_core.snn.any_module import SequenceModule, calls_of, copier, floating, spiking_nodes
from evo_core.snn.devices import expect_no_triton
from evo_core.snn.gradients import Gradients, gradients_of
from evo_core.snn.module_pass import Watch, run_watched
from evo_core.snn.view import View, duplicates_in


def score_module(
    module: nn.Module,
    inputs: Any,
    labels: Any = None,
    fitness: str | Sequence[str] = ("rdm",),
    seed: int = 0,
    *,
    time_axis: bool | None = None,
    components: Iterable[Component] = (),
) -> dict[str, Score]:
    """Score a torch module of your own, spiking or not, as it is: weights, mode and device.

    The module is never called: copies are, which start at rest, in the mode of the module (in
    training mode BatchNorm averages over the batch, and dropout draws by ``seed``). What spikes are
    is told in :mod:`evo_core.snn.module_pass`. Half precision is widened to float32.

    Args:
        module: Gives logits ``[B, classes]`` or ``[T, B, classes]``, which are averaged over time.
        inputs: A batch ``[B, ...]`` that the module is called with once; or a sequence
            ``[T, B, ...]``, for which multi-step modules are called once, single-step modules T
            times.
        labels: The classes, ``[B]``; may be None if no score reads them.
        fitness: Names, with options as in ``"rdm[metric=cosine]"``; or one text with commas.
        seed: Of what scores draw themselves, and of dropout.
        time_axis: Whether ``inputs`` begin with time. By default they do if their second axis is
            as long as ``labels``, and the first is not or the module has SpikingJelly neurons. Has
            to be said for a module with such neurons where there are no labels.
        components: Records of your own, e.g. a FitnessFunction.

    Returns:
        A Score for each fitness function, by its name with options.

    Raises:
        EvoError: If a name or an option does not exist, if a score needs labels or what only evo's
            own networks have, or if the inputs do not fit the labels.

    Example:
        >>> import torch
        >>> from torch.nn import Linear, ReLU, Sequential
        >>> module = Sequential(Linear(4, 99), ReLU(), Linear(99, 2))
        >>> scores = score_module(module, torch.rand(6, 4), fitness=["nwot"])
        >>> scores["nwot"].status
        'ok'
    """
    if not isinstance(module, nn.Module):
        raise EvoError(f"a {type(module).__name__} can not be scored; give a torch.nn.Module")
    binder = Binder(installed(components=components), {})
    names = split_commas(fitness) if isinstance(fitness, str) else fitness
    bound = [binder.bind(FitnessFunction, text) for text in names]
    for one in bound:
        _check(one, labelled=labels is not None)
    with _untouched_randomness(), torch.inference_mode(False), torch.enable_grad():
        subject = _subject(module, inputs, labels, time_axis, seed)
        expect_no_triton(subject.frames.device.type)
        return {one.text: score for one, score in zip(bound, subject.scores(bound), strict=True)}


@dataclass(frozen=True, slots=True)
class _Subject:
    """Copies of a module, and the batch: frames ``[T, B, ...]``, classes ``[B]`` or None."""

    network: Any
    frames: Tensor
    labels: Tensor | None
    seed: int

    def scores(self, fitness: Sequence[Bound[FitnessFunction]]) -> Iterator[Score]:
        watch = Watch(fitness, self.frames.shape[1])
        finite = bool(self.frames.isfinite().all())
        logits = run_watched(self.network(), self.frames, watch) if finite else None
        _check_labels(self.labels, logits)
        view = View(
            None,
            grams=tuple(watch.grams),
            logits=logits,
            inputs=self.frames,
            labels=self.labels,
            duplicates=duplicates_in(self.frames),
            network=self.network,
            statistics="sequence",
            gradients=cache(partial(_gradients, self)),
            seed=self.seed,
        )
        usable = logits is not None and bool(logits.isfinite().all())
        for one in fitness:
            seen = replace(view, collected=tuple(watch.collected.get(one.text, ())))
            yield _score(one, seen) if usable else _not_finite(one, finite)


def _subject(
    module: nn.Module, inputs: Any, labels: Any, time_axis: bool | None, seed: int
) -> _Subject:
    make, frames = copier(module), torch.as_tensor(inputs)
    device = next((one.device for one in module.parameters()), frames.device)
    classes = None
    if labels is not None:
        classes = torch.as_tensor(labels).detach().clone().to(device, torch.int64)
        if classes.ndim != 1:
            raise EvoError(f"labels have the shape {tuple(classes.shape)}; give classes [B]")
    batch = len(classes) if classes is not None else _batch_of(module, frames, time_axis)
    calls = calls_of(module, frames, batch, time_axis)
    frames = frames.detach().clone().to(device)
    if frames.is_floating_point():
        frames = frames.to(floating(make()))
    sequence = frames[None] if calls == "static" else frames
    return _Subject(lambda: SequenceModule(make(), calls, seed), sequence, classes, seed)


def _batch_of(module: nn.Module, inputs: Tensor, time_axis: bool | None) -> int:
    """Count the samples where no labels tell."""
    if time_axis is None and spiking_nodes(module):
        raise EvoError(
            "without labels nothing tells whether the inputs begin with time or with samples; "
            "say time_axis=True or time_axis=False"
        )
    axis = 1 if time_axis else 0
    if inputs.ndim <= axis + 1:
        raise EvoError(f"inputs of shape {tuple(inputs.shape)} are no batch; give [B, ...]")
    return inputs.shape[axis]


def _check(bound: Bound[FitnessFunction], *, labelled: bool) -> None:
    needs = bound.record.needs_with(bound.options)
    if "graph" in needs:
        raise EvoError(
            f"fitness {bound.text!r} reads the graph of a network of evo's own; "
            "a torch module has none: leave it out"
        )
    if "trained" in needs:
        raise EvoError(
            f"fitness {bound.text!r} trains networks of evo's own; leave it out for a torch module"
        )
    if needs & {"labels", "gradients"} and not labelled:
        raise EvoError(f"fitness {bound.text!r} needs labels; give the classes of the batch")


def _check_labels(labels: Tensor | None, logits: Tensor | None) -> None:
    if labels is None or logits is None:
        return
    classes = logits.shape[-1]
    if not bool(((labels >= 0) & (labels < classes)).all()):
        raise EvoError(f"labels go from 0 to {classes - 1} for the {classes} logits of the module")


def _gradients(subject: _Subject) -> Gradients:
    assert subject.labels is not None
    return gradients_of(subject.network(), subject.frames, subject.labels, "sequence")


def _score(bound: Bound[FitnessFunction], view: View) -> Score:
    start = time.perf_counter()
    score = Score.of(load(bound.record.score)(view, bound.options))
    seconds = time.perf_counter() - start
    return replace(score, goal=bound.record.goal, seconds=seconds, forwards=1 + score.forwards)


def _not_finite(bound: Bound[FitnessFunction], finite_inputs: bool) -> Score:
    what = "logits" if finite_inputs else "inputs"
    score = Score.undefined(f"the {what} are not all finite", forwards=int(finite_inputs))
    return replace(score, goal=bound.record.goal)


@contextmanager
def _untouched_randomness() -> Iterator[None]:
    """Put the global random generators back afterwards, whatever happens."""
    python, numpy = random.getstate(), np.random.get_state()
    devices = range(torch.cuda.device_count()) if torch.cuda.is_available() else ()
    with torch.random.fork_rng(devices):
        try:
            yield
        finally:
            random.setstate(python)
            np.random.set_state(numpy)
