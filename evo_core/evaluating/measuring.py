"""Show samples to networks under a condition, and keep what each makes of each sample."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from spikingjelly.activation_based import functional
from torch import Tensor

from evo_core.config import Encoding
from evo_core.data import Samples
from evo_core.evaluating.corruption import corrupted, kept_spikes
from evo_core.evaluating.question import CLEAN, DROP, STEPS, Condition
from evo_core.seeds import generator
from evo_core.snn.encoding import encoded
from evo_core.snn.loaded import LoadedNetwork

BATCH = 64  # that of most recipes: poisson spikes are then those that a training measured with


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a network made of each sample: ``[draws, n]`` each.

    Attributes:
        predicted: The class.
        loss: The cross-entropy of the logits averaged over time.
    """

    predicted: npt.NDArray[np.int64]
    loss: npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Show:
    """Samples, and how networks are shown them.

    Attributes:
        samples: The samples, ``n`` of them.
        span: The input range of the data.
        repeats: How often what is random is drawn.
        seed: The seed of these draws, the same for all networks.
        device: Where networks are.
        advance: Called after each batch.
    """

    samples: Samples
    span: tuple[float, float]
    repeats: int
    seed: int
    device: str
    advance: Callable[[], None]

    def outcomes(self, networks: Sequence[LoadedNetwork], condition: Condition) -> list[Outcome]:
        """Show all samples to all networks; each draw is the same for all of them."""
        draws = [self.draws(one, condition) for one in networks]
        size = len(self.samples)
        found = [
            Outcome(np.zeros((count, size), np.int64), np.zeros((count, size))) for count in draws
        ]
        for draw in range(max(draws)):
            for first in range(0, size, BATCH):
                rows = slice(first, min(first + BATCH, size))
                shown = self.batch(condition, draw, rows)
                for one, count, outcome in zip(networks, draws, found, strict=True):
                    if draw < count:
                        logits = self._run(one, self.frames(one, shown, condition, draw, first))
                        _note(outcome, draw, rows, logits, shown.labels)
                self.advance()
        return found

    def draws(self, one: LoadedNetwork, condition: Condition) -> int:
        """Say how often a network is shown the samples: once if nothing is random."""
        random = condition.kind not in (CLEAN, STEPS) or encoding_of(one) == "poisson"
        return self.repeats if random else 1

    def batch(self, condition: Condition, draw: int, rows: slice) -> Samples:
        """Give a batch under a condition."""
        rng = generator(self.seed, f"evaluate {condition.kind}", draw, rows.start)
        return corrupted(self.samples.take(rows), condition, self.span, rng)

    def frames(
        self, one: LoadedNetwork, shown: Samples, condition: Condition, draw: int, first: int
    ) -> Tensor:
        """Give what a network sees of a batch, ``[T, B, C, H, W]``."""
        steps = int(condition.level) if condition.kind == STEPS else one.architecture.task.steps
        if shown.inputs.ndim == 5:
            shown = Samples(shown.inputs[:, :steps], shown.labels, shown.scale)
        numbers = (first, draw) if draw else (first,)  # the first draw is that of a training
        rng = generator(self.seed, "measured", *numbers)
        frames = encoded(shown, steps, encoding_of(one), rng)
        if condition.kind == DROP and shown.inputs.ndim == 4:
            rng = generator(self.seed, f"evaluate {DROP}", draw, first)
            frames *= torch.from_numpy(kept_spikes(tuple(frames.shape), condition.level, rng))
        return frames.to(self.device)

    def _run(self, one: LoadedNetwork, frames: Tensor) -> Tensor:
        functional.reset_net(one.network)
        logits: Tensor = one.network(frames)
        functional.reset_net(one.network)
        return logits.float().mean(0)


def encoding_of(one: LoadedNetwork) -> Encoding:
    """Tell how a network is shown images."""
    return one.plan.config.scoring.encoding


def _note(
    outcome: Outcome, draw: int, rows: slice, logits: Tensor, labels: npt.NDArray[np.integer]
) -> None:
    targets = torch.as_tensor(labels, dtype=torch.int64, device=logits.device)
    losses = torch.nn.functional.cross_entropy(logits, targets, reduction="none")
    outcome.predicted[draw, rows] = logits.argmax(1).cpu().numpy()
    outcome.loss[draw, rows] = losses.double().cpu().numpy()
