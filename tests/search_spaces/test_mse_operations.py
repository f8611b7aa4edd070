"""The operations an edge may be given: what they are made of, and how they are clipped."""

from __future__ import annotations

import pytest

from evo_core.architecture import Task
from evo_core.primitives import BatchNorm, Clip, Conv, Neuron, Pool
from evo_mse.operations import OPERATIONS

MAP = (8, 8)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("conv1", (Conv(6, 6, 1),)),
        ("conv3", (Conv(6, 6, 3),)),
        ("conv5", (Conv(6, 6, 5),)),
        ("conv7", (Conv(6, 6, 7),)),
        ("dil3", (Conv(6, 6, 3, dilation=2),)),
        ("dil5", (Conv(6, 6, 5, dilation=2),)),
        ("sep3", (Conv(6, 6, 3, groups=6), Conv(6, 6, 1))),
        ("sep5", (Conv(6, 6, 5, groups=6), Conv(6, 6, 1))),
        ("avg3", (Pool("average", 3),)),
        ("max3", (Pool("max", 3),)),
    ],
)
def test_an_operation_is_made_of(name, expected):
    assert OPERATIONS[name](6, MAP) == expected


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("size", [(1, 1), (2, 2), (3, 1), (8, 8), (9, 5)])
def test_every_operation_keeps_the_shape_whatever_the_map(name, size):
    shape = (6, *size)
    for operation in OPERATIONS[name](6, size):
        assert operation.shape(shape) == shape


@pytest.mark.parametrize(
    ("name", "size", "expected"),
    [
        ("dil3", (2, 2), Conv(6, 6, 1)),  # taps two pixels away never touch a 2x2 map
        ("dil5", (4, 4), Conv(6, 6, 3, dilation=2)),
        ("sep5", (2, 2), Conv(6, 6, 3, groups=6)),
        ("max3", (1, 1), Pool("max", 1)),
    ],
)
def test_taps_that_no_pixel_can_reach_are_left_out(name, size, expected):
    assert OPERATIONS[name](6, size)[0] == expected


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_edge_wraps_its_operation_in_neuron_norm_and_clip(make_space, genome_with, name):
    space = make_space(cells=1, operations=[name], motifs=["FI"], inputs=[2], channels=4)
    architecture = space.decode(genome_with(space, {}), Task((1, 8, 8), 10, 4))
    edge = next(edge for edge in architecture.edges if edge.sign == -1)
    first, *middle, norm, clip = edge.operations
    assert isinstance(first, Neuron)
    assert tuple(middle) == OPERATIONS[name](4, MAP)
    assert (norm, clip) == (BatchNorm(4), Clip(-1))


@pytest.mark.parametrize("feedback", ["next-step", "same-step"])
def test_without_sign_clips_everything_else_stays(make_space, genome_with, feedback):
    options = {"cells": 2, "channels": 4, "feedback": feedback}
    clipped, plain = (make_space(**options, sign_clip=clip) for clip in (True, False))
    assert clipped.genes == plain.genes
    genome = genome_with(clipped, {"cell1.motif": "FbI", "cell2.motif": "LI"})
    task = Task((1, 8, 8), 10, 4)
    with_clips, without = (space.decode(genome, task) for space in (clipped, plain))
    assert with_clips.nodes == without.nodes
    assert {edge.sign for edge in with_clips.edges} == {-1, 0, 1}
    kept = [
        tuple(each for each in edge.operations if not isinstance(each, Clip))
        for edge in with_clips.edges
    ]
    assert kept == [edge.operations for edge in without.edges]
