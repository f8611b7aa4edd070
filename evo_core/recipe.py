"""The recipe of a training: how long, with which optimiser, schedule and loss."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Annotated, Any, Literal

from annotated_types import Ge, Gt, Lt

from evo_core.binding import validate
from evo_core.components import option
from evo_core.errors import unknown

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
    lr: Annotated[float, Gt(0)] = option(5e-3, "largest learning rate")
    momentum: Annotated[float, Ge(0), Lt(1)] = option(0.9, "momentum of sgd")
    weight_decay: Annotated[float, Ge(0)] = option(
        0.01, "weight decay of conv and linear weights; biases and BatchNorm have none"
    )
    schedule: Schedule = option("cosine", "how the learning rate falls after the warm-up")
    warmup_epochs: Annotated[int, Ge(0)] = option(
        0, "epochs in which the learning rate rises linearly"
    )
    warmup_lr: Annotated[float, Gt(0)] = option(1e-6, "learning rate at which the warm-up begins")
    min_lr: Annotated[float, Ge(0)] = option(1e-5, "learning rate at which the cosine ends")
    loss: Loss = option(
        "ce", "ce or mse on logits averaged over time, or tet: cross-entropy at every time step"
    )
    label_smoothing: Annotated[float, Ge(0), Lt(1)] = option(
        0.0, "share of the label spread over all classes"
    )
    drop_path: Annotated[float, Ge(0), Lt(1)] = option(
        0.0, "probability of leaving out a parallel path in the last epoch, rising from 0"
    )
    clip_gradient: Annotated[float, Gt(0)] | None = option(
        None, "largest norm of the gradient; by default it is not clipped"
    )
    amp: bool = option(False, "forward passes in bfloat16 where torch deems it safe")

    def __post_init__(self) -> None:
        if self.warmup_epochs >= self.epochs > 1:
            raise ValueError(
                f"warmup_epochs is {self.warmup_epochs}; take fewer than the {self.epochs} epochs"
            )


def recipes() -> dict[str, str]:
    """Give the text of every recipe by name."""
    folder = resources.files("evo_core") / "presets" / "recipes"
    return {
        item.name.removesuffix(".toml"): item.read_text(encoding="utf-8")
        for item in folder.iterdir()
    }


def read_recipe(name: str = "quick", changes: Mapping[str, Any] | None = None) -> Recipe:
    """Read a recipe by name, with some values changed.

    Fewer epochs shorten the warm-up, unless it is given as well.

    Raises:
        EvoError: If there is none of that name, or a value does not fit.
    """
    texts = recipes()
    if name not in texts:
        raise unknown("recipe", name, texts)
    table = tomllib.loads(texts[name])
    given = dict(changes or {})
    epochs = given.get("epochs")
    if isinstance(epochs, int) and "warmup_epochs" not in given:
        table["warmup_epochs"] = max(0, min(table["warmup_epochs"], epochs - 1))
    return validate(Recipe, table | given, "recipe")
