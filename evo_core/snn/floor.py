"""The least time that the convolutions of a network take here: what a pass can be measured by.

Each convolution is timed alone, on tensors that are ready, all steps in one call, in the memory
format that is faster. No way of scoring is faster unless it computes fewer convolutions.
"""

from __future__ import annotations

import math
import statistics
from collections import Counter

import torch
from torch import Tensor
from torch.nn import functional

from evo_core.architecture import INPUT, Architecture
from evo_core.primitives import Conv, Shape
from evo_core.snn.devices import clock, threads

_FORMATS = (torch.contiguous_format, torch.channels_last)


def convolutions(architecture: Architecture, batch: int, *, static: bool) -> Counter[_Call]:
    """Count the convolutions of a pass, each with the shape ``[frames, C, H, W]`` of its input.

    Args:
        architecture: The network.
        batch: Samples in the batch.
        static: Whether the input is the same at each step, so that what reads it runs once.
    """
    found: Counter[_Call] = Counter()
    for edge in architecture.edges:
        once = static and edge.source == INPUT and edge.neuron is None
        frames = batch if once else batch * architecture.task.steps
        for operation, shape in edge.walk(architecture.shapes[edge.source]):
            if isinstance(operation, Conv):
                found[operation, (frames, *shape)] += 1
    return found


@threads(1)
def floor(
    architecture: Architecture,
    batch: int,
    *,
    static: bool,
    dtype: torch.dtype = torch.float32,
    device: str = "cpu",
    repeats: int = 3,
) -> float:
    """Time the convolutions of a pass alone, in seconds of :func:`evo_core.snn.devices.clock`.

    Args:
        architecture: The network.
        batch: Samples in the batch.
        static: Whether the input is the same at each step.
        dtype: What is computed in.
        device: Where.
        repeats: How often each is timed; the median counts.
    """
    calls = convolutions(architecture, batch, static=static)
    return sum(
        count * min(_seconds(conv, shape, kept, dtype, device, repeats) for kept in _FORMATS)
        for (conv, shape), count in calls.items()
    )


_Call = tuple[Conv, Shape]


def _seconds(
    conv: Conv,
    shape: Shape,
    kept: torch.memory_format,
    dtype: torch.dtype,
    device: str,
    repeats: int,
) -> float:
    generator = torch.Generator().manual_seed(0)
    spikes = (torch.rand(shape, generator=generator) < 0.2).to(device, dtype, memory_format=kept)
    size = (conv.outputs, conv.inputs // conv.groups, conv.kernel, conv.kernel)
    bound = 1 / math.sqrt(conv.fan_in)
    weight = torch.empty(size).uniform_(-bound, bound, generator=generator)
    weight = weight.to(device, dtype, memory_format=kept)
    times = []
    with torch.inference_mode():
        for _ in range(repeats + 1):  # the first call chooses a kernel
            start = clock(device)
            _convolve(conv, spikes, weight)
            times.append(clock(device) - start)
    return statistics.median(times[1:])


def _convolve(conv: Conv, spikes: Tensor, weight: Tensor) -> Tensor:
    sizes = (conv.stride, conv.padding, conv.dilation, conv.groups)
    return functional.conv2d(spikes, weight, None, *sizes)
