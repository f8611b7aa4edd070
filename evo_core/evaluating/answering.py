"""From a question and networks to what was found of them."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from evo_core.data import Samples
from evo_core.evaluating import intervals
from evo_core.evaluating.corruption import input_range
from evo_core.evaluating.energy import side_by_side
from evo_core.evaluating.measuring import BATCH, Outcome, Show, encoding_of
from evo_core.evaluating.progress import Silent
from evo_core.evaluating.question import CLEAN, STEPS, Condition, Question, meaning
from evo_core.evaluating.rates import populations, watching
from evo_core.evaluating.results import CheckpointResult, Point
from evo_core.evaluating.subjects import check
from evo_core.snn.activity import Activity
from evo_core.snn.costs import Counter, counting
from evo_core.snn.devices import repeatable, threads
from evo_core.snn.loaded import LoadedNetwork
from evo_core.snn.training import subset
from evo_core.versions import versions

Points = list[Point]


class Asked:
    """A question that was put to networks, checked and ready to be answered.

    Args:
        question: The question.
        networks: The networks, all for the same data.

    Raises:
        EvoError: If a condition makes no sense for the data.
    """

    def __init__(self, question: Question, networks: Sequence[LoadedNetwork]) -> None:
        self.question, self.networks = question, networks
        self._splits = networks[0].plan.splits
        samples: Samples = getattr(self._splits, question.split)
        check(question, networks, samples)
        rows = subset(samples.labels, question.samples, question.seed)
        self._samples = samples if len(rows) == len(samples) else samples.take(rows)
        self._span = input_range(self._splits.train)

    def facts(self) -> dict[str, Any]:
        """Say on what and how it is measured, as JSON types."""
        question, plan = self.question, self.networks[0].plan
        return {
            "data": plan.config.data,
            "data_partial": plan.splits.partial,
            "split": question.split,
            "samples": len(self._samples),
            "classes": self._splits.classes,
            "names": list(self._splits.names),
            "input_range": list(self._span),
            "repeats": question.repeats,
            "seed": question.seed,
            "levels": {kind: meaning(kind) for kind in question.kinds()},
            "intervals": intervals.METHOD,
            "versions": versions(plan.registry),
        }

    def answer(self, watcher: Silent) -> tuple[CheckpointResult, ...]:
        """Measure all networks under all conditions; one thread, so that numbers repeat."""
        device = self.networks[0].plan.config.device
        repeatable(device, deterministic=True)
        question = self.question
        show = Show(
            self._samples, self._span, question.repeats, question.seed, device, watcher.advanced
        )
        for one in self.networks:
            one.network.to(device)
        watcher.begun(len(self.networks), len(self._samples), self._batches(show))
        try:
            with threads(1), torch.no_grad():
                return self._measured(show, watcher)
        finally:
            watcher.ended()

    def _batches(self, show: Show) -> int:
        each = -(-len(self._samples) // BATCH)
        return each * sum(
            max(show.draws(one, condition) for one in self.networks)
            for condition in self.question.conditions
        )

    def _measured(self, show: Show, watcher: Silent) -> tuple[CheckpointResult, ...]:
        points: list[Points] = [[] for _ in self.networks]
        clean: list[Outcome] = []
        with ExitStack() as stack:
            counters = [stack.enter_context(counting(one.network)) for one in self.networks]
            rates = [stack.enter_context(watching(one.network)) for one in self.networks]
            clean = self._under(Condition(CLEAN), show, watcher, points)
        for condition in self.question.conditions[1:]:
            self._under(condition, show, watcher, points)
        found = zip(self.networks, points, clean, counters, rates, strict=True)
        return tuple(self._result(show, *one) for one in found)

    def _under(
        self, condition: Condition, show: Show, watcher: Silent, points: list[Points]
    ) -> list[Outcome]:
        outcomes = show.outcomes(self.networks, condition)
        right = [one.predicted == self._samples.labels for one in outcomes]
        for number, (network, outcome) in enumerate(zip(self.networks, outcomes, strict=True)):
            steps = condition.level if condition.kind == STEPS else network.architecture.task.steps
            points[number].append(
                Point(
                    condition=condition,
                    steps=int(steps),
                    draws=len(outcome.loss),
                    accuracy=intervals.accuracy(right[number]),
                    loss=intervals.loss(outcome.loss),
                    difference=intervals.difference(right[number], right[0]) if number else None,
                )
            )
        watcher.measured(condition, [one[-1].accuracy for one in points])
        return outcomes

    def _result(
        self,
        show: Show,
        one: LoadedNetwork,
        points: Points,
        clean: Outcome,
        counter: Counter,
        activity: Activity,
    ) -> CheckpointResult:
        made, rates = counter.per_sample(clean.loss.size), activity.rates()
        first = show.batch(Condition(CLEAN), 0, slice(0, min(BATCH, len(self._samples))))
        frames = show.frames(one, first, Condition(CLEAN), 0, 0)
        return CheckpointResult(
            checkpoint=one.text,
            origin=one.origin,
            trained=one.trained,
            architecture=one.architecture.hash,
            parameters=one.architecture.parameters,
            steps=one.architecture.task.steps,
            encoding=encoding_of(one),
            clean=points[0],
            points=tuple(points[1:]),
            confusion=_confusion(clean.predicted, self._samples.labels, self._splits.classes),
            rates={name: rates[name] for name in populations(one.network) if name in rates},
            synops=made.synops,
            macs=made.macs,
            energy_pj=made.picojoules,
            models=side_by_side(one.network, frames, self.question.energy),
        )


def _confusion(
    predicted: npt.NDArray[np.int64], labels: npt.NDArray[np.integer[Any]], classes: int
) -> tuple[tuple[int, ...], ...]:
    """Count ``[draws, n]`` predictions by true class (rows) and predicted class (columns)."""
    places = np.broadcast_to(labels.astype(np.int64) * classes, predicted.shape) + predicted
    counts = np.bincount(places.ravel(), minlength=classes * classes)
    return tuple(tuple(row) for row in counts.reshape(classes, classes).tolist())
