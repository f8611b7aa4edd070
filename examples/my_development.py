"""A development in one file: after each epoch more of the smallest weights are gone, for good.

evo train reference:2fc --plugin my_development.py --develop 'fade[share=0.6]'
"""

from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge, Lt

from evo_core import Development, hookimpl, option


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    share: Annotated[float, Ge(0), Lt(1)] = option(0.5, "share of each layer pruned in the end")


@dataclass(frozen=True)
class State:
    weights: dict  # of convolutions and linear layers, by name
    masks: dict  # 1 where a weight is there, 0 elsewhere
    optimiser: object
    options: Options


def attach(network, optimiser, options, seed):
    weights = {name: one for name, one in network.named_parameters() if one.ndim > 1}
    masks = {name: one.data.new_ones(one.shape) for name, one in weights.items()}
    return State(weights, masks, optimiser, options)


def after_backward(state):
    for name, weight in state.weights.items():
        if weight.grad is not None:
            weight.grad *= state.masks[name]


def after_epoch(state, progress):
    share = state.options.share * progress.epoch / progress.epochs
    for name, weight in state.weights.items():
        if gone := int(share * weight.numel()):
            limit = weight.data.abs().flatten().kthvalue(gone).values
            state.masks[name].copy_(weight.data.abs() > limit)
    apply(state)


def apply(state):
    for name, weight in state.weights.items():
        weight.data *= state.masks[name]
        for moment in state.optimiser.state.get(weight, {}).values():
            if getattr(moment, "shape", None) == weight.shape:
                moment.mul_(state.masks[name])


def tensors(state):
    return dict(state.masks)


def restore(state, kept):
    for name, mask in state.masks.items():
        mask.copy_(kept[name])
    apply(state)


def numbers(state):
    return {f"density {name}": float(mask.mean()) for name, mask in state.masks.items()}


@hookimpl
def evo_components():
    yield Development(
        name="fade",
        summary="the smallest weights go, a few more after each epoch",
        options=Options,
        attach=attach,
        after_backward=after_backward,
        after_epoch=after_epoch,
        tensors=tensors,
        restore=restore,
        numbers=numbers,
    )
