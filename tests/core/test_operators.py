"""Where DEAP is used: variation operators on random gene tables, and selection."""

from __future__ import annotations

import random
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from evo_core import selection
from evo_core.components import NoOptions, Operator, load
from evo_core.evaluation import Objective
from evo_core.genome import Gene, check_genome, random_genome
from evo_core.operators import mutate_scale
from evo_core.registry import installed

OPERATORS = installed().all(Operator)
MUTATIONS = [name for name, one in OPERATORS.items() if one.parents == 1 and one.scale != "any"]
MATINGS = [name for name, record in OPERATORS.items() if record.parents == 2]
SCALES = ("neuron", "motif", "macro")


@dataclass(frozen=True)
class Toy:
    """A space in which a gene is active if the gene it depends on is not 0."""

    genes: tuple[Gene, ...]
    depends: tuple[int | None, ...]

    def active(self, genome):
        return tuple(on is None or genome[on] != 0 for on in self.depends)


@st.composite
def spaces(draw):
    count = draw(st.integers(1, 12))
    genes = tuple(
        Gene(f"g{i}", draw(st.sampled_from(SCALES)), tuple("abcde"[: draw(st.integers(2, 5))]))
        for i in range(count)
    )
    depends = tuple(
        draw(st.one_of(st.none(), st.integers(0, i - 1))) if i else None for i in range(count)
    )
    return Toy(genes, depends)


SEEDS = st.integers(0, 2**32 - 1)


def setting(space, seed):
    """Give a generator and two genomes."""
    rng = np.random.default_rng(seed)
    return rng, random_genome(rng, space.genes), random_genome(rng, space.genes)


def apply(name, space, seed):
    """Give the parents an operator was given, and its children."""
    rng, *genomes = setting(space, seed)
    record = OPERATORS[name]
    parents = genomes[: record.parents]
    return parents, load(record.apply)(rng, space, *parents, options=record.options())


@pytest.mark.parametrize("name", OPERATORS)
@settings(deadline=None, max_examples=30)
@given(space=spaces(), seed=SEEDS)
def test_an_operator_gives_as_many_valid_genomes_as_it_was_given(name, space, seed):
    parents, children = apply(name, space, seed)
    assert isinstance(children, tuple)
    assert len(children) == OPERATORS[name].parents
    assert parents == list(setting(space, seed)[1 : 1 + len(parents)])
    for child in children:
        assert check_genome(child, space.genes, "toy") == child
        assert all(type(value) is int for value in child)


@pytest.mark.parametrize("name", OPERATORS)
@settings(deadline=None, max_examples=20)
@given(space=spaces(), seed=SEEDS)
def test_an_operator_draws_from_its_generator_only_and_leaves_the_global_ones(name, space, seed):
    random.seed(1)
    np.random.seed(1)
    before = random.getstate(), np.random.get_state()[1].tolist()
    _, first = apply(name, space, seed)
    assert (random.getstate(), np.random.get_state()[1].tolist()) == before
    random.seed(2)
    np.random.seed(2)
    assert apply(name, space, seed)[1] == first


@pytest.mark.parametrize("name", MUTATIONS)
@settings(deadline=None, max_examples=50)
@given(space=spaces(), seed=SEEDS)
def test_a_mutation_changes_an_active_gene_of_its_scale_and_nothing_else(name, space, seed):
    (parent,), (child,) = apply(name, space, seed)
    active = space.active(parent)
    scale = OPERATORS[name].scale
    loci = {i for i, gene in enumerate(space.genes) if gene.scale == scale and active[i]}
    changed = {i for i, pair in enumerate(zip(parent, child, strict=True)) if pair[0] != pair[1]}
    assert changed <= loci
    assert bool(changed) == bool(loci)


@pytest.mark.parametrize("name", MATINGS)
@settings(deadline=None, max_examples=50)
@given(space=spaces(), seed=SEEDS)
def test_a_mating_exchanges_genes_locus_by_locus(name, space, seed):
    (one, two), (first, second) = apply(name, space, seed)
    scale = OPERATORS[name].scale
    for locus, gene in enumerate(space.genes):
        assert (first[locus], second[locus]) in {(one[locus], two[locus]), (two[locus], one[locus])}
        if scale not in (gene.scale, "any"):
            assert (first[locus], second[locus]) == (one[locus], two[locus])


@settings(deadline=None, max_examples=100)
@given(size=st.integers(2, 15), seed=SEEDS)
def test_two_point_exchanges_one_contiguous_block_and_not_all(size, seed):
    space = Toy(tuple(Gene(f"g{i}", "neuron", ("a", "b")) for i in range(size)), (None,) * size)
    one, two = (0,) * size, (1,) * size
    rng = np.random.default_rng(seed)
    first, second = load(OPERATORS["two-point"].apply)(rng, space, one, two, options=NoOptions())
    assert [a + b for a, b in zip(first, second, strict=True)] == [1] * size
    taken = "".join(map(str, first))
    assert 0 < taken.count("1") < size
    assert "0" not in taken.strip("0")


def test_two_point_leaves_genomes_of_a_single_gene_alone():
    space = Toy((Gene("g", "neuron", ("a", "b")),), (None,))
    apply_two_point = load(OPERATORS["two-point"].apply)
    for seed in range(5):
        rng = np.random.default_rng(seed)
        assert apply_two_point(rng, space, (0,), (1,), options=NoOptions()) == ((0,), (1,))


def flat_space(size):
    return Toy(tuple(Gene(f"g{i}", "motif", tuple("abc")) for i in range(size)), (None,) * size)


def test_two_point_can_cut_before_every_gene():
    space, starts, ends = flat_space(5), set(), set()
    for seed in range(300):
        rng = np.random.default_rng(seed)
        first, _ = load(OPERATORS["two-point"].apply)(
            rng, space, (0,) * 5, (1,) * 5, options=NoOptions()
        )
        starts.add(first.index(1))
        ends.add(5 - first[::-1].index(1))
    assert starts == {1, 2, 3, 4}  # which parent comes first is chance, so gene 0 may stay
    assert ends == {2, 3, 4, 5}


@pytest.mark.parametrize("scale", SCALES)
def test_mating_a_scale_exchanges_about_half_of_its_genes(scale):
    space = Toy(tuple(Gene(f"g{i}", scale, ("a", "b")) for i in range(40)), (None,) * 40)
    mate = load(OPERATORS[f"mate-{scale}"].apply)
    rng = np.random.default_rng(0)
    swapped = [
        sum(mate(rng, space, (0,) * 40, (1,) * 40, options=NoOptions())[0]) for _ in range(50)
    ]
    assert 0.45 < sum(swapped) / (40 * 50) < 0.55


def test_a_mutation_changes_two_genes_on_average_and_reaches_every_value():
    space, rng = flat_space(10), np.random.default_rng(0)
    children = np.array([mutate_scale(rng, space, (0,) * 10, "motif") for _ in range(2000)])
    # one gene in any case, each of the 9 others with probability 1/10
    assert abs((children != 0).sum(axis=1).mean() - 1.9) < 0.1
    for column in children.T:
        assert set(column.tolist()) == {0, 1, 2}
        assert abs((column == 1).sum() - (column == 2).sum()) < 100


@settings(deadline=None, max_examples=30)
@given(space=spaces(), seed=SEEDS)
def test_without_an_active_gene_of_its_scale_a_mutation_changes_nothing(space, seed):
    rng, genome, _ = setting(space, seed)
    absent = [scale for scale in SCALES if scale not in {gene.scale for gene in space.genes}]
    assume(absent)
    assert mutate_scale(rng, space, genome, absent[0]) == genome


@st.composite
def pools(draw):
    """Give members with few different values, so that ties are frequent, and their objectives."""
    goals = draw(st.lists(st.sampled_from(["max", "min"]), min_size=1, max_size=3))
    value = st.lists(st.integers(0, 4).map(float), min_size=len(goals), max_size=len(goals))
    members = [
        {"id": number, "genome": [number], "values": values}
        for number, values in enumerate(draw(st.lists(value, min_size=1, max_size=14)))
    ]
    return members, tuple(Objective(f"f{i}", goal) for i, goal in enumerate(goals))


def dominates(one, two, objectives):
    gains = [
        (a - b) * (1 if objective.goal == "max" else -1)
        for a, b, objective in zip(one["values"], two["values"], objectives, strict=True)
    ]
    return min(gains) >= 0 and max(gains) > 0


def peeled(members, objectives):
    """Give the rank of each member by id: fronts are taken off one after the other."""
    ranks, left = {}, list(members)
    while left:
        first = [m for m in left if not any(dominates(o, m, objectives) for o in left)]
        ranks |= {member["id"]: len(set(ranks.values())) for member in first}
        left = [member for member in left if member["id"] not in ranks]
    return ranks


@settings(deadline=None, max_examples=150)
@given(pool=pools(), count=st.integers(1, 14))
def test_nsga2_takes_whole_fronts_in_order_of_rank(pool, count):
    members, objectives = pool
    ranks = peeled(members, objectives)
    chosen = [member["id"] for member in selection.nsga2(members, objectives, count)]
    assert len(set(chosen)) == len(chosen) == min(count, len(members))
    assert [ranks[number] for number in chosen] == sorted(ranks.values())[:count]


@settings(deadline=None, max_examples=100)
@given(pool=pools(), count=st.integers(1, 14))
def test_best_and_front_are_what_brute_force_gives_best_first_and_ties_by_id(pool, count):
    members, objectives = pool
    signs = [1 if objective.goal == "max" else -1 for objective in objectives]

    def order(member):
        return [-s * v for s, v in zip(signs, member["values"], strict=True)], member["id"]

    assert selection.best(members, objectives, count) == sorted(members, key=order)[:count]
    ranks = peeled(members, objectives)
    first = [member for member in members if ranks[member["id"]] == 0]
    assert selection.front(members, objectives) == sorted(first, key=order)


def test_nsga2_keeps_the_ends_of_a_front_that_does_not_fit():
    goals = (Objective("f0", "max"), Objective("f1", "max"))
    line = [{"id": i, "genome": [i], "values": [float(i), float(-i)]} for i in range(7)]
    assert {0, 6} <= {member["id"] for member in selection.nsga2(line, goals, 3)}


@pytest.mark.parametrize("size", [4, 5, 7, 8])
def test_a_member_that_all_others_dominate_never_wins_a_tournament(size):
    members = [{"id": i, "genome": [i], "values": [float(i)]} for i in range(size)]
    rng = np.random.default_rng(0)
    wins = selection.tournament(members, (Objective("f0", "max"),), 400, rng)
    counts = np.bincount([member["id"] for member in wins], minlength=size)
    assert len(wins) == 400
    assert counts[0] == 0
    assert counts[-1] == max(counts) > 0
