"""Train one network, step by step; everything random is keyed by seed, purpose, epoch and step."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from spikingjelly.activation_based import functional
from torch import Tensor

from evo_core.architecture import Architecture
from evo_core.binding import Bound
from evo_core.components import Development, NeuronModel
from evo_core.config import Encoding
from evo_core.data import Samples, Splits
from evo_core.errors import RunFailedError
from evo_core.recipe import Recipe
from evo_core.seeds import generator, torch_generator
from evo_core.snn.augment import augmented
from evo_core.snn.costs import counting
from evo_core.snn.developing import Developer
from evo_core.snn.drop_path import DropPath
from evo_core.snn.encoding import encoded
from evo_core.snn.network import SpikingNetwork
from evo_core.snn.optimising import (
    clip_gradients,
    learning_rate,
    loss_of,
    make_optimiser,
    set_learning_rate,
)
from evo_core.snn.silence import pruned
from evo_core.snn.weights import Weights
from evo_core.train_results import Costs, EpochMetrics, Measured, Sums

Rows = npt.NDArray[np.integer[Any]]


class Trainer:
    """Trains one network from the start, or on from where it is put.

    Args:
        architecture: The network.
        splits: The data; ``test`` is not looked at.
        neurons: The NeuronModel records by name.
        recipe: How to train.
        seed: The seed of weights, order of the samples, drop path and augmentation.
        init: The number of the draw of the initial weights.
        device: ``cpu``, ``cuda`` or ``cuda:N``.
        development: Changes the structure meanwhile, or None.
        encoding: How images are shown; ``poisson`` draws anew at every step.

    Attributes:
        epoch: How many epochs are done.
        step: How many steps of the next epoch are done.
        sums: What these add up to.
    """

    def __init__(
        self,
        architecture: Architecture,
        splits: Splits,
        neurons: Mapping[str, NeuronModel],
        recipe: Recipe,
        seed: int,
        *,
        init: int = 0,
        device: str = "cpu",
        development: Bound[Development] | None = None,
        encoding: Encoding = "direct",
    ) -> None:
        self.recipe, self.seed, self.splits, self._device = recipe, seed, splits, device
        self.network = SpikingNetwork(architecture, neurons, Weights(seed, init, device=device))
        self.network.recompute = recipe.memory_optimiser
        self.optimiser = make_optimiser(recipe, self.network)
        self.drop_path = DropPath(self.network)
        self.developer = (
            Developer.of(development, self.network, self.optimiser, seed) if development else None
        )
        self._encoding = encoding
        self._rows = subset(splits.train.labels, recipe.samples, seed)
        self._batch = min(recipe.batch, len(self._rows))
        self.steps = len(self._rows) // self._batch
        self.epoch, self.step, self.sums = 0, 0, Sums()

    def make_step(self) -> None:
        """Make the next step of the epoch.

        Raises:
            RunFailedError: If the loss is not finite.
        """
        key = (self.seed, self.epoch, self.step)
        frames, labels = self._next_batch()
        set_learning_rate(self.optimiser, self._rate())
        targets = labels
        if self.recipe.augment:
            rng = torch_generator(key[0], "augment", *key[1:])
            frames, targets = augmented(
                frames, labels, self.recipe.augment, self.splits.classes, rng
            )
        dropped = self.recipe.drop_path * self.epoch / max(1, self.recipe.epochs - 1)
        self.drop_path.draw(len(labels), dropped, torch_generator(key[0], "drop-path", *key[1:]))
        logits = self._forward(frames)
        loss = loss_of(self.recipe, logits, targets)
        value = loss.item()
        if not math.isfinite(value):
            raise RunFailedError(
                f"the loss is {value} in step {self.step + 1} of epoch {self.epoch + 1}; "
                "lower recipe.lr or set recipe.clip_gradient"
            )
        self._learn(loss)
        right = int((logits.detach().mean(0).argmax(1) == labels).sum())
        seen, total = len(labels), self.sums
        self.sums = Sums(total.seen + seen, total.loss + value * seen, total.right + right)
        self.step += 1

    def end_epoch(self) -> EpochMetrics:
        """Let the structure develop, measure on the validation split, and begin the next epoch.

        Raises:
            RunFailedError: If a weight, or a statistic of BatchNorm, is not finite.
        """
        self._check_finite()
        rate = learning_rate(self.recipe, self.epoch + 1 - 1 / self.steps)
        self.epoch += 1
        if self.developer is not None:
            self.developer.after_epoch(self.epoch, self.recipe.epochs)
        metrics = EpochMetrics(
            self.epoch,
            rate,
            Measured(self.sums.loss / self.sums.seen, self.sums.right / self.sums.seen),
            self.measure(self.splits.validation),
            self.developer.numbers() if self.developer is not None else {},
        )
        self.step, self.sums = 0, Sums()
        return metrics

    def measure(self, samples: Samples) -> Measured:
        """Measure on some samples, with the running statistics of BatchNorm."""
        loss, right = 0.0, 0
        size = self.recipe.batch
        with torch.no_grad(), _at_rest(self.network, self.drop_path):
            for first in range(0, len(samples), size):
                rows = np.arange(first, min(first + size, len(samples)))
                frames, labels = self._batch_of(samples, rows, "measured", first)
                mean = self._forward(frames).mean(0)
                loss += float(torch.nn.functional.cross_entropy(mean, labels, reduction="sum"))
                right += int((mean.argmax(1) == labels).sum())
        mean_loss = loss / len(samples)
        return Measured(mean_loss if math.isfinite(mean_loss) else None, right / len(samples))

    def costs(self) -> Costs:
        """Tell what the network costs as it is, on the validation split."""
        with counting(self.network) as counter:
            self.measure(self.splits.validation)
        made, gone = counter.per_sample(len(self.splits.validation)), pruned(self.network)
        return Costs(made.synops, made.macs, made.picojoules, gone.weights, gone.neurons)

    def _check_finite(self) -> None:
        """Refuse what the last steps of an epoch left, which no loss was computed with."""
        for name, tensor in self.network.state_dict().items():
            if not bool(tensor.isfinite().all()):
                raise RunFailedError(
                    f"{name} is not finite after epoch {self.epoch + 1}; lower recipe.lr or set "
                    "recipe.clip_gradient"
                )

    def _next_batch(self) -> tuple[Tensor, Tensor]:
        order = generator(self.seed, "order", self.epoch).permutation(self._rows)
        rows = order[self.step * self._batch : (self.step + 1) * self._batch]
        return self._batch_of(self.splits.train, rows, "shown", self.epoch, self.step)

    def _rate(self) -> float:
        return learning_rate(self.recipe, self.epoch + self.step / self.steps)

    def _batch_of(
        self, samples: Samples, rows: Rows, purpose: str, *numbers: int
    ) -> tuple[Tensor, Tensor]:
        some = samples.take(rows)
        rng = generator(self.seed, purpose, *numbers)
        frames = encoded(some, self.network.architecture.task.steps, self._encoding, rng)
        labels = torch.as_tensor(some.labels, dtype=torch.int64, device=self._device)
        return frames.to(self._device), labels

    def _forward(self, frames: Tensor) -> Tensor:
        functional.reset_net(self.network)
        kind = torch.device(self._device).type
        with torch.autocast(kind, torch.bfloat16, enabled=self.recipe.amp):
            logits: Tensor = self.network(frames)
        functional.reset_net(self.network)
        return logits.float()

    def _learn(self, loss: Tensor) -> None:
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        if self.developer is not None:
            self.developer.after_backward()
        clip_gradients(self.recipe, self.network.parameters())
        self.optimiser.step()


def subset(labels: Rows, size: int | None, seed: int) -> Rows:
    """Choose rows at random, each class in proportion (to one sample); all of them for None."""
    if size is None or size >= len(labels):
        return np.arange(len(labels))
    order = generator(seed, "samples").permutation(len(labels))
    place = np.empty(len(labels))
    for one in np.unique(labels):
        rows = order[labels[order] == one]
        place[rows] = (np.arange(len(rows)) + 0.5) / len(rows)
    chosen: Rows = np.sort(order[np.argsort(place[order], kind="stable")][:size])
    return chosen


@contextmanager
def _at_rest(network: SpikingNetwork, drop_path: DropPath) -> Iterator[None]:
    drop_path.rest()
    network.eval()
    try:
        yield
    finally:
        network.train()
