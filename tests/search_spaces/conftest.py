"""Spaces and genomes for the tests of the search spaces."""

from __future__ import annotations

import pytest

from evo_core.architecture import Task
from evo_core.binding import Binder
from evo_core.components import SearchSpace, load
from evo_core.genome import parse_genome
from evo_core.registry import installed


@pytest.fixture(scope="session")
def make_space():
    """Give ``make(*components, **options)``, which builds the space ``mse``."""

    def make(*components, **options):
        binder = Binder(installed(components=components), {"mse": options})
        bound = binder.bind(SearchSpace, "mse")
        return load(bound.record.build)(bound.options, binder.bind)

    return make


@pytest.fixture(scope="session")
def genome_with():
    """Give ``genome(space, values)``: genes by name, by an ending such as ``.motif``, others 0."""

    def genome(space, values):
        genes = [0] * len(space.genes)
        for ending, choice in values.items():
            for position, gene in enumerate(space.genes):
                if gene.name == ending or (ending.startswith(".") and gene.name.endswith(ending)):
                    genes[position] = gene.choices.index(choice)
        return tuple(genes)

    return genome


@pytest.fixture(scope="session")
def digits_task():
    return Task((1, 8, 8), 10, 4)


@pytest.fixture(scope="session")
def make_released():
    """Give ``make(**options)``, which builds the space ``mse-released``."""

    def make(**options):
        binder = Binder(installed(), {"mse-released": options})
        bound = binder.bind(SearchSpace, "mse-released")
        return load(bound.record.build)(bound.options, binder.bind)

    return make


@pytest.fixture(scope="session")
def released_genome():
    """Give ``genome(motifs, k, genes=(), cells=6)``: per cell a motif and its 19 other genes."""

    def genome(motifs, k, genes=(), cells=6):
        motifs = [motifs] * cells if isinstance(motifs, int) else motifs
        rest = [*genes, *[0] * (19 - len(genes))]
        return (*(value for motif in motifs for value in (motif, *rest)), k)

    return genome


@pytest.fixture(scope="session")
def sample_genome():
    """Give the sample genome of the released code: motif 4 in every cell, k = 3."""
    return parse_genome(
        "4,0,0,1,1,1,0,1,0,1,0,0,0,1,0,1,0,1,0,0,4,1,1,1,1,1,0,1,1,0,1,1,0,1,1,1,0,1,0,0,"
        "4,1,1,0,1,0,0,1,0,1,1,0,1,1,0,0,1,0,1,2,4,1,0,0,1,1,1,0,0,1,0,0,1,0,0,1,0,0,1,1,"
        "4,0,1,1,0,1,0,0,1,0,1,0,1,1,1,0,1,0,1,3,4,1,0,1,0,0,1,1,1,0,0,1,0,1,0,0,0,1,0,0,3"
    )
