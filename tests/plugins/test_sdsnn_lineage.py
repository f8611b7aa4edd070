"""sdsnn from one training to the next: what a child begins with, and how its clock goes on."""

from __future__ import annotations

import math

import pytest
import torch

from evo_core import EvoError
from evo_core.architecture import INPUT, Architecture, Edge, Node, Task
from evo_core.binding import Binder
from evo_core.components import Dataset, Development, NeuronModel, load
from evo_core.development import MATE
from evo_core.evaluation import Inheritance
from evo_core.primitives import BatchNorm, Conv, Flatten, GlobalAveragePool, Linear, Neuron
from evo_core.recipe import read_recipe
from evo_core.registry import installed
from evo_core.snn import checkpoint
from evo_core.snn.heritage import Heritage, begin, left_by
from evo_core.snn.silence import pruned
from evo_core.snn.tensors import parse_tensors
from evo_core.snn.training import Trainer
from evo_sdsnn.bodies import layers_of
from evo_sdsnn.growth import JUST_GROWN

LIF = Neuron("lif", (("surrogate", "atan"),))
BINDER = Binder(installed(), {})
HARD = "sdsnn[neurons=0.6,synapses=0.8,fc_rate=20.0,conv_rate=20.0]"


def network(last=8):
    """Give a network in which two edges enter b, one of them as feedback."""
    return Architecture(
        Task((1, 8, 8), 10, 2),
        (Node("a"), Node("b"), Node("out")),
        (
            Edge(INPUT, "a", (Conv(1, 8, 3, 2), BatchNorm(8))),
            Edge("a", "b", (LIF, Conv(8, last, 3, 2), BatchNorm(last))),
            Edge("b", "b", (LIF, Conv(last, last, 1), BatchNorm(last)), "next-step"),
            Edge("b", "out", (LIF, GlobalAveragePool(), Linear(last, 10))),
        ),
        "out",
    )


def concatenation():
    """Give a network whose classifier reads 2 x 2 pixels of two parts of equal size."""
    return Architecture(
        Task((1, 8, 8), 10, 2),
        (Node("a"), Node("b", "concat"), Node("out")),
        (
            Edge(INPUT, "a", (Conv(1, 4, 3, 2), BatchNorm(4))),
            Edge("a", "b", (LIF, Conv(4, 4, 3, 2), BatchNorm(4))),
            Edge("a", "b", (LIF, Conv(4, 4, 3, 2), BatchNorm(4))),
            Edge("b", "out", (LIF, Flatten(), Linear(32, 10))),
        ),
        "out",
    )


def trainer_of(text=HARD, last=8, graph=None):
    data = BINDER.bind(Dataset, "digits")
    recipe = read_recipe("quick", {"epochs": 5, "samples": 60, "batch": 20})
    bound = BINDER.bind(Development, text)
    splits = load(data.record.load)(data.options, None)
    graph = graph or network(last)
    return Trainer(graph, splits, installed().all(NeuronModel), recipe, 0, development=bound)


def train(trainer, epochs=5):
    for _ in range(epochs):
        while trainer.step < trainer.steps:
            trainer.make_step()
        metrics = trainer.end_epoch()
    return metrics


def child_of(body, *mutations, text=HARD, last=8):
    child = trainer_of(text, last)
    begin(
        child, Heritage(Inheritance(("one",), mutations), (body,)), BINDER.bind(Development, text)
    )
    return child


@pytest.mark.parametrize("turned", [False, True])
def test_mating_mixes_nothing_with_initial_weights(parent, turned):
    """An edge that fits in one parent alone is that of this one, whole."""
    other = trainer_of(last=6)
    train(other, 1)
    bodies = [parent[1], parse_tensors(left_by(other), "other")]
    bound, child = BINDER.bind(Development, HARD), trainer_of(last=8)
    given = tuple(reversed(bodies) if turned else bodies)
    begin(child, Heritage(Inheritance(("one", "two"), ((MATE, 1),)), given), bound)
    found = parse_tensors(left_by(child), "child")
    fits = [name for name in found if "edges.a->b" in name and "growth" not in name]
    assert fits
    # but for the BatchNorm of silent neurons, which lets gradients pass again
    assert all(torch.equal(found[one], parent[1][one]) for one in fits if ".2." not in one)


def structures(trainer):
    return list(trainer.developer.state.each())


@pytest.fixture(scope="module")
def parent():
    """Give a finished training of five epochs, and the body that it left."""
    trainer = trainer_of()
    train(trainer)
    return trainer, parse_tensors(left_by(trainer), "body")


def test_ages_count_trained_epochs_also_where_an_edge_begins_anew(parent):
    child = child_of(parent[1])
    assert {int(layer.age) for _, layer in structures(child)} == {5}
    train(child)
    assert {int(layer.age) for _, layer in structures(child)} == {10}
    other = child_of(parent[1], last=6)
    ages = {layer.name: int(structure.age) for layer, structure in structures(other)}
    assert ages == {
        "edges.input->a.0.weight": 5, "edges.a->b.1.weight": 0, "edges.b~>b.1.weight": 0,
    }  # fmt: skip
    train(other)
    assert {int(layer.age) for _, layer in structures(other)} == {10, 5}


def test_structure_goes_on_where_the_parent_ended(parent):
    before = pruned(parent[0].network)
    child = child_of(parent[1])
    assert pruned(child.network).neurons == before.neurons
    gone = [int((~layer.mask).sum()) for _, layer in structures(child)]
    train(child, 1)
    assert sum(int((~layer.mask).sum()) for _, layer in structures(child)) > sum(gone)
    grown_up = child_of(parent[1])
    train(grown_up)
    assert pruned(grown_up.network).weights > before.weights


def test_pruned_neurons_stay_silent_but_let_gradients_pass(parent):
    gone = {layer.name: structure.pruned for layer, structure in structures(parent[0])}
    assert sum(int(one.sum()) for one in gone.values()) > 2
    for layer, structure in structures(parent[0]):
        assert (layer.norm.weight[structure.pruned] == 0).all()
    child = child_of(parent[1])
    for layer, structure in structures(child):
        scale = layer.norm.weight[structure.pruned]
        assert scale.allclose(torch.tensor(math.sqrt(layer.norm.eps)))
        structure.gradient.zero_()
    seen = []

    def look(module, given, made):
        seen.append(made)

    for layer, _ in structures(child):
        layer.norm.register_forward_hook(look)
    child.make_step()
    by_layer = zip(structures(child), (seen[i] for i in range(3)), strict=True)
    shapes = {made.shape[-3] for made in seen}
    assert shapes == {8}
    assert all((made[..., gone[layer.name], :, :] == 0).all() for (layer, _), made in by_layer)
    # a neuron of b that one edge lost still gets current from the other, and is heard
    half = [structure.gradient[structure.pruned].abs().sum() for _, structure in structures(child)]
    assert float(sum(half)) > 0


def test_a_neuron_that_the_mutation_wakes_takes_part_again(parent):
    asleep = {layer.name: structure.pruned.clone() for layer, structure in structures(parent[0])}
    woken = 0
    for seed in range(6):
        child = child_of(parent[1], ("regenerate", seed))
        for layer, structure in structures(child):
            awake = asleep[layer.name] & ~structure.pruned
            woken += int(awake.sum())
            assert (layer.norm.weight[awake] == 1).all()
            assert (layer.norm.running_var[awake] == 1).all()
            there = structure.mask[awake].flatten(2).any(2)
            assert (structure.growth[awake][there] == JUST_GROWN).all()
    assert woken > 0
    train(child, 1)
    assert all(bool(one.isfinite().all()) for one in child.network.parameters())


@pytest.mark.parametrize("mode", ["intended", "released"])
def test_children_of_the_released_modes_keep_their_masks(mode):
    text = f"sdsnn[mode={mode},fc_rate=30.0,conv_rate=30.0]"
    first = trainer_of(text)
    train(first)
    body = parse_tensors(left_by(first), "body")
    child = child_of(body, ("prune", 1), ("regenerate", 1), text=text, last=8)
    gone = sum(int((~layer.mask).sum()) for _, layer in structures(child))
    assert gone > 0
    train(child, 1)
    for layer, structure in structures(child):
        assert (layer.weight[~structure.mask] == 0).all()


def test_a_checkpoint_without_ages_is_refused_in_a_line(parent, tmp_path, monkeypatch):
    from evo_sdsnn import develop

    trainer, _ = parent
    kept = {n: one for n, one in trainer.developer.tensors().items() if not n.endswith("/age")}
    monkeypatch.setattr(develop, "tensors", lambda state: kept)
    checkpoint.save(tmp_path, trainer, {}, [], {})
    place = checkpoint.latest(tmp_path)
    with pytest.raises(EvoError, match=r"no structural state for .*age; train anew") as error:
        checkpoint.restore(trainer_of(), place, checkpoint.read(place))
    assert "\n" not in str(error.value)


def test_a_body_tells_which_nodes_concatenate_so_that_no_wrong_neuron_is_matched():
    trainer = trainer_of(graph=concatenation())
    body = parse_tensors(left_by(trainer), "body")
    found = {one.name: one for one in layers_of(body)}
    assert found["edges.b->out.2.weight"].reads == ""  # 32 columns are 4 neurons, 8 pixels each?
    parts = [one for name, one in found.items() if name.startswith("edges.a->b")]
    assert [one.makes for one in parts] == [one.name for one in parts]
    assert [one.reads for one in parts] == ["node a", "node a"]
    child = trainer_of(graph=concatenation())
    heritage = Heritage(Inheritance(("one",), (("prune", 1), ("regenerate", 1))), (body,))
    begin(child, heritage, BINDER.bind(Development, HARD))
    assert parse_tensors(left_by(child), "child").keys() == body.keys()
