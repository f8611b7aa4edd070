"""Spaces and genomes for the tests of the search spaces."""

from __future__ import annotations

import pytest

from evo_core.architecture import Task
from evo_core.binding import Binder
from evo_core.components import SearchSpace, load
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
