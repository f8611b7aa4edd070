"""The structural step on plain tensors: golden values, and a reference synapse by synapse."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from evo_core import EvoError
from evo_sdsnn import SdsnnOptions, begin, step
from evo_sdsnn.pruning import quotas, scores
from evo_sdsnn.schedule import percentile
from evo_sdsnn.selecting import kth_smallest

PATH = Path(__file__).parents[1] / "data" / "sdsnn_loops.py"
SPEC = importlib.util.spec_from_file_location("sdsnn_loops", PATH)
loops = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(loops)

GOLDEN = {  # epoch: neurons pruned in each layer, and pruning rates in percent
    37: ((0, 0, 1, 1, 2, 2, 10), (1.50, 1.00, 1.50, 1.00, 1.50, 1.50, 27.10)),
    38: ((1, 1, 3, 2, 7, 7, 138), (2.31, 1.41, 2.31, 1.41, 2.31, 2.32, 33.98)),
    40: ((3, 2, 7, 4, 15, 16, 185), (3.52, 2.02, 3.51, 2.02, 3.52, 4.02, 37.09)),
    45: ((6, 3, 12, 6, 24, 31, 192), (5.05, 2.82, 5.05, 2.81, 5.09, 6.38, 37.55)),
    60: ((7, 4, 15, 8, 30, 39, 192), (5.90, 3.26, 5.89, 3.26, 5.96, 7.67, 37.55)),
    200: ((7, 4, 15, 8, 30, 39, 203), (None,) * 6 + (39.76,)),
    599: ((7, 4, 15, 8, 30, 39, 233), (None,) * 6 + (45.62,)),
}


def walk(weights, rng, size=0.05):
    for weight in weights:
        weight.add_(torch.randn(weight.shape, generator=rng), alpha=size)


def test_the_released_constants_prune_as_many_neurons_as_the_released_code():
    # the widths are those of 6conv2fc; fan-ins, which do not enter the counts, are smaller
    rng = torch.Generator().manual_seed(0)
    widths = (128, 128, 256, 256, 512, 512)
    weights = [torch.randn(width, 3, 3, 3, generator=rng) for width in widths]
    weights.append(torch.randn(512, 64, generator=rng))
    options = SdsnnOptions(mode="intended", regenerate=False)
    state = begin(weights, options, targets=10)
    for epoch in range(600):
        if epoch < 60:
            walk(weights, rng)
        step(weights, state, epoch, options)
        if epoch in GOLDEN:
            layers = state.layers.values()
            pruned, rates = GOLDEN[epoch]
            assert tuple(int((layer.live() == 0).sum()) for layer in layers) == pruned
            for layer, rate in zip(layers, rates, strict=True):
                assert rate is None or float(layer.rate) == pytest.approx(rate, abs=0.006)


SIZES = st.sampled_from([(4, 3, 3, 3), (6, 20), (5, 2, 1, 1), (3, 60), (7, 4, 3, 3)])


@settings(max_examples=25, deadline=None)
@given(
    shapes=st.lists(SIZES, min_size=1, max_size=3),
    spine=st.integers(1, 4),
    contraction=st.sampled_from([0.75, 0.5, 1.0]),
    rate=st.sampled_from([2.0, 25.0, 60.0]),
    falling=st.sampled_from([1.0, 0.97]),
    coarse=st.booleans(),
    seed=st.integers(0, 2**16),
)
def test_a_step_does_what_loops_over_synapses_do(
    shapes, spine, contraction, rate, falling, coarse, seed
):
    rng = torch.Generator().manual_seed(seed)
    mine = [torch.randn(shape, generator=rng) for shape in shapes]
    theirs = [weight.numpy().copy() for weight in mine]
    options = SdsnnOptions(
        mode="intended", spine=spine, contraction=contraction, conv_rate=rate, fc_rate=rate
    )
    state = begin(mine, options, targets=5)
    step(mine, state, 0, options)
    layers = [loops.Layer(weight, rate) for weight in theirs]
    for epoch in range(1, 6 * spine + 8):
        for ours, other in zip(mine, theirs, strict=True):
            ours.mul_(falling).add_(0.1 * torch.randn(ours.shape, generator=rng))
            if coarse:  # equal weights, values on the ends of ranges, ties between neurons
                ours.mul_(4).round_().div_(4)
            other[:] = ours.numpy()
        step(mine, state, epoch, options)
        loops.step(layers, theirs, epoch, spine=spine, classes=5, contraction=contraction)
        for (name, layer), ref, ours, other in zip(
            state.layers.items(), layers, mine, theirs, strict=True
        ):
            every = [one for _, one in ref.indexed()]
            assert layer.mask.view(-1).tolist() == [one.there for one in every], (epoch, name)
            np.testing.assert_array_equal(layer.upper.view(-1), [one.upper for one in every])
            np.testing.assert_array_equal(layer.lower.view(-1), [one.lower for one in every])
            np.testing.assert_array_equal(ours.numpy(), other)
            assert float(layer.rate) == pytest.approx(ref.rate, rel=1e-12)


def constant_walk(values, options, **layer_values):
    """Run one synapse through some epochs, and give its layer."""
    weight = torch.full((1, 1), float(values[0]))
    state = begin([weight], options)
    step([weight], state, 0, options)
    (layer,) = state.layers.values()
    for name, value in layer_values.items():
        getattr(layer, name).fill_(value)
    for epoch, value in enumerate(values[1:], 1):
        weight.fill_(value)
        step([weight], state, epoch, options)
    return layer


ONLY_RANGES = SdsnnOptions(mode="intended", spine=3, clamp=False, prune=False, regenerate=False)


def test_a_range_grows_by_the_mean_excess_after_one_epoch_more_than_the_threshold():
    assert constant_walk([1, 1.5, 1.5, 1.5], ONLY_RANGES).upper.item() == 1
    assert constant_walk([1, 1.1, 1.2, 1.6, 1.7], ONLY_RANGES).upper.item() == pytest.approx(1.5)
    broken = constant_walk([1, 1.5, 1.5, 0.5, 1.5, 1.5, 1.5], ONLY_RANGES)
    assert broken.upper.item() == 1
    assert constant_walk([1, -1, -2, -2, -2], ONLY_RANGES).lower.item() == pytest.approx(-2)


def test_a_range_shrinks_when_a_weight_has_fallen_for_long():
    assert constant_walk([1, 0.9, 0.8, 0.7], ONLY_RANGES).upper.item() == 1
    layer = constant_walk([1, 0.9, 0.8, 0.7, 0.6], ONLY_RANGES)
    assert (layer.upper.item(), layer.lower.item()) == (0.75, -0.75)
    longer = constant_walk([1, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3], ONLY_RANGES)
    assert longer.upper.item() == 0.75**2  # an event every three epochs from then on


def test_improved_contracts_no_further_than_to_the_weight():
    gentle = SdsnnOptions(spine=1, contraction=0.5, prune=False, regenerate=False)
    layer = constant_walk([1, 0.9, 0.8], gentle)
    assert (layer.upper.item(), layer.lower.item()) == (pytest.approx(0.8), pytest.approx(-0.8))
    assert constant_walk([1, 0.3, 0.2], gentle).upper.item() == 0.5


def test_ties_go_to_the_first_neurons_and_ranges_of_released_convolutions_never_move():
    rng = torch.Generator().manual_seed(1)
    weights = [torch.randn(20, 4, 3, 3, generator=rng), torch.randn(30, 60, generator=rng)]
    for mode, one_value in (("released", True), ("intended", False)):
        options = SdsnnOptions(mode=mode, spine=1, conv_rate=25, regenerate=False)
        state = begin(weights, options)
        for epoch in range(4):
            walk(weights, rng)
            step(weights, state, epoch, options)
        conv = state.layers["0"]
        assert (len(conv.upper.unique()) == 1) == one_value
        if one_value:
            assert conv.pruned.nonzero().view(-1).tolist() == [0, 1, 2, 3, 4]


def test_the_rate_of_a_layer_looks_at_the_next_one_before_that_is_pruned():
    weights = [torch.ones(10, 4, 3, 3), torch.ones(10, 4, 3, 3)]
    options = SdsnnOptions(mode="intended", spine=1, conv_rate=50, regenerate=False)
    state = begin(weights, options, targets=4)
    for epoch in range(4):
        step(weights, state, epoch, options)
    rates = [float(layer.rate) for layer in state.layers.values()]
    assert rates == [pytest.approx(50 + 5 / 10), pytest.approx(50 + 5 / 4)]


def test_a_pruned_neuron_fills_the_quota_but_is_never_pruned_twice_unless_improved():
    modes = {"intended": {}, "improved": {"synapses": 0.0, "neurons": 0.0}}
    for (mode, more), again in zip(modes.items(), (False, True), strict=True):
        options = SdsnnOptions(mode=mode, spine=1, fc_rate=10, **more)
        state = begin([torch.ones(10, 100)], options)
        layer = state.layers["0"]
        layer.pruned[3] = True  # pruned before, grown again since, and the weakest now
        layer.mask[3, 30:] = False
        for epoch in range(4):
            step([torch.ones(10, 100)], state, epoch, options)
        assert bool(layer.live()[3] == 0) == again


@pytest.mark.parametrize("mode", ["improved", "intended", "released"])
@pytest.mark.parametrize("rate", [100.0, 0.0])
def test_no_layer_empties_and_nothing_is_ever_nan(mode, rate):
    shapes = [(1, 1, 3, 3), (3, 1, 1, 1), (1, 4), (2, 1), (40, 70)]
    rng = torch.Generator().manual_seed(3)
    weights = [torch.randn(shape, generator=rng) for shape in shapes]
    weights[1].zero_()
    weights[2].fill_(-1.0)
    options = SdsnnOptions(mode=mode, spine=1, conv_rate=rate, fc_rate=rate)
    state = begin(weights, options, targets=2)
    for epoch in range(30):
        walk(weights, rng)
        for layer in state.layers.values():
            if mode == "improved":
                layer.gradient.normal_(generator=rng)
        step(weights, state, epoch, options)
        for weight, layer in zip(weights, state.layers.values(), strict=True):
            assert int(layer.live().max()) > 0
            assert all(bool(one.isfinite().all()) for one in (weight, layer.upper, layer.lower))
            assert 0 <= float(layer.rate) <= 100


def test_improved_grows_where_the_gradient_was_large_and_spares_what_has_just_grown():
    options = SdsnnOptions(mode="improved", spine=2, neurons=0.0, fc_rate=0, synapses=0.5)
    rng = torch.Generator().manual_seed(5)
    weights = [torch.randn(40, 50, generator=rng)]
    state = begin(weights, options)
    layer = state.layers["0"]
    for epoch in range(6):
        step(weights, state, epoch, options)
    place = tuple((~layer.mask).nonzero()[0].tolist())
    for epoch in range(6, 12):
        layer.gradient[place] = -1.0  # the sign does not matter
        if epoch >= 10:
            weights[0][place] = 9.0  # for two epochs it may be as weak as it likes
        step(weights, state, epoch, options)
        assert bool(layer.mask[place]) == (epoch >= 8), epoch
        assert float(layer.gradient.abs().sum()) == 0


def test_improved_prunes_the_weakest_synapses_and_the_share_it_is_told():
    options = SdsnnOptions(
        spine=1, neurons=0.0, fc_rate=0, synapses=0.8, dead=0.0, regenerate=False, clamp=False
    )
    rng = torch.Generator().manual_seed(7)
    weights = [torch.randn(30, 40, generator=rng), torch.randn(20, 30, generator=rng)]
    before = [weight.clone() for weight in weights]
    state = begin(weights, options)
    for epoch in range(40):
        step(weights, state, epoch, options)
    there = sum(int(layer.mask.sum()) for layer in state.layers.values())
    assert there == pytest.approx(0.2 * 1800, abs=3)
    for layer, weight in zip(state.layers.values(), before, strict=True):
        assert weight[~layer.mask].abs().max() <= weight[layer.mask].abs().min()


def test_small_layers_stay_denser():
    options = SdsnnOptions(spine=1)
    state = begin(
        [torch.ones(32, 1, 3, 3), torch.ones(64, 32, 3, 3), torch.ones(128, 3136)], options
    )
    counts = quotas(state.layers.values(), 0.9)
    sizes = [32, 64 * 32, 128 * 3136]
    assert counts[0] == 0
    assert counts[1] / sizes[1] < counts[2] / sizes[2]
    assert sum(counts) == pytest.approx(0.9 * sum(sizes), rel=1e-4)


def test_scores_add_up_ranges_scaled_over_the_layer():
    state = begin([torch.ones(3, 4)], SdsnnOptions(mode="intended"))
    layer = state.layers["0"]
    assert scores(layer).tolist() == [2, 2, 2]  # all equal: half of each
    layer.upper[1], layer.lower[2] = 3, -2
    layer.mask[1, 0] = False
    assert scores(layer).tolist() == [0, 3, 2]


@pytest.mark.parametrize("size", [5, 1 << 21])
def test_the_kth_smallest_is_exact(size):
    rng = torch.Generator().manual_seed(0)
    values = torch.randn(size, generator=rng)
    values[values < -0.5] = 0
    ordered = values.sort().values
    for rank in {0, 1, size // 3, size - 1}:
        assert kth_smallest(values, rank) == ordered[rank]
    rising = torch.arange(size, dtype=torch.float32)
    assert kth_smallest(rising, size // 2) == size // 2


def test_the_state_takes_at_most_29_bytes_for_each_weight():
    for mode, least in (("improved", 29), ("intended", 25)):
        state = begin([torch.zeros(64, 32, 1, 1), torch.zeros(256, 256)], SdsnnOptions(mode=mode))
        size = sum(one.numel() * one.element_size() for one in state.tensors().values())
        assert size / (64 * 32 + 256 * 256) < least + 0.02


@pytest.mark.parametrize(
    ("weights", "words"),
    [
        ([], "no layer"),
        ([torch.ones(3)], "not those of a layer"),
        ([torch.ones(4, 5).t()], "not those of a layer"),
    ],
)
def test_weights_that_are_no_layers_are_refused(weights, words):
    with pytest.raises(EvoError, match=words):
        begin(weights, SdsnnOptions())


def test_weights_of_another_state_are_refused():
    state = begin({"a": torch.ones(3, 4)}, SdsnnOptions())
    for other in ({"b": torch.ones(3, 4)}, {"a": torch.ones(4, 3)}, {}):
        with pytest.raises(EvoError, match="state"):
            step(other, state, 0, SdsnnOptions())


@pytest.mark.parametrize("mode", ["improved", "intended", "released"])
@pytest.mark.parametrize("base", [1.0, 1.1, 10.0])
def test_percentiles_rise_to_99_however_long_a_life_is(mode, base):
    options = SdsnnOptions(mode=mode, spine=1, conv_growth=60.0, growth_base=base)
    found = [percentile(options, epoch, conv=True) for epoch in (3, 4, 100, 10**6)]
    assert found == sorted(found)
    assert (found[0], found[-1]) == (61, 61 if base == 1 else 99)
