"""The primitive operations an edge of an Architecture is made of: plain data, no torch.

Every operation tells its output shape, its parameters and its multiply-accumulates (MACs, one
multiply-add counted once, per sample and time step, borders counted as if padding were data).
Shapes leave out time and batch: ``(C, H, W)`` for maps and ``(C,)`` for vectors.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Annotated, Any, ClassVar, Literal

from annotated_types import Ge

Shape = tuple[int, ...]
Value = float | int | str | bool
Sign = Literal[-1, 1]
Count = Annotated[int, Ge(1)]


@dataclass(frozen=True, slots=True)
class Primitive:
    """One operation; as it stands it keeps the shape and costs nothing."""

    tag: ClassVar[str] = "primitive"

    @property
    def label(self) -> str:
        """A short name for people; empty for what goes without saying."""
        return ""

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

    @classmethod
    def of(cls, model: str, parameters: Any) -> Neuron:
        """Make a population of a model with its parameters, a dataclass."""
        return cls(model, tuple(sorted(asdict(parameters).items())))


@dataclass(frozen=True, slots=True)
class Conv(Primitive):
    """A two-dimensional convolution without bias, padded so that stride 1 keeps the size."""

    tag: ClassVar[str] = "conv"

    inputs: Count
    outputs: Count
    kernel: Count
    stride: Count = 1
    dilation: Count = 1
    groups: Count = 1

    def __post_init__(self) -> None:
        if self.kernel % 2 == 0:
            raise ValueError(f"kernels have an odd size, not {self.kernel}")
        if self.inputs % self.groups or self.outputs % self.groups:
            raise ValueError(f"{self.groups} groups do not divide the channels")

    @property
    def label(self) -> str:
        kind = "dw" if self.groups > 1 else "dil" if self.dilation > 1 else "conv"
        return f"{kind}{self.kernel}"

    @property
    def padding(self) -> int:
        """The padding on each side, in pixels."""
        return self.dilation * (self.kernel - 1) // 2

    @property
    def fan_in(self) -> int:
        """The number of inputs of an output unit."""
        return self.inputs // self.groups * self.kernel**2

    def shape(self, given: Shape) -> Shape:
        _expect(self, given, self.inputs, dimensions=3)
        height, width = (-(-size // self.stride) for size in given[1:])
        return (self.outputs, height, width)

    def parameters(self) -> int:
        return self.fan_in * self.outputs

    def macs(self, given: Shape) -> int:
        return self.parameters() * math.prod(self.shape(given)[1:])


@dataclass(frozen=True, slots=True)
class Pool(Primitive):
    """Average or maximum over a square; what lies outside the map is left out.

    With stride 1 there is a square round every pixel, so that the size is kept. With the stride of
    the kernel the squares stand side by side; sizes that it does not divide are rounded up.
    """

    tag: ClassVar[str] = "pool"

    mode: Literal["average", "max"]
    kernel: Count
    stride: Count = 1

    def __post_init__(self) -> None:
        if self.stride not in (1, self.kernel):
            raise ValueError(f"a pool has stride 1 or that of its kernel, not {self.stride}")
        if self.stride == 1 and self.kernel % 2 == 0:
            raise ValueError(f"kernels have an odd size, not {self.kernel}")

    @property
    def label(self) -> str:
        apart = f"/{self.stride}" if self.stride > 1 else ""
        return f"{'avg' if self.mode == 'average' else 'max'}{self.kernel}{apart}"

    @property
    def padding(self) -> int:
        """The padding on each side, in pixels."""
        return self.kernel // 2 if self.stride == 1 else 0

    def shape(self, given: Shape) -> Shape:
        _expect(self, given, given[0], dimensions=3)
        height, width = (-(-size // self.stride) for size in given[1:])
        return (given[0], height, width)


@dataclass(frozen=True, slots=True)
class BatchNorm(Primitive):
    """Batch normalisation per channel, with a trainable scale and shift."""

    tag: ClassVar[str] = "batch-norm"

    channels: Count

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

    @property
    def label(self) -> str:
        return "mean"

    def shape(self, given: Shape) -> Shape:
        return given[:1]


@dataclass(frozen=True, slots=True)
class Flatten(Primitive):
    """Put the pixels of all maps in one row: ``(C, H, W)`` to ``(C H W,)``."""

    tag: ClassVar[str] = "flatten"

    def shape(self, given: Shape) -> Shape:
        return (math.prod(given),)


@dataclass(frozen=True, slots=True)
class Linear(Primitive):
    """A fully connected layer with bias."""

    tag: ClassVar[str] = "linear"

    inputs: Count
    outputs: Count

    def shape(self, given: Shape) -> Shape:
        _expect(self, given, self.inputs, dimensions=1)
        return (self.outputs,)

    def parameters(self) -> int:
        return (self.inputs + 1) * self.outputs

    def macs(self, given: Shape) -> int:
        return self.inputs * self.outputs

    @property
    def label(self) -> str:
        return "linear"


@dataclass(frozen=True, slots=True)
class Crop(Primitive):
    """Leave out the first rows and columns of a map, as many of each as ``pixels``."""

    tag: ClassVar[str] = "crop"

    pixels: Count

    @property
    def label(self) -> str:
        return f"crop{self.pixels}"

    def shape(self, given: Shape) -> Shape:
        if len(given) != 3 or min(given[1:]) <= self.pixels:
            raise ValueError(f"{self} can not take an input of shape {given}")
        return (given[0], given[1] - self.pixels, given[2] - self.pixels)


@dataclass(frozen=True, slots=True)
class Zero(Primitive):
    """Bring zero, whatever comes in."""

    tag: ClassVar[str] = "zero"

    @property
    def label(self) -> str:
        return "zero"


PRIMITIVES: dict[str, type[Primitive]] = {
    kind.tag: kind
    for kind in (
        Neuron, Conv, Pool, BatchNorm, Clip, GlobalAveragePool, Flatten, Linear, Crop, Zero,
    )
}  # fmt: skip


def useful_kernel(kernel: int, height: int, width: int, dilation: int = 1) -> int:
    """Clip a kernel to the taps that can touch a map of that size: at most ``2 max(H, W) - 1``."""
    reach = (max(height, width) - 1) // dilation
    return min(kernel, 2 * reach + 1)


def _expect(operation: Primitive, given: Shape, size: int, dimensions: int) -> None:
    if len(given) != dimensions or given[0] != size:
        raise ValueError(f"{operation} can not take an input of shape {given}")
