"""sdsnn inside small searches: structure goes on from parents to children, and runs repeat."""

from __future__ import annotations

from contextlib import closing

import pytest
import torch
from sklearn.datasets import load_digits

import evo_core
from evo_core import array_dataset
from evo_core.bodies import Bodies
from evo_core.snn.tensors import parse_tensors
from evo_core.store import Store
from evo_sdsnn.bodies import layers_of

IMAGES, LABELS = load_digits(n_class=3, return_X_y=True)
DATA = array_dataset("few", (IMAGES / 16).reshape(-1, 8, 8)[:60], LABELS[:60])
TRAINED = "epochs=5,samples=20"
MUTATIONS = ("mate", "constrain", "prune", "regenerate")
OFTEN = dict.fromkeys(MUTATIONS, 0.6)


def start(folder, develop="sdsnn", inherit="lamarck", **more):
    settings = {
        "space": "mse",
        "data": "few",
        "mse": {"cells": 1, "channels": 4},
        "scoring": {"steps": 2},
        "develop": develop,
        "inherit": inherit,
        "fitness": [f"accuracy[{TRAINED}]", f"synops[at=trained,{TRAINED}]"],
        "population": 3,
        "generations": 2,
        "rescore": 0,
        "executor": "serial",
        "observers": [],
        "out": str(folder),
    }
    return evo_core.run(settings | more, components=[DATA]).run


def pairs_of(folder):
    with closing(Store.open(folder)) as store:
        return dict(enumerate(store.evaluated()))


def bytes_of(folder):
    files = [folder / "result.json", *sorted((folder / "weights").glob("*"))]
    return {path.name: path.read_bytes() for path in files}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Give the folder of a run that was not disturbed, in which every mutation is likely."""
    return start(tmp_path_factory.mktemp("whole") / "run", generations=3, operators=OFTEN)


def test_children_go_on_with_the_structure_of_their_parents(whole):
    pairs = pairs_of(whole)
    assert {other.status for _, other in pairs.values()} <= {"ok", "silent", "saturated"}
    children = [one for one, _ in pairs.values() if one.generation]
    assert all(one.inheritance is not None for one in children)
    assert {name for one in children for name in one.operators} >= set(MUTATIONS)
    bodies = [other.body for _, other in pairs.values()]
    assert len(set(bodies)) == len(bodies)  # siblings as well


def test_layers_grow_sparser_with_their_age(whole):
    bodies, density = Bodies(whole / "weights"), {}
    for path in (whole / "weights").iterdir():
        body = parse_tensors(bodies.read(path.stem), "body")
        for layer in layers_of(body):
            if layer.state is not None:
                shares = density.setdefault(int(layer.state.age), [])
                shares.append(float(layer.state.mask.float().mean()))
                assert (layer.weight[~layer.state.mask] == 0).all()
                assert torch.equal(layer.state.pruned, layer.state.live() == 0)
    assert set(density) <= {5, 10, 15}
    means = {age: sum(shares) / len(shares) for age, shares in density.items()}
    assert max(means) == 15
    assert means[max(means)] < means[min(means)]


def test_a_run_that_is_stopped_and_goes_on_is_the_long_run(whole, tmp_path):
    short = start(tmp_path / "run", generations=1, operators=OFTEN)
    evo_core.resume(short, generations=3, components=[DATA])
    assert bytes_of(short) == bytes_of(whole)


@pytest.mark.parametrize("mode", ["intended", pytest.param("released", marks=pytest.mark.slow)])
def test_the_released_modes_pass_on_bodies_too(mode, tmp_path):
    folder = start(tmp_path / "run", f"sdsnn[mode={mode}]", operators=OFTEN, population=2)
    pairs = pairs_of(folder)
    assert {other.status for _, other in pairs.values()} <= {"ok", "silent", "saturated"}
    assert len({other.body for _, other in pairs.values()}) == len(pairs)


@pytest.mark.parametrize("inherit", ["none", "baldwin"])
def test_without_lamarck_children_begin_afresh(inherit, tmp_path):
    folder = start(tmp_path / "run", inherit=inherit, population=2)
    for one, other in pairs_of(folder).values():
        assert one.inheritance is None
        assert other.body is None
        assert other.status in ("ok", "silent", "saturated")
        assert other.details["training"] == {"epochs": 5, "inherited": 0}
    assert not (folder / "weights").exists()
