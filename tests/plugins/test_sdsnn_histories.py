"""What holds for sdsnn in any life: epochs, mutations and mating in any order."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from evo_sdsnn import LayerState, SdsnnOptions, begin, step
from evo_sdsnn.bodies import layers_of
from evo_sdsnn.mating import mate
from evo_sdsnn.mutating import constrain, prune, regenerate
from evo_sdsnn.state import State
from evo_sdsnn.stepping import go_on

MUTATIONS = {"constrain": constrain, "prune": prune, "regenerate": regenerate}
SHAPES = {  # b adds what two edges bring; there are layers of few synapses, and a single neuron
    "edges.input->a.0.weight": (2, 1, 1, 1),
    "edges.a->b.1.weight": (3, 2, 1, 1),
    "edges.input->b.0.weight": (3, 1, 3, 3),
    "edges.b->c.2.weight": (1, 6),
    "edges.c->d.1.weight": (2, 1),
}
EPOCHS = 5
LIVES = st.lists(st.sampled_from([*MUTATIONS, "mate", "train"]), min_size=2, max_size=6)
PERCENT = st.sampled_from([0.0, 30.0, 75.0, 100.0])
SHARE = st.sampled_from([0.0, 0.5, 0.99])


def coarse(shape, rng):
    """Draw few values, so that many are equal, and some are zero."""
    return torch.randint(-2, 3, shape, generator=rng) / 4


def new_body(options, rng):
    weights = {name: coarse(shape, rng) for name, shape in SHAPES.items()}
    state = begin(weights, options, targets=2)
    body = {f"network/{name}": one for name, one in weights.items()}
    body |= {f"development/{name}": one for name, one in state.tensors().items()}
    return body | {"network/edges.d->out.1.weight": coarse((2, 2), rng)}


def check_no_layer_is_empty(layers, mode):
    for name, layer in layers.items():
        assert int(layer.live().max()) > 0, name
        assert mode != "improved" or torch.equal(layer.pruned, layer.live() == 0)


def train(body, options, rng):
    """Let a body live through the epochs of one training, in place; weights may fall in them."""
    layers = {name: state_in(body, name) for name in SHAPES}
    weights, state = {name: body[f"network/{name}"] for name in SHAPES}, State(layers, 2)
    falls = bool(torch.randint(2, (), generator=rng))
    for epoch in range(EPOCHS):
        for name, layer in layers.items():
            weights[name].mul_(0.5) if falls else weights[name].add_(coarse(SHAPES[name], rng))
            if layer.gradient.numel():
                layer.gradient.add_(coarse(SHAPES[name], rng))
        go_on(weights, state, EPOCHS - epoch, options)
        check_no_layer_is_empty(layers, options.mode)


def state_in(body, name):
    return LayerState(
        **{one.name: body[f"development/{name}/{one.name}"] for one in fields(LayerState)}
    )


@settings(max_examples=60, deadline=None)
@given(
    options=st.builds(
        lambda shares, **more: SdsnnOptions(**shares, **more),
        shares=st.one_of(
            st.fixed_dictionaries(
                {"mode": st.just("improved"), "neurons": SHARE, "synapses": SHARE, "dead": SHARE}
            ),
            st.fixed_dictionaries({"mode": st.sampled_from(["intended", "released"])}),
        ),
        **dict.fromkeys(("conv_rate", "fc_rate", "conv_growth", "fc_growth"), PERCENT),
        pace=st.sampled_from([4, 15]),
        clamp=st.booleans(),
    ),
    life=LIVES,
    seed=st.integers(0, 2**16),
)
def test_no_layer_is_ever_empty(options, life, seed):
    draw, rng = torch.Generator().manual_seed(seed), np.random.default_rng(seed)
    bodies = [new_body(options, draw) for _ in range(2)]
    for event in ("train", *life):
        if event == "train":
            for body in bodies:
                train(body, options, draw)
        elif event == "mate":
            bodies[0] = mate(*bodies, rng)
        else:
            bodies[0] = MUTATIONS[event](bodies[0], rng, options)
        for body in bodies:
            states = {one.name: one.state for one in layers_of(body) if one.state is not None}
            assert states.keys() == SHAPES.keys()
            check_no_layer_is_empty(states, options.mode)


def test_the_only_living_neuron_stays_though_its_score_is_that_of_the_dead():
    for mode in ("improved", "intended", "released"):
        options = SdsnnOptions(mode=mode, spine=1, fc_rate=100.0, regenerate=False, clamp=False)
        weight = torch.ones(4, 1)
        state = begin([weight], options)
        layer = state.layers["0"]
        layer.mask[1:] = False
        layer.pruned[1:] = True
        layer.upper.fill_(2.0)
        layer.upper[0] = 0.5  # the narrowest of the layer: its neuron scores 0, as the dead do
        layer.lower.copy_(-layer.upper)
        step([weight], state, 3, options)
        assert layer.live().tolist() == [1, 0, 0, 0]
