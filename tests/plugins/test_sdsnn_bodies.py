"""What evolution does to bodies of sdsnn: mutations and mating, on tensors alone."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from evo_sdsnn import LayerState, SdsnnOptions, begin
from evo_sdsnn.bodies import layers_of
from evo_sdsnn.growth import JUST_GROWN
from evo_sdsnn.mating import mate
from evo_sdsnn.mutating import constrain, prune, regenerate
from evo_sdsnn.pruning import scores

MODES = ("improved", "intended", "released")
HIDDEN = {  # two edges enter b, and one of them is feedback; c reads 2 x 2 pixels of b
    "edges.input->a.0": (4, 1, 3, 3),
    "edges.a->b.1": (6, 4, 3, 3),
    "edges.b~>b.1": (6, 6, 1, 1),
    "edges.b->c.2": (5, 24),
}
LAST = "edges.c->out.1"
B, LOOP = (f"edges.{name}.1.weight" for name in ("a->b", "b~>b"))
FIELDS = [one.name for one in fields(LayerState)]


def options_of(mode, **more):
    return SdsnnOptions(mode=mode, spine=2, conv_rate=30, fc_rate=30, **more)


def body_of(mode, seed, age=9):
    """Make a body as a training may leave it: neurons and connections are gone."""
    rng = torch.Generator().manual_seed(seed)
    weights = {
        f"{name}.weight": torch.randn(shape, generator=rng) for name, shape in HIDDEN.items()
    }
    state = begin(weights, options_of(mode), targets=3)
    body = {}
    for name, weight in weights.items():
        layer, units = state.layers[name], len(weight)
        layer.pruned.copy_(torch.rand(units, generator=rng) < 0.4)
        layer.pruned[int(torch.randint(units, (1,), generator=rng))] = False
        there = torch.rand(layer.growth.shape, generator=rng) < 0.7
        there[:, 0] = True
        there &= ~layer.pruned[:, None]
        layer.mask.copy_(there.view(*there.shape, *[1] * (weight.ndim - 2)).expand_as(weight))
        layer.upper.mul_(torch.rand(weight.shape, generator=rng))
        layer.lower.mul_(torch.rand(weight.shape, generator=rng))
        layer.growth.copy_(torch.randint(3, there.shape, generator=rng) * ~there)
        layer.gradient.copy_(torch.randn(layer.gradient.shape, generator=rng))
        layer.age.fill_(age)
        weight.clamp_(layer.lower, layer.upper).mul_(layer.mask)
        place = int(name.split(".")[2]) + (weight.ndim > 2)
        edge = name.rsplit(".", 2)[0]
        names = ("weight", "bias", "running_mean", "running_var") if weight.ndim > 2 else ("bias",)
        for one in names:
            values = 1 + torch.rand(units, generator=rng)
            body[f"network/{edge}.{place}.{one}"] = values * ~layer.pruned
        body[f"network/{name}"] = weight
    body |= {f"development/{name}": one for name, one in state.tensors().items()}
    body[f"network/{LAST}.weight"] = torch.randn(3, 5, generator=rng)
    body[f"network/{LAST}.weight"][:, state.layers["edges.b->c.2.weight"].pruned] = 0
    body[f"network/{LAST}.bias"] = torch.randn(3, generator=rng)
    return body


def copied(body):
    return {name: one.clone() for name, one in body.items()}


def equal(one, two):
    return one.keys() == two.keys() and all(torch.equal(one[name], two[name]) for name in one)


def developing(body):
    return {one.name: one for one in layers_of(body) if one.state is not None}


def check_sound(body, like, mode):
    assert {n: (t.shape, t.dtype) for n, t in body.items()} == {
        n: (t.shape, t.dtype) for n, t in like.items()
    }
    for one in developing(body).values():
        assert (one.weight[~one.state.mask] == 0).all()
        assert int(one.state.live().max()) > 0
        if mode == "improved":
            assert torch.equal(one.state.pruned, one.state.live() == 0)
    assert all(bool(one.isfinite().all()) for one in body.values())


@settings(max_examples=15, deadline=None)
@given(
    mode=st.sampled_from(MODES),
    mutations=st.permutations((constrain, prune, regenerate)),
    seed=st.integers(0, 2**16),
)
def test_mutations_keep_bodies_sound_and_siblings_apart(mode, mutations, seed):
    body = body_of(mode, seed)
    for mutate in mutations:
        before = copied(body)
        made = [
            mutate(body, np.random.default_rng(seed + one), options_of(mode)) for one in (0, 0, 1)
        ]
        assert equal(body, before)
        assert equal(made[0], made[1])
        check_sound(made[0], before, mode)
        check_sound(made[2], before, mode)
        body = made[0]
    siblings = [constrain(body, np.random.default_rng(one), options_of(mode)) for one in (5, 6)]
    assert not equal(*siblings)


@pytest.mark.parametrize("mode", MODES)
def test_constraining_contracts_living_ranges_alone_and_clamps(mode):
    body = body_of(mode, 1)
    child = constrain(body, np.random.default_rng(0), options_of(mode, contraction=0.5))
    shares = []
    for name, one in developing(child).items():
        old = developing(body)[name]
        halved = one.state.upper == old.state.upper / 2
        assert torch.equal(one.state.upper, torch.where(halved, 0.5, 1.0) * old.state.upper)
        assert torch.equal(one.state.lower, torch.where(halved, 0.5, 1.0) * old.state.lower)
        assert not halved[~old.state.mask & (old.state.upper != 0)].any()
        assert (one.weight <= one.state.upper).all()
        assert (one.weight >= one.state.lower).all()
        shares.append(float(halved[old.state.mask].float().mean()))
    assert max(shares) <= 0.6
    assert len(set(shares)) > 1
    free = constrain(body, np.random.default_rng(0), options_of(mode, clamp=False))
    assert all(torch.equal(free[n], body[n]) for n in body if n.startswith("network/"))


@pytest.mark.parametrize("mode", MODES)
def test_pruning_takes_whole_neurons_and_silences_them_where_the_mode_does(mode):
    body, counts = body_of(mode, 2), []
    for seed in range(20):
        child = prune(body, np.random.default_rng(seed), options_of(mode))
        gone = 0
        for name, one in developing(child).items():
            lost = (one.state.live() == 0) & (developing(body)[name].state.live() > 0)
            gone += int(lost.sum())
            assert one.state.pruned[lost].all()
            for unit in one.units:
                silenced = mode == "improved" and unit.endswith((".bias", ".running_mean"))
                expected = torch.where(lost & silenced, 0.0, body[unit])
                assert torch.equal(child[unit], expected), unit
            kept = ~lost
            assert torch.equal(one.weight[kept], developing(body)[name].weight[kept])
        counts.append(gone)
    assert min(counts) >= 1
    assert mode == "improved" or max(counts) > 1


def test_narrow_neurons_are_pruned_more_often_but_not_always():
    name, lost = "edges.b->c.2.weight", np.zeros(5)
    body = body_of("intended", 3)
    state = developing(body)[name].state
    state.mask.fill_(True)
    state.upper.copy_(torch.tensor([5.0, 1, 4, 4, 4])[:, None].expand(5, 24))
    state.lower.copy_(-state.upper)
    only = {one: tensor for one, tensor in body.items() if "b->c" in one}
    for seed in range(60):
        child = prune(only, np.random.default_rng(seed), SdsnnOptions(mode="intended"))
        lost += (developing(child)[name].state.live() == 0).numpy()
    assert lost.sum() >= 60
    assert lost[1] == lost.max() > 35
    assert (lost > 0).sum() > 1
    assert scores(state).argmin() == 1


def test_what_has_just_grown_is_not_pruned():
    body = body_of("improved", 4)
    for one in developing(body).values():
        one.state.growth.masked_fill_(one.state.connections(), 2)
    assert equal(prune(body, np.random.default_rng(0), options_of("improved")), body)


@pytest.mark.parametrize("mode", MODES)
def test_connections_grow_where_there_was_evidence_and_are_safe(mode):
    body, often = body_of(mode, 5), 0
    state = developing(body)[B].state
    gone = (~state.connections() & (state.live() > 0)[:, None]).nonzero()
    (row, column), evidence = gone[0].tolist(), state.gradient if mode == "improved" else None
    if evidence is None:
        state.growth.zero_()
        state.growth[row, column] = 200
    else:
        evidence.zero_()
        evidence[row, column] = -3.0
    for seed in range(20):
        child = regenerate(body, np.random.default_rng(seed), options_of(mode))
        new = developing(child)[B]
        grown = new.state.connections() & ~state.connections()
        assert grown.any()
        assert not (state.connections() & ~new.state.connections()).any()
        often += bool(grown[row, column])
        changed = new.weight != developing(body)[B].weight
        assert (developing(body)[B].weight[changed] == 0).all()
        assert mode == "improved" or not changed.any()
        assert (new.state.growth[grown] == (JUST_GROWN if mode == "improved" else 0)).all()
        if mode == "improved":
            assert (new.state.gradient[grown] == 0).all()
    assert often > 10


def test_a_neuron_that_wakes_reads_and_sends_again():
    body = body_of("improved", 6)
    woken = 0
    for seed in range(20):
        child = regenerate(body, np.random.default_rng(seed), options_of("improved"))
        for name, one in developing(child).items():
            old = developing(body)[name].state
            awake = (old.live() == 0) & (one.state.live() > 0)
            woken += int(awake.sum())
            assert (one.weight[awake][one.state.mask[awake]] != 0).all()
            assert all((child[unit][awake] == 1).all() for unit in one.units
                       if unit.endswith((".weight", ".running_var")))  # fmt: skip
            if name == "edges.b->c.2.weight":
                sent = child[f"network/{LAST}.weight"]
                assert (sent[:, awake] != 0).all()
                still = ~awake
                assert torch.equal(sent[:, still], body[f"network/{LAST}.weight"][:, still])
    assert woken > 5


@pytest.mark.parametrize("switch", ["prune", "regenerate"])
def test_what_is_switched_off_or_was_never_trained_is_left_alone(switch):
    mutate, rng = {"prune": prune, "regenerate": regenerate}[switch], np.random.default_rng(0)
    body = body_of("improved", 7)
    assert equal(mutate(body, rng, SdsnnOptions(**{switch: False})), body)
    young = body_of("improved", 7, age=0)
    for each in (constrain, prune, regenerate):
        assert equal(each(young, rng, SdsnnOptions()), young)


def rows_from(child, one, two, name):
    """Tell for each neuron of a layer whether all it has is that of either parent."""
    found = []
    for row in range(len(child[f"network/{name}"])):
        names = list(developing(child)[name].named())
        found.append(
            tuple(all(torch.equal(child[n][row], p[n][row]) for n in names) for p in (one, two))
        )
    return found


@settings(max_examples=15, deadline=None)
@given(mode=st.sampled_from(MODES), seed=st.integers(0, 2**16))
def test_every_neuron_of_a_child_is_that_of_one_parent(mode, seed):
    one, two = body_of(mode, seed), body_of(mode, seed + 1, age=4)
    before = copied(one), copied(two)
    child = mate(one, two, np.random.default_rng(seed))
    assert (equal(one, before[0]), equal(two, before[1])) == (True, True)
    check_sound(child, one, mode)
    sources = {name: rows_from(child, one, two, name) for name in developing(child)}
    assert all(any(row) for rows in sources.values() for row in rows)
    assert sum(row == (False, True) for rows in sources.values() for row in rows) > 0
    for name in developing(child):
        for kept in ("rate", "age"):
            assert child[f"development/{name}/{kept}"] == one[f"development/{name}/{kept}"]
    last = f"network/{LAST}.weight"
    for column, (mine, _) in enumerate(sources["edges.b->c.2.weight"]):
        assert torch.equal(child[last][:, column], (one if mine else two)[last][:, column])


def test_layers_that_are_added_draw_together():
    one, two = body_of("improved", 1), body_of("improved", 2)
    for body in (one, two):
        for name in (B, LOOP):
            body[f"development/{name}/mask"].fill_(True)  # so that no layer could go empty
    draws = []
    for seed in range(5):
        child = mate(one, two, np.random.default_rng(seed))
        assert rows_from(child, one, two, B) == rows_from(child, one, two, LOOP)
        draws.append(tuple(rows_from(child, one, two, B)))
    assert len(set(draws)) > 1


def test_a_layer_never_goes_empty_though_each_parent_has_what_the_other_lacks():
    one, two = body_of("improved", 1), body_of("improved", 2)
    for body, living in ((one, 0), (two, 1)):
        state = developing(body)[B].state
        state.mask.fill_(False)
        state.mask[living] = True
    for seed in range(30):
        child = mate(one, two, np.random.default_rng(seed))
        assert int(developing(child)[B].state.live().max()) > 0


def test_neurons_are_matched_across_edges_only_where_sizes_tell():
    found = {one.name: (one.makes, one.reads) for one in layers_of(body_of("improved", 0))}
    assert found[B] == ("node b", "node a")
    assert found[LOOP] == ("node b", "node b")
    assert found["edges.b->c.2.weight"] == ("node c", "node b")
    body = {
        "network/edges.input->a.0.weight": torch.zeros(4, 1, 3, 3),
        "network/edges.input->a#2.0.weight": torch.zeros(2, 1, 3, 3),  # a concatenates
        "network/edges.input->b.0.weight": torch.zeros(4, 1, 3, 3),
        "network/edges.a->c.1.weight": torch.zeros(6, 6, 1, 1),
        "network/edges.b->c.1.weight": torch.zeros(4, 2, 1, 1),  # in two groups
        "network/edges.b->c.3.weight": torch.zeros(6, 4, 1, 1),
    }
    found = {one.name[6:-7]: (one.makes, one.reads) for one in layers_of(body)}
    assert found["input->a.0"] == ("edges.input->a.0.weight", "")
    assert found["input->a#2.0"] == ("edges.input->a#2.0.weight", "")
    assert found["a->c.1"] == ("node c", "")
    assert found["b->c.1"] == ("edges.b->c.1.weight", "")
    assert found["b->c.3"] == ("node c", "edges.b->c.1.weight")


def test_a_linear_behind_a_concatenation_is_not_taken_for_one_that_reads_pixels():
    body = {
        "network/edges.input->a.0.weight": torch.zeros(4, 1, 3, 3),
        "network/edges.input->a#2.0.weight": torch.zeros(4, 1, 3, 3),
        "network/edges.a->b.1.weight": torch.zeros(5, 8),
    }
    reader, *parts = layers_of(body)
    assert (reader.reads, {one.makes for one in parts}) == ("node a", {"node a"})
    reader, *parts = layers_of(body | {"development/concatenated/a": torch.empty(0)})
    assert (reader.reads, [one.makes for one in parts]) == ("", [one.name for one in parts])
