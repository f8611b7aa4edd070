"""The released encoding: its bounds, which genes speak, and what the others do not say."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evo_core.architecture import Task
from evo_core.errors import EvoError, InvalidGenomeError
from evo_core.genome import check_genome, random_genome
from evo_core.operators import mutate_scale

TASK = Task((1, 16, 16), 10, 2)


def identity(space, genome):
    try:
        return space.decode(genome, TASK).hash
    except InvalidGenomeError as error:
        return str(error)


@pytest.mark.parametrize(
    ("bounds", "motifs", "feedback", "inputs"),
    [("released", 4, 3, range(2, 4)), ("wide", 6, 4, range(2, 5))],
)
def test_the_bounds_are_the_published_ones(make_released, bounds, motifs, feedback, inputs):
    genes = make_released(bounds=bounds).genes
    assert len(genes) == 121
    for start in range(0, 120, 20):
        sizes = [len(gene.choices) for gene in genes[start : start + 20]]
        assert sizes == [motifs, *[2] * 18, feedback]
        assert {gene.first for gene in genes[start : start + 20]} == {0}
    assert genes[120].values == inputs
    assert [gene.scale for gene in genes[:21]] == ["motif", *["neuron"] * 19, "motif"]
    assert genes[120].scale == "macro"


def test_the_raw_size_of_the_space_is_the_published_one(make_released):
    sizes = [len(gene.choices) for gene in make_released().genes]
    assert np.prod(np.array(sizes, dtype=float)) == pytest.approx((4 * 2**18 * 3) ** 6 * 2)


@pytest.mark.parametrize("cells", [4, 5, 8])
def test_a_genome_has_twenty_genes_per_cell_and_one(make_released, cells):
    assert len(make_released(cells=cells).genes) == 20 * cells + 1


def test_k_is_written_as_itself(make_released, released_genome):
    space = make_released()
    genome = released_genome(1, 3)
    assert check_genome(genome, space.genes, "mse-released") == genome
    with pytest.raises(EvoError, match=r"gene 120 \(inputs\) is 1; it can be 2 = 2, 3 = 3"):
        check_genome(released_genome(1, 1), space.genes, "mse-released")


def test_genomes_given_by_hand_may_use_all_that_the_decoder_reads(make_released, released_genome):
    space = make_released()
    older = released_genome(4, 4, [0] * 18 + [3])
    with pytest.raises(EvoError):
        check_genome(older, space.genes, "mse-released")
    assert check_genome(older, space.readable_genes, "mse-released") == older
    assert space.decode(older, TASK).cells[0].motif == "LI"


@settings(deadline=None, max_examples=30)
@given(
    seed=st.integers(0, 2**32 - 1),
    bounds=st.sampled_from(["released", "wide"]),
    reductions=st.sampled_from(["cifar", "dvs"]),
)
def test_exactly_the_active_genes_change_the_network_when_changed_alone(
    make_released, seed, bounds, reductions
):
    space = make_released(bounds=bounds, reductions=reductions, channels=1)
    genome = random_genome(np.random.default_rng(seed), space.genes)
    before = identity(space, genome)
    for locus, (gene, active) in enumerate(zip(space.genes, space.active(genome), strict=True)):
        after = {
            identity(space, (*genome[:locus], value, *genome[locus + 1 :]))
            for value in gene.values
            if value != genome[locus]
        }
        if not active:
            assert after == {before}, gene
        elif before.isalnum() and (locus == 120 or locus // 20 in {0, 2}):
            assert before not in after, gene


def test_reductions_have_no_active_gene(make_released, released_genome):
    for k in (2, 3):
        active = make_released().active(released_genome(2, k))
        for cell in (1, 3, 4):
            assert not any(active[20 * cell : 20 * (cell + 1)])


def test_at_k_4_the_motif_of_a_reduction_can_still_make_the_decoder_fail(
    make_released, released_genome
):
    space = make_released(bounds="wide")
    genome = released_genome([1, 0, 1, 1, 1, 1], 4)
    with pytest.raises(InvalidGenomeError, match="cell2 has motif 0 with k = 4"):
        space.decode(genome, TASK)
    active = space.active(released_genome(1, 4))
    assert [offset for offset in range(20) if active[20 + offset]] == [0]


@pytest.mark.parametrize(
    ("k", "motif", "offsets"),
    [
        (2, 0, [0]),
        (2, 1, [0, 1, 2, 4]),
        (2, 3, [0, 1, 2, 4, 6, 8]),
        (2, 4, [0, 1, 2, 3, 4, 5, 6, 8, 10]),
        (2, 5, [0, 1, 2, 4]),
        (3, 1, [0, 1, 2, 3, 5]),
        (3, 3, [0, 1, 2, 3, 5, 8, 11]),
        (3, 5, [0, 1, 2, 3, 6]),
        (4, 3, [0, 1, 2, 3, 4, 9, 11, 15]),
        (4, 5, [0, 1, 2, 3, 4, 8, 11, 12, 15, 16, 19]),
    ],
)
def test_identity_zero_and_what_lies_past_the_template_own_no_gene(
    make_released, released_genome, k, motif, offsets
):
    active = make_released().active(released_genome(motif, k))
    assert [offset for offset in range(20) if active[offset]] == offsets


def test_about_15_of_121_genes_are_live_in_a_random_genome(make_released):
    space, rng = make_released(), np.random.default_rng(0)
    live = [sum(space.active(random_genome(rng, space.genes))) for _ in range(4000)]
    assert np.mean(live) == pytest.approx(14.875, abs=0.15)


@pytest.mark.parametrize(("k", "count"), [(2, 73), (3, 145)])
def test_the_number_of_distinct_decodings_of_a_cell_is_the_published_one(
    make_released, released_genome, k, count
):
    space = make_released()
    total = 0
    for motif in range(4):
        active = space.active(released_genome(motif, k))
        total += 2 ** (sum(active[:20]) - 1)
    assert total == count


def test_mutation_keeps_genes_within_their_values(make_released):
    space, rng = make_released(bounds="wide"), np.random.default_rng(1)
    genome = random_genome(rng, space.genes)
    seen = set()
    for _ in range(60):
        (genome,) = (mutate_scale(rng, space, genome, "macro"),)
        check_genome(genome, space.genes, "mse-released")
        seen.add(genome[-1])
    assert seen == {2, 3, 4}


@pytest.mark.parametrize("cells", [1, 2, 3])
def test_a_network_of_reductions_alone_is_refused(make_released, cells):
    with pytest.raises(EvoError, match="every one is a reduction without a motif; take 4 cells"):
        make_released(cells=cells)
    assert make_released(cells=cells, reductions="dvs").genes
