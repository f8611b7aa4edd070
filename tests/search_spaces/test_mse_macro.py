"""How cells are chained, where maps are halved, and where kernels are clipped."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evo_core.architecture import Task
from evo_core.genome import random_genome
from evo_core.primitives import Conv

# cells, height, width, positions of the reductions, sizes of the output maps
PLACES = [
    (6, 8, 8, [3], [8, 8, 8, 4, 4, 4]),
    (6, 9, 9, [3], [9, 9, 9, 5, 5, 5]),
    (6, 16, 16, [2, 4], [16, 16, 8, 8, 4, 4]),
    (6, 28, 28, [1, 3, 4], [28, 14, 14, 7, 4, 4]),
    (6, 32, 32, [1, 3, 4], [32, 16, 16, 8, 4, 4]),
    (6, 48, 48, [1, 3, 4], [48, 24, 24, 12, 6, 6]),
    (9, 16, 16, [3, 6], [16, 16, 16, 8, 8, 8, 4, 4, 4]),
    (6, 8, 32, [3], [8, 8, 8, 4, 4, 4]),
    (2, 32, 32, [1], [32, 16]),
    (1, 32, 32, [], [32]),
    (3, 7, 7, [1], [7, 4, 4]),
    (3, 6, 6, [], [6, 6, 6]),
]


def decode(space, task, seed=0):
    return space.decode(random_genome(np.random.default_rng(seed), space.genes), task)


def convolutions(architecture):
    for edge in architecture.edges:
        for operation, given_shape in edge.walk(architecture.shapes[edge.source]):
            if isinstance(operation, Conv):
                yield edge, operation, given_shape


@pytest.mark.parametrize(("cells", "height", "width", "positions", "sizes"), PLACES)
def test_maps_are_halved_at_even_distances_as_often_as_they_stay_4x4(
    make_space, cells, height, width, positions, sizes
):
    architecture = decode(make_space(cells=cells, channels=2), Task((1, height, width), 10, 2))
    halved = [index for index, cell in enumerate(architecture.cells) if cell.reduction]
    assert halved == positions
    assert [architecture.shapes[cell.output][1] for cell in architecture.cells] == sizes


@pytest.mark.parametrize(("cells", "height", "width", "positions", "sizes"), PLACES)
def test_channels_double_where_maps_are_halved(make_space, cells, height, width, positions, sizes):
    architecture = decode(make_space(cells=cells, channels=3), Task((1, height, width), 10, 2))
    channels = [architecture.shapes[cell.output][0] for cell in architecture.cells]
    halvings = [sum(p <= index for p in positions) for index in range(cells)]
    assert channels == [2 * 3 * 2**level for level in halvings]


def test_the_stride_sits_in_the_preprocessing_of_inputs_only(make_space):
    architecture = decode(make_space(inputs=[4]), Task((1, 32, 32), 10, 2))
    strides = {}
    for edge, conv, _ in convolutions(architecture):
        if "/x" in edge.target:
            assert conv.kernel == 1
            strides[edge.target] = conv.stride
        else:
            assert conv.stride == 1
    assert [strides[f"cell5/x{i}"] for i in range(4)] == [8, 4, 4, 2]  # cells 1, 2, 3, 4
    assert [strides[f"cell6/x{i}"] for i in range(4)] == [4, 4, 2, 1]


@pytest.mark.parametrize("size", [9, 15, 21, 33])
def test_odd_sizes_are_rounded_up_and_all_inputs_of_a_cell_fit(make_space, size):
    architecture = decode(make_space(channels=2, inputs=[4]), Task((2, size, size), 5, 2))
    for cell in architecture.cells:
        level = sum(other.reduction for other in architecture.cells if other.name <= cell.name)
        expected = size
        for _ in range(level):
            expected = (expected + 1) // 2
        for number in range(4):
            assert architecture.shapes[f"{cell.name}/x{number}"][1:] == (expected, expected)


def test_a_cell_of_a_chain_reads_the_k_states_before_it_oldest_first(
    make_space, genome_with, digits_task
):
    space = make_space(cells=4)
    cells = space.decode(genome_with(space, {"inputs": "3"}), digits_task).cells
    assert [cell.sources for cell in cells] == [
        ("stem", "stem", "stem"),
        ("stem", "stem", "cell1/out"),
        ("stem", "cell1/out", "cell2/out"),
        ("cell1/out", "cell2/out", "cell3/out"),
    ]


def test_with_macro_per_cell_each_cell_has_its_own_k(make_space, genome_with, digits_task):
    space = make_space(cells=4, macro="per-cell")
    values = {"cell1.inputs": "3", "cell2.inputs": "2", "cell3.inputs": "4", "cell4.inputs": "2"}
    cells = space.decode(genome_with(space, values), digits_task).cells
    assert [cell.sources for cell in cells] == [
        ("stem", "stem", "stem"),
        ("stem", "cell1/out"),
        ("stem", "stem", "cell1/out", "cell2/out"),
        ("cell2/out", "cell3/out"),
    ]


@pytest.mark.parametrize("macro", ["chain", "per-cell"])
def test_the_path_of_a_parameter_does_not_depend_on_later_cells(
    make_space, genome_with, digits_task, macro
):
    values = {"cell1.motif": "MI", "cell2.motif": "FbI", "cell3.motif": "LI"}
    paths = {}
    for cells in (3, 5):
        space = make_space(cells=cells, macro=macro)
        later = {"cell4.motif": "FI", "cell5.motif": "MI"}
        paths[cells] = space.decode(genome_with(space, values | later), digits_task).paths
    body = [path for path in paths[3] if not path.endswith("->logits")]
    assert list(paths[5][: len(body)]) == body
    assert not any(str(number) in path for path in body for number in (4, 5))
    assert paths[3][-1] == "cell3/out->logits"


def test_paths_of_one_network_are_all_different(make_space, digits_task):
    for seed in range(20):
        paths = decode(make_space(cells=4), digits_task, seed).paths
        assert len(set(paths)) == len(paths)


@pytest.mark.parametrize(("reductions", "size"), [(2, 2), (3, 1)])
def test_a_kernel_is_clipped_to_what_the_map_can_use(
    make_space, genome_with, digits_task, reductions, size
):
    space = make_space(cells=reductions + 1, reductions=reductions)
    last = f"cell{reductions + 1}"
    slots = [f"{last}.in0", f"{last}.in1", f"{last}.edge1"]
    small = space.decode(genome_with(space, dict.fromkeys(slots, "conv3")), digits_task)
    large = space.decode(genome_with(space, dict.fromkeys(slots, "conv5")), digits_task)
    assert small.shapes[f"{last}/a"][1:] == (size, size)
    assert small.hash == large.hash
    inside = [c.kernel for e, c, _ in convolutions(large) if e.source.startswith(f"{last}/")]
    assert inside
    assert set(inside) == {2 * size - 1}


def test_where_the_map_is_4x4_no_kernel_of_5_is_clipped(make_space, genome_with, digits_task):
    space = make_space(cells=2, reductions=1)
    values = {"cell2.in0": "conv5"}
    architecture = space.decode(genome_with(space, values), digits_task)
    ((_, edge),) = [
        pair for pair in architecture.incoming["cell2/a"] if pair[1].source == "cell2/x0"
    ]
    assert edge.operations[1].kernel == 5


def test_reductions_0_halves_nothing(make_space):
    architecture = decode(make_space(channels=2, reductions=0), Task((1, 16, 16), 4, 2))
    assert {architecture.shapes[cell.output] for cell in architecture.cells} == {(4, 16, 16)}


@settings(deadline=None, max_examples=60)
@given(
    seed=st.integers(0, 2**32 - 1),
    channels=st.integers(1, 3),
    height=st.integers(8, 48),
    width=st.integers(8, 48),
    macro=st.sampled_from(["chain", "per-cell"]),
    feedback=st.sampled_from(["next-step", "same-step"]),
)
def test_every_genome_decodes_for_every_frame(
    make_space, seed, channels, height, width, macro, feedback
):
    space = make_space(cells=5, channels=2, macro=macro, feedback=feedback)
    task = Task((channels, height, width), 7, 3)
    architecture = decode(space, task, seed)
    assert architecture.shapes["logits"] == (7,)
    assert architecture.shapes["stem"] == (6, height, width)
    assert architecture.edges[0].operations[0] == Conv(channels, 6, 3)
    for _, conv, shape in convolutions(architecture):
        assert conv.kernel <= 2 * max(shape[1:]) - 1
    smallest = min(architecture.shapes[architecture.cells[-1].output][1:])
    assert smallest >= 4
