"""One evaluation: decode, run the batch through the network, let every fitness function score."""

from __future__ import annotations

import os
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, partial
from typing import Any

import torch
from torch import Tensor, nn

from evo_core.architecture import Architecture
from evo_core.binding import Bound
from evo_core.components import FitnessFunction, load
from evo_core.errors import EvoError, InvalidGenomeError
from evo_core.evaluation import Candidate, Evaluation, EvaluationStatus, Score
from evo_core.limits import (
    DeadlineExceeded,
    check_deadline,
    check_memory,
    limits,
    out_of_memory,
    parse_memory,
    peak_bytes,
)
from evo_core.plan import Plan, needs_data
from evo_core.recipe import Recipe
from evo_core.seeds import generator
from evo_core.snn.activity import Activity
from evo_core.snn.devices import threads
from evo_core.snn.encoding import encoded
from evo_core.snn.gradients import Gradients, gradients_of
from evo_core.snn.lessons import Lessons
from evo_core.snn.operations import Statistics
from evo_core.snn.repeats import mean
from evo_core.snn.scoring import untrained_pass
from evo_core.snn.view import Trained, View, duplicates_in
from evo_core.snn.watcher import Watcher
from evo_core.snn.weights import BANK_BYTES, Bank, Weights

Train = Callable[[Recipe], Trained]
DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}

# what ends an evaluation; all else that a stranger's code may raise is its own fault
_STOPS = (DeadlineExceeded, KeyboardInterrupt, InvalidGenomeError)


@dataclass(frozen=True, slots=True)
class _Batch:
    """A scoring batch.

    Attributes:
        frames: The inputs, ``[T, B, C, H, W]``, float32.
        shown: The same as the untrained pass is given them: in its precision, and one frame
            expanded over T where all steps are alike.
        labels: Classes, ``[B]``.
        duplicates: Which inputs are equal, ``[B, B]``.
    """

    frames: Tensor
    shown: Tensor
    labels: Tensor
    duplicates: Tensor


@dataclass(frozen=True, slots=True)
class _Pass:
    """One draw of weights on one batch, as the fitness functions see it."""

    view: View
    activity: Activity
    collected: dict[str, list[Any]] = field(default_factory=dict)

    def seen_by(self, bound: Bound[FitnessFunction]) -> View:
        return replace(self.view, collected=tuple(self.collected.get(bound.text, ())))


class Evaluator:
    """Evaluates the candidates of one plan; holds its scoring batches and the weights drawn last.

    Under a limit of memory no weights are held: what a candidate may use must not depend on which
    came before it.

    Args:
        plan: The plan, whose data, device, limits and fitness functions are used.

    Raises:
        EvoError: If this process has more memory already than the plan allows.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._batches = list(_batches(plan)) if needs_data(plan.fitness) else []
        self._memory = parse_memory(plan.config.memory)
        self._bank = Bank(0 if self._memory is not None else BANK_BYTES)
        check_memory(self._memory)

    def evaluate(self, candidate: Candidate) -> Evaluation:
        """Evaluate one candidate; whatever it does, the answer is an Evaluation."""
        start, process = time.perf_counter(), os.getpid()
        timeout = self._plan.config.timeout
        try:
            with limits(timeout, self._memory):
                architecture = self._plan.decode(candidate.genome)
                lessons = Lessons.of(self._plan, architecture, candidate)
                evaluation = self.score(candidate.id, architecture, candidate.inits, lessons)
        except InvalidGenomeError as error:
            evaluation = Evaluation(candidate.id, "invalid", error=str(error))
        except EvoError as error:
            evaluation = Evaluation(candidate.id, "error", error=str(error))
        except DeadlineExceeded:
            error_text = f"stopped after the timeout of {timeout:g} s"
            evaluation = Evaluation(candidate.id, "timeout", error=error_text)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001  (a candidate must not take the run with it)
            status: EvaluationStatus = "oom" if out_of_memory(error) else "error"
            evaluation = Evaluation(candidate.id, status, error=_trace())
        if os.getpid() != process:
            os._exit(1)  # a fork that a fitness function made and did not end
        seconds = time.perf_counter() - start
        return replace(evaluation, seconds=seconds, peak_bytes=peak_bytes())

    @threads(1)
    def score(
        self,
        candidate: int,
        architecture: Architecture,
        inits: Sequence[int] = (),
        lessons: Lessons | None = None,
    ) -> Evaluation:
        """Score an architecture with every fitness function of the plan.

        Args:
            candidate: The id to answer under.
            architecture: The network.
            inits: The numbers of the initial weights; empty for those of the configuration.
            lessons: What trains it; by default without a development.
        """
        lessons = lessons or Lessons(self._plan, architecture)
        passes = [
            self._pass(architecture, batch, weights, trained)
            for weights, trained in self._draws(lessons, inits)
            for batch in self._batches
        ]
        unseen = [_Pass(View(architecture), Activity(architecture))]
        scores: dict[str, Score] = {}
        errors: list[str] = []
        for bound in self._plan.fitness:
            check_deadline()
            reads_graph_only = bound.record.needs_with(bound.options) <= {"graph"}
            scores[bound.text], error = _score(bound, unseen if reads_graph_only else passes)
            errors += error
        details: dict[str, Any] = _activity(passes)
        details |= {text: score.details for text, score in scores.items() if score.details}
        details |= lessons.account()
        status = _status(passes, list(scores.values()))
        one = Evaluation(candidate, status, scores, details, error="\n".join(errors) or None)
        selectable = one.values(self._plan.objectives) is not None
        return replace(one, tensors=lessons.body) if selectable else one

    def _draws(self, lessons: Lessons, inits: Sequence[int]) -> Iterator[tuple[Weights, Train]]:
        """Give each draw of the weights, and what trains the network from there, once a recipe."""
        config = self._plan.config
        for init in inits or range(config.scoring.inits):
            weights = Weights(config.seed, init, device=config.device, bank=self._bank)
            yield weights, cache(partial(lessons.trained, init))

    def _pass(
        self, architecture: Architecture, batch: _Batch, weights: Weights, trained: Train
    ) -> _Pass:
        config = self._plan.config
        watcher = Watcher(architecture, self._plan.fitness, len(batch.frames))
        logits = untrained_pass(
            architecture,
            batch.shown,
            neurons=self._plan.neurons,
            weights=replace(weights, dtype=batch.shown.dtype),
            on_spikes=watcher,
            statistics=config.scoring.statistics,
        )
        network = partial(_network, self._plan, architecture, weights)
        view = View(
            architecture,
            grams=tuple(watcher.grams),
            logits=logits.float(),
            inputs=batch.frames,
            labels=batch.labels,
            duplicates=batch.duplicates,
            network=network,
            statistics=config.scoring.statistics,
            gradients=cache(partial(_gradients, network, batch, config.scoring.statistics)),
            seed=config.seed,
            init=weights.init,
            trained=trained,
        )
        return _Pass(view, watcher.activity, watcher.collected)


def _trace() -> str:
    """Give the traceback of the exception at hand, in characters that can be stored."""
    return traceback.format_exc().encode(errors="backslashreplace").decode()


def _batches(plan: Plan) -> Iterator[_Batch]:
    scoring, device = plan.config.scoring, plan.config.device
    dtype = DTYPES[plan.config.precision]
    for number in range(scoring.batches):
        samples = plan.splits.batch(scoring.batch, plan.config.seed, number)
        rng = generator(plan.config.seed, "encoding", number)
        frames = encoded(samples, plan.task.steps, scoring.encoding, rng).to(device)
        still = plan.shows_stills
        shown = frames[:1].to(dtype).expand_as(frames) if still else frames.to(dtype)
        labels = torch.as_tensor(samples.labels, device=device)
        yield _Batch(frames, shown, labels, duplicates_in(frames))


def _network(plan: Plan, architecture: Architecture, weights: Weights) -> nn.Module:
    from evo_core.snn.network import SpikingNetwork  # SpikingJelly takes seconds to import

    network: nn.Module = SpikingNetwork(architecture, plan.neurons, weights)
    return network


def _gradients(
    network: Callable[[], nn.Module], batch: _Batch, statistics: Statistics
) -> Gradients:
    return gradients_of(network(), batch.frames, batch.labels, statistics)


def _activity(passes: Sequence[_Pass]) -> dict[str, Any]:
    """Say how much a network fires: over all repeats and, if there are several, in each."""
    each = [one.activity for one in passes]
    if len(each) < 2:
        return each[0].summary() if each else {}
    return Activity.of(each).summary() | {"repeats": [one.summary() for one in each]}


def _score(bound: Bound[FitnessFunction], passes: Sequence[_Pass]) -> tuple[Score, list[str]]:
    """Let one fitness function score every pass, and average."""
    start = time.perf_counter()
    function = load(bound.record.score)
    try:
        parts = [Score.of(function(one.seen_by(bound), bound.options)) for one in passes]
        merged, errors = mean(parts), []
    except BaseException as error:
        if isinstance(error, _STOPS) or out_of_memory(error):
            raise
        merged = Score(None, "error")
        errors = [f"fitness {bound.text}: {_trace()}"]
    looked = sum(one.view.logits is not None for one in passes)
    score = replace(
        merged,
        goal=bound.record.goal,
        seconds=time.perf_counter() - start,
        forwards=looked + merged.forwards,
    )
    return score, errors


def _status(passes: Sequence[_Pass], scores: Sequence[Score]) -> EvaluationStatus:
    if any(score.status == "error" for score in scores):
        return "error"
    for one in passes:
        if one.view.logits is not None and not bool(one.view.logits.isfinite().all()):
            return "nan"
        if one.activity.status() != "ok":
            return one.activity.status()
    return "ok"
