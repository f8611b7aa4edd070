"""The recipe of a training: how long, with which optimiser, schedule and loss."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from difflib import get_close_matches
from importlib import resources
from typing import Annotated, Any, Literal

from annotated_types import Ge, Gt, Le, Lt

from evo_core.augmentation import read_augmentation
from evo_core.binding import validate
from evo_core.components import option
from evo_core.config import OWN_KEYS, Layer
from evo_core.errors import EvoError, unknown

Finite = Lt(math.inf)
Optimiser = Literal["adamw", "sgd"]
Schedule = Literal["cosine", "constant"]
Loss = Literal["ce", "mse", "tet"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How a network is trained; set with ``--set recipe.NAME=VALUE``."""

    epochs: Annotated[int, Ge(1)] = option(10, "passes over the training samples")
    batch: Annotated[int, Ge(2)] = option(64, "samples in a step")
    samples: Annotated[int, Ge(2)] | None = option(
        None, "train on so many samples, classes in proportion; by default on all"
    )
    optimiser: Optimiser = option("adamw", "adamw, or sgd with Nesterov momentum")
    lr: Annotated[float, Gt(0), Finite] = option(5e-3, "largest learning rate")
    momentum: Annotated[float, Ge(0), Lt(1)] = option(0.9, "momentum of sgd")
    weight_decay: Annotated[float, Ge(0), Finite] = option(
        0.01, "weight decay of conv and linear weights; biases and BatchNorm have none"
    )
    schedule: Schedule = option("cosine", "how the learning rate falls after the warm-up")
    warmup_epochs: Annotated[int, Ge(0)] = option(
        0, "epochs in which the learning rate rises linearly"
    )
    warmup_lr: Annotated[float, Gt(0), Finite] = option(
        1e-6, "learning rate at which the warm-up begins"
    )
    min_lr: Annotated[float, Ge(0), Finite] = option(1e-5, "learning rate at which the cosine ends")
    loss: Loss = option(
        "ce", "ce or mse on logits averaged over time, or tet: cross-entropy at every time step"
    )
    tet_lambda: Annotated[float, Ge(0), Le(1)] = option(
        0.0, "of the loss tet: weight of the squared distance of all logits from 1, the threshold"
    )
    label_smoothing: Annotated[float, Ge(0), Lt(1)] = option(
        0.0, "share of the label spread over all classes"
    )
    drop_path: Annotated[float, Ge(0), Lt(1)] = option(
        0.0, "probability of leaving out a parallel path in the last epoch, rising from 0"
    )
    clip_gradient: Annotated[float, Gt(0), Finite] | None = option(
        None, "largest norm of the gradient; by default it is not clipped"
    )
    amp: bool = option(False, "forward passes in bfloat16 where torch deems it safe")
    augment: tuple[str, ...] = option(
        (), 'random changes of training samples, in this order, e.g. ["crop[padding=2]", "flip"]'
    )
    memory_optimiser: bool = option(
        False, "compute activations again in the backward pass instead of keeping them"
    )

    def __post_init__(self) -> None:
        for text in self.augment:
            read_augmentation(text)
        if self.tet_lambda and self.loss != "tet":
            raise ValueError(
                f"tet_lambda is for the loss tet; with the loss {self.loss} set it to 0"
            )
        if self.warmup_epochs >= self.epochs > 1:
            raise ValueError(
                f"warmup_epochs is {self.warmup_epochs}; take fewer than the {self.epochs} epochs"
            )

    def to_json(self) -> dict[str, Any]:
        """Write the recipe as JSON types."""
        return asdict(self) | {"augment": list(self.augment)}


@dataclass(frozen=True, slots=True)
class ShortTraining:
    """Options of a fitness function that trains a candidate briefly.

    Functions whose options agree share one training.
    """

    epochs: Annotated[int, Ge(1)] = option(3, "passes over the training samples")
    samples: Annotated[int, Ge(2)] | None = option(
        None, "train on so many samples, classes in proportion; by default on all"
    )
    lr: Annotated[float, Gt(0), Finite] = option(5e-3, "largest learning rate")

    @property
    def recipe(self) -> Recipe:
        """The recipe: ``quick`` with batches of 32."""
        given = {"epochs": self.epochs, "samples": self.samples, "lr": self.lr}
        return read_recipe("quick", given | {"batch": 32})


def recipes() -> dict[str, str]:
    """Give the text of every recipe by name."""
    folder = resources.files("evo_core") / "presets" / "recipes"
    return {
        item.name.removesuffix(".toml"): item.read_text(encoding="utf-8")
        for item in folder.iterdir()
    }


def read_recipe(
    name: str = "quick", changes: Mapping[str, Any] | None = None, data: str = ""
) -> Recipe:
    """Read a recipe by name, with some values changed.

    Fewer epochs shorten the warm-up, unless it is given as well.

    Args:
        name: The name of the recipe.
        changes: Values that win over those of the recipe.
        data: The name of the data set; the recipe may augment each in its own way, others not.

    Raises:
        EvoError: If there is none of that name, or a value does not fit.
    """
    texts = recipes()
    if name not in texts:
        raise unknown("recipe", name, texts)
    table = tomllib.loads(texts[name])
    table["augment"] = table.get("augment", {}).get(data, [])
    given = dict(changes or {})
    epochs = given.get("epochs")
    if isinstance(epochs, int) and "warmup_epochs" not in given:
        table["warmup_epochs"] = max(0, min(table["warmup_epochs"], epochs - 1))
    return validate(Recipe, table | given, "recipe")


def take_changes(layer: Layer) -> dict[str, Any]:
    """Take the changes of the recipe out of what ``--set`` says.

    Raises:
        EvoError: If they are no table, or a value of the recipe stands outside it.
    """
    changes = layer.pop("recipe", {})
    if not isinstance(changes, dict):
        raise EvoError("--set recipe=... is not of the form recipe.key=value")
    names = [one.name for one in fields(Recipe)]
    for key, value in layer.items():
        if key in OWN_KEYS or isinstance(value, Mapping):
            continue
        if close := get_close_matches(key, names, n=1):
            raise EvoError(f"no setting {key!r}; did you mean 'recipe.{close[0]}'?")
        if not get_close_matches(key, OWN_KEYS):
            raise EvoError(
                f"no setting {key!r}; known: {', '.join(f'recipe.{one}' for one in names)}"
            )
    return changes


def cut_down(recipe: Recipe, available: int) -> str:
    """Say what a recipe asks for and does not get, for want of samples; empty if nothing.

    >>> cut_down(Recipe(samples=10, batch=64), 1078)
    'batch 10 instead of 64, for want of training samples'
    """
    samples = min(recipe.samples or available, available)
    asked = {"samples": (recipe.samples or samples, samples)}
    asked["batch"] = (recipe.batch, min(recipe.batch, samples))
    less = [f"{name} {got} instead of {want}" for name, (want, got) in asked.items() if got < want]
    return f"{', '.join(less)}, for want of training samples" if less else ""
