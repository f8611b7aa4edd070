"""Which gene says what, and that every gene says something."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evo_core.genome import random_genome
from evo_core.primitives import Conv

MOTIFS = ("FE", "FI", "FbI", "LI", "MI")


@pytest.fixture(scope="module", params=["next-step", "same-step"])
def spaces(request, make_space):
    """Give the two macro kinds, with two operations and two neurons to choose."""
    neurons = ("lif", "lif[tau=3.0]")
    shared = {"cells": 3, "channels": 2, "neurons": neurons, "feedback": request.param}
    return {macro: make_space(macro=macro, **shared) for macro in ("chain", "per-cell")}


def changed(genome, position, value):
    return (*genome[:position], value, *genome[position + 1 :])


def kernel_edges(space, genome, task):
    """Give for each active operation gene of a genome the edges whose kernel it sets."""
    table = {}
    before = space.decode(genome, task)
    for position, gene in enumerate(space.genes):
        if gene.choices == ("conv3", "conv5") and space.active(genome)[position]:
            after = space.decode(changed(genome, position, 1 - genome[position]), task)
            pairs = zip(before.edges, after.edges, strict=True)
            table[gene.name] = [(one.source, one.target) for one, two in pairs if one != two]
    return table


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 2**32 - 1), macro=st.sampled_from(["chain", "per-cell"]))
def test_exactly_the_active_genes_change_the_network_when_changed_alone(
    spaces, digits_task, seed, macro
):
    space = spaces[macro]
    genome = random_genome(np.random.default_rng(seed), space.genes)
    identity = space.decode(genome, digits_task).hash
    for position, gene in enumerate(space.genes):
        others = set(range(len(gene.choices))) - {genome[position]}
        hashes = {space.decode(changed(genome, position, v), digits_task).hash for v in others}
        if space.active(genome)[position]:
            assert identity not in hashes, gene
            assert len(hashes) == len(others), gene
        else:
            assert hashes == {identity}, gene


@pytest.mark.parametrize("macro", ["chain", "per-cell"])
def test_every_gene_is_active_for_some_genome(spaces, macro):
    space, rng = spaces[macro], np.random.default_rng(0)
    drawn = np.array([space.active(random_genome(rng, space.genes)) for _ in range(200)])
    assert drawn.shape == (200, len(space.genes))
    assert drawn.any(axis=0).all()
    assert not drawn.all()


@pytest.mark.parametrize("motif", MOTIFS)
def test_a_change_of_k_moves_no_gene(spaces, genome_with, digits_task, motif):
    space = spaces["chain"]
    by_k = {
        k: kernel_edges(space, genome_with(space, {".motif": motif, "inputs": str(k)}), digits_task)
        for k in (2, 3, 4)
    }
    for few, many in itertools.combinations((2, 3, 4), 2):
        assert set(by_k[few]) < set(by_k[many])
        for gene, edges in by_k[few].items():
            assert by_k[many][gene] == edges


@pytest.mark.parametrize("motif", MOTIFS)
def test_each_operation_gene_sets_the_kernel_of_one_edge_and_each_edge_has_a_gene(
    spaces, genome_with, digits_task, motif
):
    space = spaces["chain"]
    genome = genome_with(space, {".motif": motif, "inputs": "4"})
    table = kernel_edges(space, genome, digits_task)
    assert all(len(edges) == 1 for edges in table.values())
    signed = [(e.source, e.target) for e in space.decode(genome, digits_task).edges if e.sign]
    assert sorted(edges[0] for edges in table.values()) == sorted(signed)


@pytest.mark.parametrize("motif", MOTIFS)
def test_input_slot_i_belongs_to_input_i_whatever_the_motif(
    spaces, genome_with, digits_task, motif
):
    space = spaces["chain"]
    table = kernel_edges(space, genome_with(space, {".motif": motif, "inputs": "4"}), digits_task)
    for number in range(4):
        ((source, _),) = table[f"cell2.in{number}"]
        assert source == f"cell2/x{number}"


def test_k_per_cell_is_a_gene_of_each_cell_and_k_of_the_chain_one_gene_at_the_end(spaces):
    chain = [gene.name for gene in spaces["chain"].genes if gene.scale == "macro"]
    per_cell = [gene.name for gene in spaces["per-cell"].genes if gene.scale == "macro"]
    assert chain == ["inputs"]
    assert spaces["chain"].genes[-1].name == "inputs"
    assert per_cell == ["cell1.inputs", "cell2.inputs", "cell3.inputs"]


def test_each_gene_belongs_to_the_scale_of_what_it_chooses(spaces):
    scales = {gene.name.split(".")[-1]: gene.scale for gene in spaces["per-cell"].genes}
    assert scales["motif"] == "motif"
    assert scales["inputs"] == "macro"
    assert {scales["neuron"], scales["in0"], scales["edge1"]} == {"neuron"}


def test_the_neuron_gene_of_a_cell_sets_all_its_neurons_and_no_others(
    spaces, genome_with, digits_task
):
    space = spaces["chain"]
    genome = genome_with(space, {".motif": "MI", "cell2.neuron": "lif[tau=3.0]"})
    for edge in space.decode(genome, digits_task).edges:
        if edge.neuron is not None:
            tau = dict(edge.neuron.settings)["tau"]
            assert tau == (3.0 if edge.target.startswith("cell2/") else 2.0)


def test_a_choice_of_one_has_no_gene(make_space, digits_task):
    space = make_space(cells=2, operations=["conv7"], inputs=[3], motifs=["FE", "FI"])
    assert [gene.name for gene in space.genes] == ["cell1.motif", "cell2.motif"]
    architecture = space.decode((0, 1), digits_task)
    kernels = {op.kernel for e in architecture.edges for op in e.operations if isinstance(op, Conv)}
    assert kernels == {1, 3, 7}  # preprocessing, stem, motifs
    assert [len(cell.sources) for cell in architecture.cells] == [3, 3]


def test_the_default_space_has_55_genes(make_space):
    assert len(make_space().genes) == 6 * (1 + 4 + 4) + 1
