"""How ``set`` takes part in evolution: its gene, and what changes a body that is inherited.

A body holds each masked weight twice: itself under ``network/NAME``, its mask under
``development/NAME``. All here are functions on such tensors; no network is needed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from evo_core.genome import Gene

if TYPE_CHECKING:
    from evo_set.plugin import SetOptions

Body = dict[str, Tensor]
REPLACED = Gene("set.replaced", "development", ("0.1", "0.2", "0.3", "0.5"))


def genes(options: SetOptions) -> tuple[Gene, ...]:
    """Let the share of weights evolve that is replaced after each epoch."""
    return (REPLACED,)


def configure(options: SetOptions, choices: Mapping[str, str]) -> SetOptions:
    """Take over what the gene chooses."""
    return replace(options, replaced=float(choices[REPLACED.name]))


def rewire(body: Body, rng: np.random.Generator, options: SetOptions) -> Body:
    """Prune a random share of the weights of each layer; as many grow elsewhere, from zero."""
    changed = dict(body)
    for weight, mask in _masked(body):
        flat = body[mask].flatten().clone()
        there, empty = (flat != 0).nonzero().flatten(), (flat == 0).nonzero().flatten()
        count = min(round(options.rewired * len(there)), len(empty))
        flat[_some(there, count, rng)] = 0
        flat[_some(empty, count, rng)] = 1
        changed[mask] = flat.view(body[mask].shape)
        changed[weight] = body[weight] * changed[mask]
    return changed


def mate(one: Body, two: Body, rng: np.random.Generator) -> Body:
    """Take each neuron, the row of its weights with their mask and bias, from either parent."""
    child = dict(one)
    for weight, mask in _masked(one):
        other = torch.from_numpy(rng.random(len(one[weight])) < 0.5)
        for name in (weight, mask, weight.removesuffix("weight") + "bias"):
            if name in one:
                child[name] = one[name].clone()
                child[name][other] = two[name][other]
    return child


def _masked(body: Body) -> Iterator[tuple[str, str]]:
    """Name each masked weight, and its mask."""
    for name in body:
        if name.startswith("development/"):
            yield name.replace("development/", "network/", 1), name


def _some(places: Tensor, count: int, rng: np.random.Generator) -> Tensor:
    """Draw so many of some places."""
    return places[torch.from_numpy(rng.permutation(len(places))[:count])]
