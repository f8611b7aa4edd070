"""The kernel of :mod:`evo_core.snn.fused`; importing it needs Triton."""

from __future__ import annotations

from typing import Any

import triton
import triton.language as tl


@triton.jit  # type: ignore[untyped-decorator]
def fire(
    currents: Any,
    potentials: Any,
    spikes: Any,
    size: int,
    steps: int,
    from_step: int,
    to_step: int,
    leak: float,
    threshold: float,
    LEAKS: tl.constexpr,  # noqa: N803
    BLOCK: tl.constexpr,  # noqa: N803
) -> None:
    """Fire a block of neurons over all steps; see :func:`evo_core.snn.fused.run`."""
    places = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
    there = places < size
    v = tl.load(potentials + places, mask=there, other=0.0).to(tl.float32)
    for _ in range(steps):
        current = tl.load(currents + places, mask=there, other=0.0).to(tl.float32)
        v = v + (current - v) * leak if LEAKS else v + current
        fired = v >= threshold
        tl.store(spikes + places, tl.where(fired, 1.0, 0.0), mask=there)
        v = tl.where(fired, 0.0, v)
        currents += from_step
        spikes += to_step
    tl.store(potentials + places, v, mask=there)
