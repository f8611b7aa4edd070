"""Any torch module as evo's scores see a network: frames ``[T, B, ...]`` in, logits of steps out.

The module itself is never called: what runs is a copy.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any, Literal

import torch
from torch import Tensor, nn

from evo_core.errors import EvoError

Calls = Literal["static", "steps", "sequence"]
_NODES = "spikingjelly.activation_based.neuron"


class SequenceModule(nn.Module):
    """A module that is called with a sequence and gives logits ``[T, B, classes]``.

    Args:
        module: The module.
        calls: Whether it takes one frame, the frames of a sequence one by one, or all at once.
        seed: Of what it draws itself, as dropout does: the same at each call.
    """

    def __init__(self, module: nn.Module, calls: Calls, seed: int) -> None:
        super().__init__()
        self.module = module
        self._calls, self._seed = calls, seed

    def forward(self, frames: Tensor) -> Tensor:
        """Run a whole sequence, ``[T, B, ...]``."""
        torch.manual_seed(self._seed)
        if self._calls == "steps":
            given = torch.stack([_tensor(self.module(frame)) for frame in frames])
        else:
            given = _tensor(self.module(frames if self._calls == "sequence" else frames[0]))
        batch = frames.shape[1]
        if given.ndim == 2 and len(given) == batch:
            return given[None]
        if given.ndim == 3 and given.shape[1] == batch:
            return given
        raise EvoError(
            f"the module gives {tuple(given.shape)} for {batch} samples; "
            "scores read logits [B, classes] or [T, B, classes]"
        )


def spiking_nodes(module: nn.Module) -> dict[str, nn.Module]:
    """Give SpikingJelly's spiking neurons of a module, and what is derived from them, by name."""
    return {name: one for name, one in module.named_modules() if _is_spiking(one)}


def calls_of(module: nn.Module, inputs: Tensor, batch: int, time_axis: bool | None) -> Calls:
    """Tell how a module is to be called with its inputs.

    Args:
        module: The module.
        inputs: ``[B, ...]`` or ``[T, B, ...]``.
        batch: The number B of samples.
        time_axis: Whether the inputs begin with time; None to tell by their shape: they do if
            their second axis has B places, and the first has not or the module spikes.

    Raises:
        EvoError: If neither axis has B places.
    """
    first = inputs.ndim > 0 and len(inputs) == batch
    second = inputs.ndim > 2 and inputs.shape[1] == batch
    spikes = bool(spiking_nodes(module))
    if time_axis is None and (first or second):
        time_axis = second and (spikes or not first)
    if time_axis is None or not (second if time_axis else first):
        raise EvoError(
            f"inputs of shape {tuple(inputs.shape)} do not hold {batch} samples; "
            "give [B, ...], or [T, B, ...] for a network that is shown T frames"
        )
    if not time_axis:
        return "static"
    modes = {getattr(one, "step_mode", "s") for one in module.modules()}
    return "sequence" if "m" in modes or not spikes else "steps"


def copier(module: nn.Module) -> Callable[[], nn.Module]:
    """Give a function that makes copies of a module, at rest, with weights in 32 bits or more.

    Half precision is widened: sums of spikes and gradients would be lost in it.

    Raises:
        EvoError: If the module can not be copied.
    """
    kept = _copy(module)
    if floating(kept).itemsize < 4:
        kept.float()
    _at_rest(kept)
    return lambda: copy.deepcopy(kept)


def floating(module: nn.Module) -> torch.dtype:
    """Tell the floating type that a module computes in; float32 without parameters."""
    tensors = (*module.parameters(), *module.buffers())
    return next((one.dtype for one in tensors if one.is_floating_point()), torch.float32)


def _is_spiking(module: nn.Module) -> bool:
    kinds = [kind for kind in type(module).__mro__ if kind.__module__.startswith(_NODES)]
    return bool(kinds) and not any("NonSpiking" in kind.__name__ for kind in kinds)


def _tensor(value: Any) -> Tensor:
    if isinstance(value, Tensor):
        return value
    raise EvoError(f"the module gives a {type(value).__name__}; scores read a tensor of logits")


def _copy(module: nn.Module) -> nn.Module:
    """Copy a module with what its neurons remember, of which torch refuses parts of graphs."""
    held = (value for one in module.modules() for value in _tensors(vars(one)))
    memo = {id(one): one.detach().clone() for one in held if one.grad_fn is not None}
    try:
        return copy.deepcopy(module, memo)
    except Exception as error:
        raise EvoError(f"the module can not be copied: {type(error).__name__}: {error}") from error


def _tensors(value: Any) -> Iterator[Tensor]:
    """Give the tensors in nested dictionaries, lists and tuples."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, dict):
        yield from (one for part in value.values() for one in _tensors(part))
    elif isinstance(value, list | tuple):
        yield from (one for part in value for one in _tensors(part))


def _at_rest(module: nn.Module) -> None:
    """Forget what neurons remember, as SpikingJelly's ``reset_net`` does."""
    from spikingjelly.activation_based.base import MemoryModule  # takes seconds to import

    for one in module.modules():
        if isinstance(one, MemoryModule):
            one.reset()
