"""With ``macro`` free, each cell picks its sources among all earlier states."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evo_core.components import NoOptions
from evo_core.genome import check_genome, random_genome
from evo_core.operators import mate_macro, mutate_macro, two_point


def names(architecture):
    return [[source.removesuffix("/out") for source in cell.sources] for cell in architecture.cells]


def genomes(space, count, seed=0):
    rng = np.random.default_rng(seed)
    return [random_genome(rng, space.genes) for _ in range(count)]


def assert_sources_are_sound(architecture):
    order = ["stem", *(cell.name for cell in architecture.cells)]
    for number, sources in enumerate(names(architecture), 1):
        places = [order.index(source) for source in sources]
        assert places == sorted(places)
        assert places[-1] == number - 1  # the state just before
        assert all(place < number for place in places)
        without_stem = [place for place in places if place > 0]
        assert len(set(without_stem)) == len(without_stem)
        if number >= len(places):
            assert len(set(places)) == len(places)


def readers(architecture):
    """Give the states that lead to the logits."""
    alive, frontier = set(), {architecture.output}
    while frontier:
        node = frontier.pop()
        alive.add(node)
        frontier |= (
            {edge.source for edge in architecture.edges if edge.target == node} - alive - {"input"}
        )
    return alive


@pytest.mark.parametrize("cells", [1, 2, 3, 6, 12])
def test_sources_are_earlier_distinct_and_sorted_and_end_with_the_cell_before(
    make_space, digits_task, cells
):
    space = make_space(macro="free", cells=cells)
    for genome in genomes(space, 30):
        assert_sources_are_sound(space.decode(genome, digits_task))


def test_no_node_is_ever_dead(make_space, digits_task):
    space = make_space(macro="free", cells=6)
    for genome in genomes(space, 40):
        architecture = space.decode(genome, digits_task)
        assert readers(architecture) == {node.name for node in architecture.nodes}


def test_every_choice_of_sources_can_be_reached(make_space, digits_task):
    space = make_space(macro="free", cells=4, inputs=[3], motifs=["FE"], operations=["conv3"])
    reached = {tuple(names(space.decode(genome, digits_task))[3]) for genome in genomes(space, 200)}
    pairs = itertools.combinations(("stem", "cell1", "cell2"), 2)
    assert reached == {(*pair, "cell3") for pair in pairs}


def test_where_there_are_fewer_states_than_inputs_the_stem_is_repeated(make_space, digits_task):
    space = make_space(macro="free", cells=3, inputs=[4], motifs=["FE"])
    architecture = space.decode(genomes(space, 1)[0], digits_task)
    assert names(architecture) == [
        ["stem"] * 4,
        ["stem", "stem", "stem", "cell1"],
        ["stem", "stem", "cell1", "cell2"],
    ]


def test_a_source_gene_is_active_only_where_there_is_a_choice(make_space):
    space = make_space(macro="free", cells=4, inputs=[2, 4])
    table = {gene.name: index for index, gene in enumerate(space.genes)}
    for genome in genomes(space, 30):
        active = space.active(genome)
        two_inputs = (
            space.genes[table["cell4.inputs"]].choices[genome[table["cell4.inputs"]]] == "2"
        )
        assert active[table["cell4.source1"]] == two_inputs  # with four inputs all three are read
        assert not active[table["cell4.source2"]]
    assert "cell1.source1" not in table
    assert "cell2.source1" not in table  # the stem is the only other state


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 10**6))
def test_variation_keeps_free_connections_valid(seed):
    from evo_core.architecture import Task
    from evo_core.binding import Binder
    from evo_core.components import SearchSpace, load
    from evo_core.registry import installed

    binder = Binder(installed(), {"mse": {"macro": "free", "cells": 5}})
    bound = binder.bind(SearchSpace, "mse")
    space = load(bound.record.build)(bound.options, binder.bind)
    rng = np.random.default_rng(seed)
    one, two = (random_genome(rng, space.genes) for _ in range(2))
    children = (
        *mutate_macro(rng, space, one, options=NoOptions()),
        *mate_macro(rng, space, one, two, options=NoOptions()),
        *two_point(rng, space, one, two, options=NoOptions()),
    )
    for child in children:
        assert check_genome(child, space.genes, "mse") == child
        assert_sources_are_sound(space.decode(child, Task((1, 8, 8), 10, 4)))
