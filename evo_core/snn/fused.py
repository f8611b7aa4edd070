"""Leaky integrate-and-fire over many steps in one kernel, for CUDA.

A step of a neuron is three small operations, each of which reads and writes the membrane potential
in the memory of the GPU. Here one kernel keeps it in a register from the first step to the last: it
reads the currents once and writes the spikes once. Potentials are float32 inside, whatever the
currents are. Triton comes with the CUDA builds of torch; without it nothing here is used.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import torch
from torch import Tensor

_BLOCK = 1024  # neurons of a program


def fits(currents: Tensor) -> bool:
    """Tell whether :func:`run` can be used: on CUDA, with Triton, each step dense in memory.

    Float64 keeps its precision in the plain steps.
    """
    narrow = currents.is_cuda and currents.dtype != torch.float64
    return narrow and _dense(currents) and _kernel() is not None


def run(
    currents: Tensor, v: Tensor | None, spikes: Tensor, leak: float | None, threshold: float
) -> Tensor:
    """Fire over all steps.

    Args:
        currents: The input current, ``[T', B, ...]``, each step dense in memory.
        v: The membrane potential before, ``[B, ...]``, laid out as a step of the currents and
            overwritten; None at rest.
        spikes: Where the spikes go, laid out as the currents, but no step in the memory of another.
        leak: ``1 / tau``: ``v <- v + (I - v) / tau``; None does not leak: ``v <- v + I``.
        threshold: A neuron fires at v >= threshold, and is reset to zero.

    Returns:
        The membrane potential after.
    """
    kernel = _kernel()
    assert kernel is not None
    start = torch.zeros_like(currents[0]) if v is None else v
    size = start.numel()
    if size:
        kernel[((size + _BLOCK - 1) // _BLOCK,)](
            currents, start, spikes, size, len(currents), currents.stride(0), spikes.stride(0),
            0.0 if leak is None else leak, threshold, LEAKS=leak is not None, BLOCK=_BLOCK,
        )  # fmt: skip
    return start


def _dense(currents: Tensor) -> bool:
    one = currents[0]
    return one.is_contiguous() or (
        one.dim() == 4 and one.is_contiguous(memory_format=torch.channels_last)
    )


@cache
def _kernel() -> Any:
    try:
        from evo_core.snn.fused_kernel import fire
    except ImportError:
        return None
    return fire
