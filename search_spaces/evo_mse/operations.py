"""The operations an edge of ``mse`` may be given, by name: data, extended by adding a line."""

from __future__ import annotations

from collections.abc import Callable

from evo_core.primitives import Conv, Pool, Primitive, useful_kernel

Size = tuple[int, int]
Operation = Callable[[int, Size], tuple[Primitive, ...]]


def conv(kernel: int, dilation: int = 1) -> Operation:
    """A full convolution; taps that no pixel can reach are left out."""

    def build(channels: int, size: Size) -> tuple[Primitive, ...]:
        useful = useful_kernel(kernel, *size, dilation)
        gap = dilation if useful > 1 else 1
        return (Conv(channels, channels, useful, dilation=gap),)

    return build


def separable(kernel: int) -> Operation:
    """A depthwise convolution, then a 1x1 convolution over channels."""

    def build(channels: int, size: Size) -> tuple[Primitive, ...]:
        useful = useful_kernel(kernel, *size)
        depthwise = Conv(channels, channels, useful, groups=channels)
        return (depthwise, Conv(channels, channels, 1))

    return build


def pool(kernel: int, *, average: bool) -> Operation:
    """A pooling that keeps the size of the map."""

    def build(channels: int, size: Size) -> tuple[Primitive, ...]:
        return (Pool("average" if average else "max", useful_kernel(kernel, *size)),)

    return build


OPERATIONS: dict[str, Operation] = {
    "conv1": conv(1),
    "conv3": conv(3),
    "conv5": conv(5),
    "conv7": conv(7),
    "dil3": conv(3, dilation=2),
    "dil5": conv(5, dilation=2),
    "sep3": separable(3),
    "sep5": separable(5),
    "avg3": pool(3, average=True),
    "max3": pool(3, average=False),
}
