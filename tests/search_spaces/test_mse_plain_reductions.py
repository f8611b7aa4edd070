"""Plain reductions: cells that only halve the maps, as published, and have no genes."""

from __future__ import annotations

import numpy as np
import pytest

from evo_core.architecture import Task
from evo_core.errors import EvoError
from evo_core.genome import random_genome
from evo_core.primitives import BatchNorm, Conv, Crop

OPTIONS = {"plain_reductions": True, "reductions": 2, "channels": 4}


def decoded(space, size, seed=0):
    genome = random_genome(np.random.default_rng(seed), space.genes)
    return space.decode(genome, Task((1, *size), 10, 4))


def test_a_plain_reduction_has_no_genes_and_no_motif(make_space):
    space = make_space(**OPTIONS)
    assert {gene.name.partition(".")[0] for gene in space.genes} == {
        "cell1", "cell2", "cell4", "cell6", "inputs",
    }  # fmt: skip
    cells = decoded(space, (16, 16)).cells
    assert [cell.motif for cell in cells if cell.reduction] == ["reduction", "reduction"]
    assert [cell.name for cell in cells if cell.reduction] == ["cell3", "cell5"]


def test_it_is_two_strided_convolutions_the_second_shifted_and_one_norm(make_space):
    architecture = decoded(make_space(**OPTIONS), (16, 16))
    edges = [edge for edge in architecture.edges if edge.target.startswith("cell3/")]
    first, second, *_, norm = (edge.operations for edge in edges)
    assert first[1:] == (Conv(8, 8, 3, stride=2),)
    assert second[1:] == (Crop(1), Conv(8, 8, 3, stride=2))
    assert norm == (BatchNorm(16),)
    assert architecture.shapes["cell3/out"] == (16, 8, 8)


@pytest.mark.parametrize("size", [(8, 8), (9, 9), (13, 10), (48, 47)])
def test_odd_sizes_are_halved_upwards(make_space, size):
    architecture = decoded(make_space(**OPTIONS), size)
    assert architecture.shapes["cell5/out"][1:] == tuple(-(-side // 4) for side in size)


def test_the_number_of_plain_reductions_must_be_said(make_space):
    with pytest.raises(EvoError, match=r"reductions=2"):
        make_space(plain_reductions=True)
