"""Pools in both executors against the definition, written as loops."""

from __future__ import annotations

import pytest
import torch

from evo_core.architecture import Architecture, Edge, Node, Task
from evo_core.primitives import Flatten, Pool


def by_definition(maps, pool):
    """Pool ``[..., H, W]`` pixel by pixel; what lies outside the map is left out."""
    _, height, width = pool.shape((1, *maps.shape[-2:]))
    reduce = torch.amax if pool.mode == "max" else torch.mean
    before = pool.kernel // 2 if pool.stride == 1 else 0
    rows = []
    for y in range(height):
        top = y * pool.stride - before
        row = []
        for x in range(width):
            left = x * pool.stride - before
            square = maps[..., max(top, 0) : top + pool.kernel, max(left, 0) : left + pool.kernel]
            row.append(reduce(square, dim=(-2, -1)))
        rows.append(torch.stack(row, dim=-1))
    return torch.stack(rows, dim=-2)


@pytest.mark.parametrize("mode", ["max", "average"])
@pytest.mark.parametrize(("kernel", "stride"), [(1, 1), (3, 1), (5, 1), (2, 2), (3, 3), (4, 4)])
@pytest.mark.parametrize("size", [(4, 4), (7, 6), (5, 9), (1, 1), (2, 3)])
def test_both_executors_pool_as_defined(frames_of, score, build, mode, kernel, stride, size):
    pool = Pool(mode, kernel, stride)
    channels, height, width = pool.shape((2, *size))
    task = Task((2, *size), channels * height * width, 3)
    edge = Edge("input", "logits", (pool, Flatten()))
    architecture = Architecture(task, (Node("logits"),), (edge,), "logits")
    frames = frames_of(architecture) - 0.5
    expected = by_definition(frames, pool).flatten(2)
    logits, _ = score(architecture, frames)
    assert torch.allclose(logits, expected)
    assert torch.equal(build(architecture)(frames), logits)
