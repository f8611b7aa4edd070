"""What the operations of an edge do to ``[T', B, ...]`` in the untrained pass.

Time is folded into the batch. Maps come out with the channels last in memory, in which layout
convolutions, pools and batch statistics run fastest on a CPU.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

from evo_core.primitives import (
    BatchNorm,
    Clip,
    Conv,
    Crop,
    Flatten,
    GlobalAveragePool,
    Linear,
    Pool,
    Primitive,
    Zero,
)
from evo_core.snn.weights import Weights

Statistics = Literal["step", "sequence"]
VIEWS = (Flatten, Crop)  # what they give lies in the memory of what they are given
_EPSILON = 1e-5  # of torch's BatchNorm


def apply(
    operation: Primitive, path: str, value: Tensor, weights: Weights, statistics: Statistics
) -> Tensor:
    """Apply an operation with weights or without.

    Args:
        operation: Any but a neuron.
        path: Its parameter path.
        value: ``[T', B, ...]``; it is left as it is.
        weights: Where the initial weights come from.
        statistics: What BatchNorm averages over.

    Raises:
        TypeError: If there is no such operation.
    """
    match operation:
        case Conv(inputs, outputs, kernel, stride, dilation, groups):
            shape = (outputs, inputs // groups, kernel, kernel)
            weight = weights.cached(f"{path}.weight", shape, operation.fan_in)
            more = (None, stride, operation.padding, dilation, groups)
            return _unfolded(torch.conv2d(value.flatten(0, 1), weight, *more), value)
        case Linear(inputs, outputs):
            weight = weights.cached(f"{path}.weight", (outputs, inputs), inputs)
            bias = weights.cached(f"{path}.bias", (outputs,), inputs)
            return functional.linear(value, weight, bias)
        case BatchNorm():
            return normalise(value.clone(), statistics)
        case Clip(sign):
            return value.clamp(min=0) if sign > 0 else value.clamp(max=0)
        case Pool():
            return _unfolded(_pool(value.flatten(0, 1), operation), value)
        case GlobalAveragePool():
            return value.mean((-2, -1))
        case Flatten():
            return value.flatten(2)
        case Crop(pixels):
            return value[..., pixels:, pixels:]
        case Zero():
            return torch.zeros_like(value)
    raise TypeError(f"the untrained pass has no operation {operation}")


def apply_in_place(operation: Primitive, value: Tensor, statistics: Statistics) -> bool:
    """Apply an operation in the memory of ``value`` if it can be, and tell whether it was."""
    match operation:
        case BatchNorm():
            normalise(value, statistics)
        case Clip(sign):
            value.clamp_(min=0) if sign > 0 else value.clamp_(max=0)
        case _:
            return False
    return True


def normalise(value: Tensor, statistics: Statistics) -> Tensor:
    """Normalise ``[T', B, C, H, W]`` in place by the mean and variance of each channel.

    They are those of the batch, at one step or over all steps together, as torch's BatchNorm
    without scale and shift computes them in training mode, the variance biased.
    """
    if value.is_cuda or value.dtype == torch.bfloat16:
        return _normalised_by_torch(value, statistics)
    for part in value if statistics == "step" else (value.flatten(0, 1),):
        mean, variance = (one[:, None, None] for one in _moments(part))
        scale = variance.add_(_EPSILON).rsqrt_()
        torch.addcmul(mean.neg_().mul_(scale), part, scale, out=part)
    return value


def _moments(frames: Tensor) -> tuple[Tensor, Tensor]:
    """Give the mean and the biased variance of each channel of ``[B, C, H, W]``.

    torch adds up what lies apart in memory number by number, which is fast but, over all pixels of
    a batch, moves many spikes. So they are put in rows of several pixels; each place of a row has
    moments of its own, from a short sum, and those of a channel follow from those of its places.
    """
    pixels = frames.permute(0, 2, 3, 1).flatten(0, 2)
    rows = pixels.view(-1, _places(len(pixels)) * pixels.shape[1])
    moments = torch.batch_norm_update_stats(rows, None, None, 0.0)
    means, variances = (each.view(-1, pixels.shape[1]) for each in moments)
    mean = means.mean(0)
    return mean, variances.mean(0).add_((means - mean).square_().mean(0))


@cache
def _places(pixels: int) -> int:
    """Choose the pixels of a row: about as many as there are rows, and none left over."""
    return max(count for count in range(1, math.isqrt(pixels) + 1) if pixels % count == 0)


def _normalised_by_torch(value: Tensor, statistics: Statistics) -> Tensor:
    wide = torch.promote_types(value.dtype, torch.float32)
    mean, scale = value.new_empty((2, value.shape[2]), dtype=wide)
    ones = zeros = None
    if wide != value.dtype:  # without them, torch would round the statistics
        ones, zeros = torch.ones_like(mean), torch.zeros_like(mean)
    for part in value if statistics == "step" else (value.flatten(0, 1),):
        given = (ones, zeros, None, None, True, 0.0, _EPSILON)
        torch.native_batch_norm(part, *given, out=(part, mean, scale))
    return value


def _pool(frames: Tensor, pool: Pool) -> Tensor:
    sizes = (pool.kernel, pool.stride, pool.padding)
    if pool.mode == "max":
        return functional.max_pool2d(frames, *sizes, ceil_mode=True)
    return functional.avg_pool2d(frames, *sizes, ceil_mode=True, count_include_pad=False)


def _unfolded(folded: Tensor, like: Tensor) -> Tensor:
    return folded.view(*like.shape[:2], *folded.shape[1:])
