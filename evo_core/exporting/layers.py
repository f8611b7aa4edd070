"""The operations of an edge as Python: layers of SpikingJelly, and what a line of torch does."""

from __future__ import annotations

import inspect
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from spikingjelly.activation_based import neuron, surrogate
from torch import Tensor, nn

from evo_core.errors import EvoError
from evo_core.exporting.layout import Call, Names
from evo_core.primitives import (
    BatchNorm,
    Clip,
    Conv,
    Crop,
    Flatten,
    GlobalAveragePool,
    Linear,
    Neuron,
    Pool,
    Primitive,
    Zero,
)

RESERVED = (
    "torch", "nn", "layer", "neuron", "surrogate", "functional", "json", "sys", "np", "Path",
    "Tensor", "self", "t", "len", "range", "load", "main", "read_weights", "conv_bn", "excite",
    "inhibit", "Network", "FOLDER",
)  # fmt: skip
_FOR_ALL = ("step_mode", "store_v_seq")  # what the file sets for all neurons together
_PLAIN = (Clip, GlobalAveragePool, Flatten, Crop, Zero)

Placed = tuple[Primitive, nn.Module | None]


@dataclass(frozen=True, slots=True)
class Layer:
    """What builds a module, and the weights it takes, by their names within it."""

    call: Call
    tensors: dict[str, Tensor]


@dataclass(slots=True)
class Helpers:
    """The small functions that a file needs.

    Attributes:
        used: The names of those that every file shares, e.g. ``excite``.
        neurons: The neurons, by the names of the functions that make them.
    """

    used: set[str] = field(default_factory=set)
    neurons: dict[str, Call] = field(default_factory=dict)
    names: Names = field(default_factory=lambda: Names(RESERVED))

    def neuron(self, operation: Neuron, module: nn.Module) -> Call:
        """Give the call that makes a neuron; equal ones share a function.

        Raises:
            EvoError: If the neuron is none of SpikingJelly's.
        """
        made = neuron_call(operation.model, module)
        for name, one in self.neurons.items():
            if str(one) == str(made):
                return Call(name)
        name = self.names.new(operation.model)
        self.neurons[name] = made
        return Call(name)


def neuron_call(model: str, module: nn.Module) -> Call:
    """Write the constructor of a neuron of SpikingJelly with its arguments.

    Raises:
        EvoError: If it is of another class.
    """
    kind = type(module)
    if getattr(neuron, kind.__name__, None) is not kind:
        raise EvoError(
            f"the neuron {model!r} is a {kind.__module__}.{kind.__name__}, which is no neuron of "
            "SpikingJelly: a file without evo can not hold it"
        )
    return Call(f"neuron.{kind.__name__}", tuple(_arguments(module)))


def _arguments(module: Any) -> Iterator[str | Call]:
    for name in inspect.signature(type(module)).parameters:
        if name == "init_tau":  # learnt: what it has become is among the weights
            tau = 1 + math.exp(-float(module.w.detach()))  # tau = 1 / sigmoid(w)
            yield f"init_tau={max(round(tau, 4), 1.0001)}"
        elif name == "surrogate_function":
            yield f"surrogate_function={_surrogate(module.surrogate_function)}"
        elif name not in _FOR_ALL and hasattr(module, name):
            yield f"{name}={getattr(module, name)!r}"


def _surrogate(function: Any) -> Call:
    kind = type(function)
    if getattr(surrogate, kind.__name__, None) is not kind:
        raise EvoError(
            f"the surrogate {kind.__module__}.{kind.__name__} is none of SpikingJelly's: a file "
            "without evo can not hold it"
        )
    named = [one for one in inspect.signature(kind).parameters if one != "spiking"]
    return Call(
        f"surrogate.{kind.__name__}", tuple(f"{one}={getattr(function, one)!r}" for one in named)
    )


def runs(placed: Sequence[Placed]) -> Iterator[list[Placed]]:
    """Cut the operations of an edge into runs of layers, and what needs no layer one by one."""
    run: list[Placed] = []
    for one in placed:
        if isinstance(one[0], _PLAIN):
            if run:
                yield run
            yield [one]
            run = []
        else:
            run.append(one)
    if run:
        yield run


def is_plain(run: Sequence[Placed]) -> bool:
    """Tell whether a run needs no layer."""
    return isinstance(run[0][0], _PLAIN)


def plain(operation: Primitive, value: str, helpers: Helpers) -> str:
    """Write what an operation without a layer makes of a value."""
    match operation:
        case Clip(sign):
            name = "excite" if sign > 0 else "inhibit"
            helpers.used.add(name)
            return f"{name}({value})"
        case GlobalAveragePool():
            return f"{value}.mean((-2, -1))"
        case Flatten():
            return f"{value}.flatten(2)"
        case Crop(pixels):
            return f"{value}[..., {pixels}:, {pixels}:]"
    return f"torch.zeros_like({value})"


def layer_of(run: Sequence[Placed], helpers: Helpers) -> Layer:
    """Write a run of layers as one module.

    Raises:
        EvoError: If it holds a neuron that is none of SpikingJelly's.
    """
    found = list(_layers(run, helpers))
    if len(found) == 1:
        return found[0]
    tensors = {
        f"{index}.{name}": tensor
        for index, one in enumerate(found)
        for name, tensor in one.tensors.items()
    }
    return Layer(Call("nn.Sequential", tuple(one.call for one in found)), tensors)


def _layers(run: Sequence[Placed], helpers: Helpers) -> Iterator[Layer]:
    rest = list(run)
    while rest:
        operation, module = rest.pop(0)
        tensors = dict(module.state_dict()) if module is not None else {}
        if isinstance(operation, Conv) and rest and isinstance(rest[0][0], BatchNorm):
            helpers.used.add("conv_bn")
            named = {f"0.{name}": tensor for name, tensor in tensors.items()}
            norm = rest.pop(0)[1]
            assert norm is not None
            named |= {f"1.{name}": tensor for name, tensor in norm.state_dict().items()}
            yield Layer(Call("conv_bn", tuple(_sizes(operation))), named)
        elif isinstance(operation, Neuron):
            assert module is not None
            yield Layer(helpers.neuron(operation, module), tensors)
        else:
            yield Layer(_call(operation), tensors)


def _call(operation: Primitive) -> Call:
    match operation:
        case Conv():
            sizes = [one for one in _sizes(operation) if not one.startswith("groups")]
            more = [f"padding={operation.padding}"] if operation.padding else []
            more += [f"groups={operation.groups}"] if operation.groups > 1 else []
            return Call("layer.Conv2d", (*sizes, *more, "bias=False"))
        case BatchNorm(channels):
            return Call("layer.BatchNorm2d", (f"{channels}",))
        case Linear(inputs, outputs):
            return Call("layer.Linear", (f"{inputs}", f"{outputs}"))
        case Pool(mode, kernel, stride):
            sizes = [f"{kernel}", f"stride={stride}"]
            sizes += [f"padding={operation.padding}"] if operation.padding else []
            sizes += ["ceil_mode=True"]
            if mode == "max":
                return Call("layer.MaxPool2d", tuple(sizes))
            return Call("layer.AvgPool2d", (*sizes, "count_include_pad=False"))
    raise TypeError(f"no layer for the operation {operation}")


def _sizes(conv: Conv) -> Iterator[str]:
    yield from (f"{conv.inputs}", f"{conv.outputs}", f"{conv.kernel}")
    for name in ("stride", "dilation", "groups"):
        if getattr(conv, name) > 1:
            yield f"{name}={getattr(conv, name)}"
