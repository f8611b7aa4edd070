"""Which options of sdsnn evolve: none of the genes is idle, and life sets the clock."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from evo_core import EvoError
from evo_core.binding import Binder
from evo_core.components import Development
from evo_core.registry import installed
from evo_sdsnn import SdsnnOptions, begin
from evo_sdsnn.genes import configure, genes
from evo_sdsnn.growth import JUST_GROWN
from evo_sdsnn.stepping import go_on

COMMON = {"sdsnn.pace", "sdsnn.contraction", "sdsnn.growth", "sdsnn.growth_base"}
RELEASED = ("intended", "released")


def names(**given):
    return {gene.name for gene in genes(SdsnnOptions(**given))}


def test_each_mode_has_the_genes_that_it_reads():
    assert names() == COMMON | {"sdsnn.neurons", "sdsnn.synapses"}
    for mode in RELEASED:
        assert names(mode=mode) == COMMON | {"sdsnn.rates"}
    assert names(spine=3) == names() - {"sdsnn.pace"}
    assert names(regenerate=False) == names() - {"sdsnn.growth", "sdsnn.growth_base"}
    assert names(prune=False) == {"sdsnn.pace", "sdsnn.contraction"}
    assert all(4 <= len(gene.choices) <= 5 for gene in genes(SdsnnOptions()))


def test_genes_win_over_options_and_leave_the_others():
    given = SdsnnOptions(neurons=0.77, dead=0.2, clamp=False)
    chosen = configure(given, {"sdsnn.neurons": "0.1", "sdsnn.pace": "25", "sdsnn.growth": "80"})
    assert chosen == replace(given, neurons=0.1, pace=25, conv_growth=80.0, fc_growth=80.0)
    released = configure(SdsnnOptions(mode="released"), {"sdsnn.rates": "5/10"})
    assert (released.conv_rate, released.fc_rate) == (5, 10)


def lived(options, life):
    """Develop two layers for some epochs, and give all that came of it.

    Each weight, and each gradient, is drawn where it goes the whole time, with some noise.
    """
    rng = torch.Generator().manual_seed(0)
    shapes = [(24, 16, 3, 3), (60, 120)]
    weights, drifts = ([torch.randn(shape, generator=rng) for shape in shapes] for _ in range(2))
    state = begin(weights, options, targets=3)
    for epoch in range(life):
        for weight, drift, layer in zip(weights, drifts, state.layers.values(), strict=True):
            noise = 0.1 * torch.randn(weight.shape, generator=rng)
            weight.mul_(0.3).add_(drift).add_(noise)
            layer.gradient.add_((drift + noise).expand_as(weight) if layer.gradient.numel() else 0)
        go_on(weights, state, life - epoch, options)
    return [*weights, *state.tensors().values()]


@pytest.mark.parametrize(
    "mode", ["improved", *(pytest.param(one, marks=pytest.mark.slow) for one in RELEASED)]
)
def test_no_gene_is_idle(mode):
    start = SdsnnOptions(mode=mode, conv_rate=20, fc_rate=20)
    for gene in genes(start):
        life = 50 if gene.name == "sdsnn.pace" else 30  # so that its choices come apart
        found = [lived(configure(start, {gene.name: one}), life) for one in gene.choices]
        for number, one in enumerate(found):
            for other in found[:number]:
                same = [torch.equal(a, b) for a, b in zip(one, other, strict=True)]
                assert not all(same), gene.name


def test_the_spine_threshold_is_a_share_of_the_life_and_leaves_time_for_structure():
    assert [SdsnnOptions().over(life).spine for life in (5, 29, 30, 600, 9000)] == [
        1,
        1,
        2,
        40,
        250,
    ]
    for pace in (4, 8, 15, 1000):
        for life in range(5, 200):
            fitted = SdsnnOptions(pace=pace).over(life)
            assert fitted.first + 2 <= life
    assert SdsnnOptions(spine=7).over(30).spine == 7


def test_layers_step_by_their_own_age():
    options = SdsnnOptions(pace=8, contraction=0.5, prune=False, regenerate=False)
    old, young = ([torch.ones(1, 1)] for _ in range(2))
    weights = {"old": old[0], "young": young[0]}
    state = begin(weights, options)
    state.layers["old"].age.fill_(20)  # with 5 epochs to come, T_s is 3; for the young layer 1
    for epoch in range(4):
        for weight in weights.values():
            weight.mul_(0.8)
        go_on(weights, state, 5 - epoch, options)
        ends = {name: layer.upper.item() for name, layer in state.layers.items()}
        assert (ends["old"] < 1) == (epoch == 3)
        # its range was set after its first epoch, and contracts after two epochs of falling
        assert (ends["young"] < 0.8) == (epoch >= 2)
    assert {name: int(layer.age) for name, layer in state.layers.items()} == {"old": 24, "young": 4}


@pytest.mark.parametrize("switch", [True, False])
def test_what_a_mutation_grows_is_safe_for_the_spine_threshold_of_the_life_to_come(switch):
    options = SdsnnOptions(pace=8, synapses=0.99, neurons=0.0, dead=0.0, regenerate=switch)
    weights = {"one": torch.arange(1.0, 17).view(4, 4)}
    state = begin(weights, options)
    layer = state.layers["one"]
    layer.age.fill_(20)  # with 5 epochs to come, T_s is 3; over the life so far it would be 2
    layer.growth[0] = JUST_GROWN
    seen = []
    for epoch in range(3):
        go_on(weights, state, 5 - epoch, options)
        seen.append((layer.growth[0].tolist(), bool(layer.mask[0].all())))
    assert seen == [([2] * 4, True), ([1] * 4, True), ([0] * 4, False)]


@pytest.mark.parametrize("text", ["sdsnn[pace=3]", "sdsnn[pace=0.5]", "sdsnn[spine=2,pace=8]"])
def test_a_pace_that_makes_no_sense_is_refused_in_a_line(text):
    with pytest.raises(EvoError, match="pace") as error:
        Binder(installed(), {}).bind(Development, text)
    assert "\n" not in str(error.value)
