"""The primitive operations an edge of an Architecture is made of: plain data, no torch.

Every operation tells its output shape, its parameters and its multiply-accumulates (MACs, one
multiply-add counted once, per sample and time step, borders counted as if padding were data).
Shapes leave out time and batch: ``(C, H, W)`` for maps and ``(C,)`` for vectors.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Literal

Shape = tuple[int, ...]
Value = float | int | str | bool
Sign = Literal[-1, 1]


@dataclass(frozen=True, slots=True)
class Primitive:
    """One operation; as it stands it keeps the shape and costs nothing."""

    tag: ClassVar[str] = "primitive"

    def shape(self, given: Shape) -> Shape:
        """Give the output shape for an input shape."""
        return given

    def parameters(self) -> int:
        """Count trainable scalars."""
        return 0

    def macs(self, given: Shape) -> int:
        """Count multiply-accumulates per sample and time step."""
        return 0


@dataclass(frozen=True, slots=True)
class Neuron(Primitive):
    """A population of spiking neurons, one per element of its input.

    Attributes:
        model: The name of the NeuronModel record.
        settings: Its parameters as sorted pairs.
    """

    tag: ClassVar[str] = "neuron"

    model: str
    settings: tuple[tuple[str, Value], ...] = ()


@dataclass(frozen=True, slots=True)
class Conv(Primitive):
    """A two-dimensional convolution without bias, padded by ``(kernel - 1) // 2``."""

    tag: ClassVar[str] = "conv"

    inputs: int
    outputs: int
    kernel: int
    stride: int = 1

    @property
    def padding(self) -> int:
        """The padding on each side, in pixels."""
        return (self.kernel - 1) // 2

    def shape(self, given: Shape) -> Shape:
        _expect(self, given, self.inputs, dimensions=3)
        height, width = (
            (size + 2 * self.padding - self.kernel) // self.stride + 1 for size in given[1:]
        )
        return (self.outputs, height, width)

    def parameters(self) -> int:
        return self.inputs * self.outputs * self.kernel**2

    def macs(self, given: Shape) -> int:
        return self.parameters() * math.prod(self.shape(given)[1:])


@dataclass(frozen=True, slots=True)
class BatchNorm(Primitive):
    """Batch normalisation per channel, with a trainable scale and shift."""

    tag: ClassVar[str] = "batch-norm"

    channels: int

    def shape(self, given: Shape) -> Shape:
        _expect(self, given, self.channels, dimensions=3)
        return given

    def parameters(self) -> int:
        return 2 * self.channels


@dataclass(frozen=True, slots=True)
class Clip(Primitive):
    """Keep one sign of a current: +1 makes an edge excitatory (>= 0), -1 inhibitory (<= 0)."""

    tag: ClassVar[str] = "clip"

    sign: Sign


@dataclass(frozen=True, slots=True)
class GlobalAveragePool(Primitive):
    """Mean over height and width: ``(C, H, W)`` to ``(C,)``."""

    tag: ClassVar[str] = "global-average-pool"

    def shape(self, given: Shape) -> Shape:
        return given[:1]


@dataclass(frozen=True, slots=True)
class Linear(Primitive):
    """A fully connected layer with bias."""

    tag: ClassVar[str] = "linear"

    inputs: int
    outputs: int

    def shape(self, given: Shape) -> Shape:
        _expect(self, given, self.inputs, dimensions=1)
        return (self.outputs,)

    def parameters(self) -> int:
        return (self.inputs + 1) * self.outputs

    def macs(self, given: Shape) -> int:
        return self.inputs * self.outputs


@dataclass(frozen=True, slots=True)
class Crop(Primitive):
    """Leave out the first rows and columns of a map, as many of each as ``pixels``."""

    tag: ClassVar[str] = "crop"

    pixels: int

    def shape(self, given: Shape) -> Shape:
        if len(given) != 3 or min(given[1:]) <= self.pixels:
            raise ValueError(f"{self} can not take an input of shape {given}")
        return (given[0], given[1] - self.pixels, given[2] - self.pixels)


@dataclass(frozen=True, slots=True)
class Zero(Primitive):
    """Bring zero, whatever comes in."""

    tag: ClassVar[str] = "zero"


PRIMITIVES: dict[str, type[Primitive]] = {
    kind.tag: kind
    for kind in (Neuron, Conv, BatchNorm, Clip, GlobalAveragePool, Linear, Crop, Zero)
}


def to_json(operation: Primitive) -> dict[str, Any]:
    """Write an operation as a JSON object with its tag under ``op``."""
    return {"op": operation.tag, **asdict(operation)}


def from_json(data: dict[str, Any]) -> Primitive:
    """Read what :func:`to_json` wrote.

    Raises:
        ValueError: If the tag or a field is unknown, missing or of a wrong type.
    """
    fields = dict(data)
    tag = fields.pop("op", None)
    if tag not in PRIMITIVES:
        raise ValueError(f"unknown operation {tag!r}")
    if "settings" in fields:
        fields["settings"] = tuple((str(name), value) for name, value in fields["settings"])
    try:
        return PRIMITIVES[tag](**fields)
    except TypeError as error:
        raise ValueError(f"operation {tag!r}: {error}") from None


def useful_kernel(kernel: int, height: int, width: int) -> int:
    """Clip a kernel to the taps that can touch a map of that size: at most ``2 max(H, W) - 1``."""
    return min(kernel, 2 * max(height, width) - 1)


def _expect(operation: Primitive, given: Shape, size: int, dimensions: int) -> None:
    if len(given) != dimensions or given[0] != size:
        raise ValueError(f"{operation} can not take an input of shape {given}")
