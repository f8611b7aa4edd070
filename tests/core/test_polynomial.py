"""The published mutation: how often and how far it moves genes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from evo_core.builtins import PolynomialOptions
from evo_core.config import from_layers, read_preset
from evo_core.genome import Gene, check_genome
from evo_core.operators import polynomial, polynomial_step
from evo_core.plan import Job, make_plan

DRAWS = 40_000


@dataclass(frozen=True)
class Table:
    genes: tuple[Gene, ...]

    def active(self, genome):
        return (True,) * len(genome)


def table(*sizes):
    return Table(tuple(Gene(f"g{i}", "neuron", tuple("abcdefgh"[:n])) for i, n in enumerate(sizes)))


def moves(size, value, **options):
    """Give how often each value comes out of a gene that is touched in any case."""
    space, rng = table(*[size] * DRAWS), np.random.default_rng(size * 10 + value)
    chosen = PolynomialOptions(**{"probability": 1.0} | options)
    (child,) = polynomial(rng, space, (value,) * DRAWS, options=chosen)
    return np.bincount(child, minlength=size) / DRAWS


def published(size, value, target, eta=3.0):
    """Integrate the published distribution over what rounds to a target, on a fine grid.

    pymoo 0.3: with r uniform, the step is (2r + (1 - 2r) (1 - d1)^(eta + 1))^(1 / (eta + 1)) - 1
    for r <= 1/2, and 1 - (2(1 - r) + (2r - 1) (1 - d2)^(eta + 1))^(1 / (eta + 1)) above, in units
    of the width of the bounds, which are widened by one half.
    """
    low, high = -0.5, size - 0.5
    d1, d2 = (value - low) / (high - low), (high - value) / (high - low)
    r = (np.arange(200_000) + 0.5) / 200_000
    below = (2 * r + (1 - 2 * r) * (1 - d1) ** (eta + 1)).clip(0) ** (1 / (eta + 1)) - 1
    above = 1 - (2 * (1 - r) + (2 * r - 1) * (1 - d2) ** (eta + 1)).clip(0) ** (1 / (eta + 1))
    moved = value + np.where(r <= 0.5, below, above) * (high - low)
    return float((np.rint(moved).clip(0, size - 1) == target).mean())


@pytest.mark.parametrize("value", [0, 1])
def test_a_touched_binary_gene_changes_in_16_percent_of_cases(value):
    assert moves(2, value)[1 - value] == pytest.approx(0.157, abs=0.008)


def test_a_touched_gene_of_four_values_changes_in_about_44_percent_of_cases():
    changed = [1 - moves(4, value)[value] for value in range(4)]
    assert changed == pytest.approx([0.293, 0.545, 0.545, 0.293], abs=0.012)
    assert np.mean(changed) == pytest.approx(0.44, abs=0.03)


@pytest.mark.parametrize("eta", [0.0, 3.0, 20.0])
@pytest.mark.parametrize(("size", "value"), [(2, 0), (3, 1), (4, 0), (4, 2), (5, 4)])
def test_every_step_is_as_frequent_as_published(size, value, eta):
    wanted = [published(size, value, target, eta) for target in range(size)]
    assert moves(size, value, eta=eta) == pytest.approx(wanted, abs=0.012)


def test_near_values_are_more_likely_than_far_ones():
    shares = moves(5, 0)
    assert shares[1] > shares[2] > shares[3] > 0


@pytest.mark.parametrize(("given", "expected"), [(0.0, 1.0), (0.5, 10.0)])
def test_a_gene_is_touched_with_probability_one_over_the_number_of_genes(given, expected):
    space, rng = table(*[8] * 20), np.random.default_rng(0)
    options = PolynomialOptions(probability=given)
    genome = (3,) * 20
    changed = sum(
        sum(one != 3 for one in polynomial(rng, space, genome, options=options)[0])
        for _ in range(3000)
    )
    share = 1 - published(8, 3, 3)
    assert changed / 3000 == pytest.approx(expected * share, rel=0.1)


def test_children_are_genomes_of_plain_integers():
    space, rng = table(2, 3, 8), np.random.default_rng(1)
    for _ in range(500):
        parent = tuple(int(rng.integers(n)) for n in (2, 3, 8))
        (child,) = polynomial(rng, space, parent, options=PolynomialOptions(eta=0, probability=1))
        assert check_genome(child, space.genes, "t") == child
        assert all(type(gene) is int for gene in child)


def test_a_step_never_leaves_the_bounds():
    rng = np.random.default_rng(2)
    position = rng.random(10_000)
    for eta in (0.0, 3.0, 100.0):
        reached = position + polynomial_step(rng, position, eta)
        assert reached.min() >= -1e-12
        assert reached.max() <= 1 + 1e-12


def test_the_preset_paper_varies_as_published():
    plan = make_plan(Job(from_layers(read_preset("paper"))))
    assert {bound.text: rate for bound, rate in plan.operators} == {
        "two-point": 1.0,
        "polynomial": 1.0,
    }


def test_a_run_can_use_it_with_options(quick_run):
    result = quick_run(
        fitness=["params"],
        generations=3,
        operators={"polynomial": 1.0, "mutate-neuron": 0.0},
        polynomial={"eta": 1.0, "probability": 0.5},
    )
    kept = (result.run / "config.toml").read_text()
    assert "[polynomial]\neta = 1.0\nprobability = 0.5" in kept
