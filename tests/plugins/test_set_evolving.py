"""``set`` in evolution: what changes a body keeps its density, and siblings differ."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from evo_core import Architecture, Edge, EvoError, Node, Task
from evo_core.architecture import INPUT
from evo_core.binding import Binder
from evo_core.components import Dataset, Development, NeuronModel, load
from evo_core.evaluation import Candidate, Inheritance
from evo_core.primitives import BatchNorm, Conv, GlobalAveragePool, Linear, Neuron
from evo_core.recipe import read_recipe
from evo_core.registry import installed
from evo_core.snn.heritage import Heritage, begin, left_by
from evo_core.snn.tensors import parse_tensors
from evo_core.snn.training import Trainer
from evo_set.evolving import genes, mate, rewire

LIF = Neuron("lif")
RECIPE = read_recipe("quick", {"epochs": 1, "samples": 60, "batch": 30})
BINDER = Binder(installed(), {})
BOUND = BINDER.bind(Development, "set[density=0.25]")


def network(last=16):
    return Architecture(
        Task((1, 8, 8), 10, 2),
        (Node("a"), Node("b"), Node("out")),
        (
            Edge(INPUT, "a", (Conv(1, 8, 3, 2), BatchNorm(8))),
            Edge("a", "b", (LIF, Conv(8, last, 3, 2), BatchNorm(last))),
            Edge("b", "out", (LIF, GlobalAveragePool(), Linear(last, 10))),
        ),
        "out",
    )


def trainer_of(last=16, seed=0):
    data = BINDER.bind(Dataset, "digits")
    splits = load(data.record.load)(data.options, None)
    neurons = installed().all(NeuronModel)
    return Trainer(network(last), splits, neurons, RECIPE, seed, development=BOUND)


def body_of(trainer):
    return parse_tensors(left_by(trainer), "body")


def trained_body(seed=0):
    trainer = trainer_of(seed=seed)
    for _ in range(trainer.steps):
        trainer.make_step()
    return body_of(trainer)


def masks(body):
    return {name: one.bool() for name, one in body.items() if name.startswith("development/")}


def equal(one, two):
    return one.keys() == two.keys() and all(torch.equal(one[name], two[name]) for name in one)


def begun(trainer, bodies, *mutations):
    digests = tuple(str(number) for number in range(len(bodies)))
    begin(trainer, Heritage(Inheritance(digests, mutations), tuple(bodies)), BOUND)
    return body_of(trainer)


def test_a_body_holds_all_tensors_of_the_network_and_the_masks():
    body, trainer = body_of(trainer_of()), trainer_of()
    assert {name for name in body if name.startswith("network/")} == {
        f"network/{name}" for name in trainer.network.state_dict()
    }
    assert {name.removeprefix("development/") for name in masks(body)} == {
        name for name, one in trainer.network.named_parameters() if one.ndim > 1
    }


def test_a_child_of_the_same_network_begins_where_its_parent_ended():
    body = trained_body()
    assert not equal(body, body_of(trainer_of()))
    assert equal(begun(trainer_of(), [body]), body)


def test_an_edge_that_does_not_fit_stays_whole_as_the_child_was_drawn():
    body, fresh = trained_body(), body_of(trainer_of(last=20))
    child = begun(trainer_of(last=20), [body])
    wide = ("edges.a->b", "edges.b->out")  # 20 channels here, 16 there
    for name, one in child.items():
        source = fresh if name.split("/", 1)[1].startswith(wide) else body
        assert torch.equal(one, source[name]), name
    assert body["network/edges.b->out.2.bias"].shape == fresh["network/edges.b->out.2.bias"].shape
    for name, mask in masks(child).items():
        assert (child[name.replace("development", "network", 1)][~mask] == 0).all()


def test_the_parts_of_an_edge_are_inherited_together():
    body, fresh = trained_body(), body_of(trainer_of())
    kernel = "network/edges.a->b.1.weight"
    other = begun(trainer_of(), [body | {kernel: body[kernel][..., :1]}])
    for name, one in other.items():
        source = fresh if "edges.a->b." in name else body
        assert torch.equal(one, source[name]), name


def test_siblings_of_one_body_differ_and_one_seed_repeats():
    body = trained_body()
    one, two, again = (
        begun(trainer_of(), [body], ("rewire", seed)) for seed in (1, 2, 1)
    )  # fmt: skip
    assert equal(one, again)
    assert not equal(one, two)
    assert not equal(one, body)


def test_rewiring_keeps_the_density_and_grows_from_zero():
    body = trained_body()
    before = {name: one.clone() for name, one in body.items()}
    child = rewire(body, np.random.default_rng(0), BOUND.options)
    assert equal(body, before)
    for name, mask in masks(child).items():
        old = masks(body)[name]
        assert int(mask.sum()) == int(old.sum())
        assert int((old & ~mask).sum()) == round(0.2 * int(old.sum()))
        weight = child[name.replace("development", "network", 1)]
        assert (weight[~old] == 0).all()
        assert (weight[~mask] == 0).all()


def test_mating_swaps_whole_rows_with_their_masks():
    one, two = trained_body(0), trained_body(1)
    child = begun(trainer_of(), [one, two], ("mate", 3))
    names = ["edges.a->b.1.weight"]
    rows = {name: set() for name in names}
    for name in names:
        for row in range(len(child[f"network/{name}"])):
            sources = [
                all(torch.equal(child[part + name][row], parent[part + name][row])
                    for part in ("network/", "development/"))
                for parent in (one, two)
            ]  # fmt: skip
            assert any(sources)
            rows[name].add(tuple(sources))
    assert {(True, False), (False, True)} <= rows["edges.a->b.1.weight"]
    assert not equal(child, mate(one, two, np.random.default_rng(4)))


def test_a_mutation_that_changes_shapes_is_refused():
    def grow(body, rng, options):
        return body | {"network/more": torch.zeros(3)}

    bound = replace(BOUND, record=replace(BOUND.record, mutations={"grow": grow}))
    heritage = Heritage(Inheritance(("a",), (("grow", 1),)), (trained_body(),))
    with pytest.raises(EvoError, match="grow of development set gives a body with other names"):
        begin(trainer_of(), heritage, bound)


def test_the_gene_chooses_what_is_replaced():
    (gene,) = genes(BOUND.options)
    configured = load(BOUND.record.configure)(BOUND.options, {gene.name: "0.5"})
    assert configured == replace(BOUND.options, replaced=0.5)
    assert gene.scale == "development"


def test_a_candidate_without_inheritance_has_no_heritage():
    assert Heritage.of(Candidate(0, (), "n")) is None
