"""Genomes, gene tables and what is said of a genome that does not fit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evo_core.errors import EvoError
from evo_core.genome import SCALES, Gene, check_genome, parse_genome, random_genome

GENES = (Gene("cell1.motif", "motif", ("FE", "FI", "LI")), Gene("inputs", "macro", ("2", "3")))
TABLES = st.lists(st.integers(2, 5), min_size=1, max_size=12).map(
    lambda sizes: tuple(
        Gene(f"g{i}", SCALES[i % 3], tuple(map(str, range(size)))) for i, size in enumerate(sizes)
    )
)


@settings(deadline=None, max_examples=50)
@given(genes=TABLES, seed=st.integers(0, 2**32))
def test_a_random_genome_fits_its_table_and_follows_from_the_seed(genes, seed):
    genome = random_genome(np.random.default_rng(seed), genes)
    assert check_genome(genome, genes, "toy") == genome
    assert all(type(value) is int for value in genome)
    assert random_genome(np.random.default_rng(seed), genes) == genome


def test_random_genomes_take_every_choice_equally_often():
    rng = np.random.default_rng(0)
    drawn = np.array([random_genome(rng, GENES) for _ in range(3000)])
    for column, share in ((0, 1 / 3), (1, 1 / 2)):
        counts = np.bincount(drawn[:, column])
        assert len(counts) == len(GENES[column].choices)
        assert np.abs(counts / 3000 - share).max() < 0.04


def test_whole_numbers_of_any_kind_are_taken_as_they_are():
    checked = check_genome([np.int64(2), 1], GENES, "toy")
    assert checked == (2, 1)
    assert all(type(value) is int for value in checked)


@pytest.mark.parametrize(
    ("genome", "message"),
    [
        ((0,), "a genome of toy has 2 genes, but 1 were given"),
        ((0, 1, 0), "a genome of toy has 2 genes, but 3 were given"),
        ((0, 2), "gene 1 (inputs) is 2; it can be 0 = 2, 1 = 3"),
        ((-1, 0), "gene 0 (cell1.motif) is -1; it can be 0 = FE, 1 = FI, 2 = LI"),
        ((1.0, 0), "gene 0 (cell1.motif) is 1.0; genes are whole numbers"),
        ((0, True), "gene 1 (inputs) is True; genes are whole numbers"),
        ((0, "1"), "gene 1 (inputs) is '1'; genes are whole numbers"),
    ],
)
def test_a_genome_that_does_not_fit_is_refused_with_the_reason(genome, message):
    with pytest.raises(EvoError) as caught:
        check_genome(genome, GENES, "toy")
    assert str(caught.value) == message


@settings(deadline=None, max_examples=30)
@given(st.lists(st.integers(0, 99), min_size=1, max_size=20))
def test_a_genome_written_with_commas_is_read_back(values):
    assert parse_genome(",".join(map(str, values))) == tuple(values)


@pytest.mark.parametrize("text", ["", "1,,2", "1;2", "a", "1.5"])
def test_a_text_that_is_no_genome_is_quoted(text):
    with pytest.raises(EvoError) as caught:
        parse_genome(text)
    assert str(caught.value) == f"a genome is whole numbers with commas between, not {text!r}"


def test_a_gene_needs_two_choices_and_a_known_scale():
    with pytest.raises(ValueError, match="gene 'g' needs at least two choices"):
        Gene("g", "motif", ("only",))
    with pytest.raises(ValueError, match="gene 'g' has the unknown scale 'meso'"):
        Gene("g", "meso", ("a", "b"))
