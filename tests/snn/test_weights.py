"""Initial weights: keyed by seed, init number and path, and by nothing else."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from evo_core.snn.weights import Bank, Weights

PATHS = st.text(min_size=1, max_size=30)
SEEDS = st.integers(0, 2**31)


@settings(deadline=None, max_examples=30)
@given(seed=SEEDS, init=st.integers(0, 9), path=PATHS)
def test_the_same_address_gives_the_same_numbers(seed, init, path):
    first = Weights(seed, init).draw(path, (4, 3), 3)
    torch.manual_seed(seed % 1000)
    state = torch.get_rng_state()
    assert torch.equal(Weights(seed, init).draw(path, (4, 3), 3), first)
    assert torch.equal(torch.get_rng_state(), state)


@settings(deadline=None, max_examples=30)
@given(seed=SEEDS, init=st.integers(0, 9), path=PATHS)
def test_another_seed_init_or_path_gives_other_numbers(seed, init, path):
    draws = [
        Weights(seed, init).draw(path, (16,), 3),
        Weights(seed + 1, init).draw(path, (16,), 3),
        Weights(seed, init + 1).draw(path, (16,), 3),
        Weights(seed, init).draw(f"{path}#2", (16,), 3),
    ]
    assert len({tuple(draw.tolist()) for draw in draws}) == 4


@settings(deadline=None, max_examples=30)
@given(seed=SEEDS, path=PATHS, fan_in=st.integers(1, 1000))
def test_float64_weights_are_the_float32_numbers(seed, path, fan_in):
    single = Weights(seed).draw(path, (50,), fan_in)
    double = Weights(seed, dtype=torch.float64).draw(path, (50,), fan_in)
    assert (single.dtype, double.dtype) == (torch.float32, torch.float64)
    assert torch.equal(single.double(), double)


@pytest.mark.parametrize("fan_in", [1, 9, 400])
def test_weights_are_uniform_within_one_over_the_root_of_fan_in(fan_in):
    values = Weights(0).draw("a->b/1.weight", (20_000,), fan_in) * fan_in**0.5
    assert values.abs().max() <= 1
    assert values.min() < -0.99
    assert values.max() > 0.99
    assert abs(values.mean()) < 0.02
    assert abs(values.var() - 1 / 3) < 0.01


def weights_by_name(network):
    return {
        name: value
        for name, value in network.named_parameters()
        if value.dim() != 1 or "logits" in name
    }


def test_a_parameter_has_the_same_numbers_in_every_network_that_has_it(small, build):
    few, many = (build(small(0, cells=cells, motifs=["FE", "FI"])) for cells in (2, 4))
    one, two = weights_by_name(few), weights_by_name(many)
    shared = [name for name in one if name in two and one[name].shape == two[name].shape]
    assert len(shared) > 3
    assert all(torch.equal(one[name], two[name]) for name in shared)


def test_two_parameters_of_a_network_never_have_the_same_numbers(small, build):
    drawn = weights_by_name(build(small(0))).values()
    texts = {tuple(value.flatten()[:3].tolist()) for value in drawn}
    assert len(texts) == len(drawn) > 10


def test_all_weights_change_with_the_seed(small, build):
    architecture = small(0)
    one, two = (weights_by_name(build(architecture, seed)) for seed in (0, 1))
    assert set(one) == set(two)
    assert all(not torch.equal(one[name], two[name]) for name in one)


def test_convolutions_keep_within_the_bound_of_their_fan_in(small, build):
    for module in build(small(0)).modules():
        if isinstance(module, torch.nn.Conv2d | torch.nn.Linear):
            fan_in = module.weight[0].numel()
            assert module.weight.abs().max() <= fan_in**-0.5
            assert module.weight.abs().max() > 0.5 * fan_in**-0.5


def test_a_bank_gives_what_is_drawn_and_forgets_what_was_used_longest_ago():
    bank = Bank(most=3 * 4 * 10)  # three vectors of ten floats
    weights = Weights(0, bank=bank)
    first = weights.cached("a", (10,), 4)
    assert torch.equal(first, weights.draw("a", (10,), 4))
    second = weights.cached("b", (10,), 4)
    weights.cached("c", (10,), 4)
    assert weights.cached("a", (10,), 4) is first
    weights.cached("d", (10,), 4)
    assert weights.cached("a", (10,), 4) is first
    assert weights.cached("b", (10,), 4) is not second
    assert torch.equal(weights.cached("b", (10,), 4), second)


def test_a_bank_tells_seeds_inits_types_and_shapes_apart():
    bank = Bank()
    sources = [
        Weights(0, bank=bank), Weights(1, bank=bank), Weights(0, 1, bank=bank),
        Weights(0, dtype=torch.bfloat16, bank=bank),
    ]  # fmt: skip
    for _ in range(2):
        for source in sources:
            for shape in ((4, 2, 3, 3), (4, 18), (72,)):
                for fan_in in (1, 18):
                    found = source.cached("a", shape, fan_in)
                    assert torch.equal(found, source.draw("a", shape, fan_in))


def test_a_weight_larger_than_the_bank_is_given_and_not_kept():
    weights = Weights(0, bank=Bank(most=0))
    one, other = weights.cached("a", (10,), 4), weights.cached("a", (10,), 4)
    assert one is not other
    assert torch.equal(one, other)
