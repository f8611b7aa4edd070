"""The k-th smallest of many values, exactly, without a copy of them on the CPU."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from evo_sdsnn.ranges import pieces

Floats = npt.NDArray[np.floating[Any]]
_FEW = 1 << 20
_STRIDE = 64


def kth_smallest(values: Tensor, rank: int) -> Tensor:
    """Give the value that ``rank`` others are sorted before, a scalar.

    On a CPU a sample brackets it, one pass gathers what lies in the bracket, and only that is
    partitioned; should it lie outside, all values are.

    Args:
        values: In one row, at least one.
        rank: From 0.
    """
    if values.device.type != "cpu":
        return values.kthvalue(rank + 1).values
    array = values.numpy()
    found = _bracketed(array, rank) if len(array) > _FEW else None
    if found is None:
        found = np.partition(array, rank)[rank]
    return torch.tensor(found, dtype=values.dtype)


def put_last(values: Tensor, flags: Tensor) -> None:
    """Make values whose flag is set larger than all others, in place; a branch for each is slow."""
    flat, chosen = values.view(-1), flags.view(-1)
    for piece in pieces(flat):
        highest = (
            chosen[piece].view(torch.uint8).to(values.dtype).mul_(torch.finfo(values.dtype).max)
        )
        torch.maximum(flat[piece], highest, out=flat[piece])


def _bracketed(array: Floats, rank: int) -> Any:
    sample = np.sort(array[::_STRIDE])
    middle, margin = rank // _STRIDE, int(4 * len(sample) ** 0.5)
    low = sample[max(0, middle - margin)]
    high = sample[min(len(sample) - 1, middle + margin)]
    below, inside = 0, []
    for first in range(0, len(array), 1 << 16):
        some = array[first : first + (1 << 16)]
        below += int(np.count_nonzero(some < low))
        inside.append(some[(some >= low) & (some <= high)])
    gathered = np.concatenate(inside)
    if not 0 <= rank - below < len(gathered):
        return None
    return np.partition(gathered, rank - below)[rank - below]
