"""Development inside the population: what children inherit, and that runs with it repeat."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import dataclass, replace

import numpy as np
import pytest

import evo_core
from evo_core import Development, EvoError, Gene, array_dataset
from evo_core.config import from_layers
from evo_core.evaluation import Candidate, Evaluation, Inheritance
from evo_core.heredity import epochs_before, key_of
from evo_core.plan import Job, make_plan
from evo_core.store import Store
from evo_core.verifying import verify
from evo_set.plugin import SetOptions, evo_components

RNG = np.random.default_rng(0)
DATA = array_dataset("tiny", RNG.random((60, 8, 8)), np.arange(60) % 3)
TRAINED = "accuracy[epochs=1,samples=20]"
(SET,) = evo_components()


@pytest.fixture
def start(quick_run, tmp_path):
    """Run a small search with development; the folder is named."""

    def run(name="run", components=(DATA,), **given):
        settings = {
            "data": "tiny",
            "develop": "set[density=0.5]",
            "inherit": "lamarck",
            "fitness": [TRAINED, "params"],
            "mse": {"cells": 1, "channels": 4},
            "generations": 3,
            "rescore": 0,
        }
        return quick_run(components, out=str(tmp_path / name), **(settings | given)).run

    return run


def pairs_of(folder):
    with closing(Store.open(folder)) as store:
        return dict(enumerate(store.evaluated()))


def weights_of(folder):
    return {path.name: path.read_bytes() for path in (folder / "weights").glob("*")}


def rows(folder):
    queries = (
        "SELECT id, generation, genome, parents, operators FROM candidates",
        "SELECT candidate, status, details, error, copied_from FROM evaluations ORDER BY 1",
        "SELECT * FROM lineage",
        "SELECT number, state FROM generations",
    )
    with closing(sqlite3.connect(folder / "run.sqlite")) as database:
        return [database.execute(query).fetchall() for query in queries]


def same(one, two):
    assert (one / "result.json").read_bytes() == (two / "result.json").read_bytes()
    assert rows(one) == rows(two)
    assert weights_of(one) == weights_of(two)


@dataclass(frozen=True)
class Refusal:
    settings: dict
    message: str


@pytest.mark.parametrize(
    "one",
    [
        Refusal({"develop": "sett"}, "no development 'sett'"),
        Refusal({"develop": None}, "inherit='lamarck' needs a development"),
        Refusal({"fitness": ["rdm"]}, "does nothing where no fitness function trains"),
        Refusal({"cache": "scores.sqlite"}, "the cache keeps no networks that develop"),
        Refusal({"scoring": {"inits": 2, "batch": 8}}, "passes on one training; take scoring"),
        Refusal({"fitness": ["accuracy[epochs=1]", "accuracy[epochs=2]"]}, "in different ways"),
        Refusal({"inherit": "darwin"}, 'inherit is "darwin"'),
    ],
    ids=lambda one: one.message,
)
def test_what_makes_no_sense_is_refused_before_anything_is_written(start, tmp_path, one):
    with pytest.raises(EvoError) as raised:
        start(**one.settings)
    assert one.message in str(raised.value)
    assert "\n" not in str(raised.value)
    assert not (tmp_path / "run").exists()


def test_a_development_without_genes_leaves_baldwin_nothing_to_pass_on(start):
    bare = Development(
        name="bare",
        summary="",
        **{name: getattr(SET, name) for name in _TRAINING},
    )
    with pytest.raises(EvoError, match="development 'bare' has no genes to inherit"):
        start(components=(DATA, bare), develop="bare", inherit="baldwin")


_TRAINING = ("attach", "after_backward", "after_epoch", "tensors", "restore", "numbers", "options")


@pytest.mark.parametrize("fields", [{"genes": "a:b"}, {"configure": "a:b"}])
def test_genes_and_what_they_configure_go_together(fields):
    with pytest.raises(EvoError, match="genes and configure go together"):
        Development(name="d", summary="", **dict.fromkeys(_TRAINING[:-1], "a:b"), **fields)


def plan_with(**settings):
    layer = {"develop": "set", "fitness": ["accuracy"], "mse": {"cells": 1}}
    return make_plan(Job(from_layers(layer, settings)))


def test_the_genes_of_a_development_join_the_genome_where_they_are_inherited():
    bare = plan_with()
    for inherit in ("baldwin", "lamarck"):
        plan = plan_with(inherit=inherit)
        assert plan.space.genes[:-1] == bare.space.genes
        assert plan.space.genes[-1].scale == "development"
        genome = (*(0 for _ in bare.space.genes), plan.space.genes[-1].values[3])
        assert plan.space.active(genome)[-1]
        assert plan.network(genome) == bare.network(genome[:-1])
        assert plan.developing(genome).options == SetOptions(replaced=0.5)
    assert bare.developing((0,) * len(bare.space.genes)).options == SetOptions()


def test_candidates_that_develop_otherwise_are_others():
    identity = plan_with(inherit="baldwin").problem().identity
    front = (0,) * (len(plan_with().space.genes))
    assert identity((*front, 0)) != identity((*front, 1))
    assert plan_with().problem().identity(front) == plan_with().network(front)


def test_the_genes_of_a_development_are_checked():
    def genes(options):
        return (Gene("mine", "macro", ("a", "b")),)

    mine = Development(
        name="mine",
        summary="",
        **{name: getattr(SET, name) for name in _TRAINING},
        genes=genes,
        configure=lambda options, choices: options,
    )
    job = Job(from_layers({"develop": "mine", "inherit": "baldwin", "fitness": ["accuracy"]}),
              (mine,))  # fmt: skip
    with pytest.raises(EvoError, match="its gene 'mine' must have the scale 'development'"):
        make_plan(job)


def test_operators_of_the_development_act_where_its_genes_evolve():
    names = {bound.text: rate for bound, rate in plan_with(inherit="baldwin").operators}
    assert names["mutate-development"] == 0.5
    assert "mutate-development" not in {bound.text for bound, _ in plan_with().operators}
    assert plan_with(inherit="baldwin").body_rates is None
    lamarck = plan_with(inherit="lamarck", operators={"rewire": 0.9, "mutate-development": 0})
    assert lamarck.body_rates == {"mate": 0.1, "rewire": 0.9}
    assert "mutate-development" not in {bound.text for bound, _ in lamarck.operators}


def test_a_key_tells_all_that_decides_an_evaluation():
    one = Inheritance(("a",), (("rewire", 1),))
    keys = [
        key_of("n", (), None),
        key_of("m", (), one),
        key_of("n", (), one),
        key_of("n", (1,), one),
        key_of("n", (), Inheritance(("b",), (("rewire", 1),))),
        key_of("n", (), Inheritance(("a",), (("rewire", 2),))),
    ]
    assert len(set(keys)) == len(keys)
    assert keys[0] == "n"
    assert key_of("n", (), Inheritance(("a",), (("rewire", 1),), epochs=7)) == keys[2]


def test_each_ancestor_is_booked_once():
    def made(number, *bodies):
        before = Inheritance(tuple(bodies)) if bodies else None
        details = {"training": {"epochs": 10**number}}
        one = Evaluation(number, "ok", details=details, body=f"body {number}")
        return Candidate(number, (), "n", inheritance=before), one

    done = {
        0: made(0),
        1: made(1),
        2: made(2, "body 0", "body 1"),
        3: made(3, "body 0"),
        4: made(4, "body 2", "body 3"),
    }
    assert epochs_before(("body 0",), done) == 1
    assert epochs_before(("body 2", "body 3"), done) == 1111
    assert epochs_before(("body 4",), done) == 11111


def test_children_inherit_what_their_parents_left_and_siblings_differ(start):
    pairs = pairs_of(start(population=6, operators={"rewire": 0.7}))
    children = [one for one, _ in pairs.values() if one.generation]
    assert all(one.inheritance is not None for one in children)
    for one in children:
        assert set(one.inheritance.bodies) <= {pairs[number][1].body for number in one.parents}
        names = [name for name, _ in one.inheritance.mutations]
        assert [name for name in one.operators if name in ("mate", "rewire")] == names
        assert len(one.inheritance.bodies) == 1 + ("mate" in names)
    assert {name for one in children for name in one.operators} >= {"mate", "rewire"}
    assert len({one.key for one in children}) == len(children)
    bodies = [other.body for one, other in pairs.values()]
    assert len(set(bodies)) == len(bodies)
    first = {number: pair for number, pair in pairs.items() if not pair[0].generation}
    assert all(one.inheritance is None for one, _ in first.values())
    for one, other in pairs.values():
        before = one.inheritance.epochs if one.inheritance else 0
        assert other.details["training"] == {"epochs": 1, "inherited": before}
        assert before >= one.generation - 1


@pytest.mark.parametrize("inherit", ["none", "baldwin"])
def test_without_lamarck_no_body_is_kept(start, inherit):
    folder = start(inherit=inherit)
    assert not (folder / "weights").exists()
    for one, other in pairs_of(folder).values():
        assert one.inheritance is None
        assert other.body is None
        assert other.details["training"] == {"epochs": 1, "inherited": 0}
        assert (one.key == one.architecture) == (inherit == "none")


def test_a_run_keeps_the_bodies_of_its_survivors_and_what_these_began_with(start):
    folder = start()
    with closing(Store.open(folder)) as store:
        needed = store.generations()[-1].report.survivors
        pairs = dict(enumerate(store.evaluated()))
    expected = {pairs[number][1].body for number in needed}
    for number in needed:
        inheritance = pairs[number][0].inheritance
        expected |= set(inheritance.bodies) if inheritance else set()
    names = {name.removesuffix(".safetensors") for name in weights_of(folder)}
    assert expected <= names
    assert len(names) <= len(expected) + 2  # the best may have died out


def test_a_resumed_run_is_the_long_run(start):
    long, short = start("long", generations=4), start("short", generations=2)
    evo_core.resume(short, generations=4, components=[DATA])
    same(long, short)


def test_workers_give_what_one_process_gives(start):
    same(start("serial"), start("loky", executor="loky", workers=2))


def test_a_run_repeats(start):
    folder = start()
    found = verify(folder, components=[DATA])
    assert found.repeats, found.differences
    assert len(found.rescored) + found.unverified >= 10
    for path in (folder / "weights").iterdir():
        path.unlink()
    found = verify(folder, components=[DATA])
    assert found.repeats, found.differences
    assert found.unverified == sum(
        one.inheritance is not None for one, _ in pairs_of(folder).values()
    )


def test_a_run_can_not_go_on_under_another_inheritance(start):
    folder = start(generations=1)
    text = (folder / "config.toml").read_text()
    (folder / "config.toml").write_text(text.replace('"lamarck"', '"baldwin"'))
    with pytest.raises(EvoError, match="can not go on with another development"):
        evo_core.resume(folder, generations=2, components=[DATA], accept_changes=True)


@pytest.mark.parametrize("deed", ["missing", "damaged"])
def test_lost_bodies_cost_candidates_not_the_run(start, deed):
    folder = start(generations=1, population=4)
    lost = sorted((folder / "weights").iterdir())[1:]
    for path in lost:
        if deed == "missing":
            path.unlink()
        else:
            path.write_bytes(path.read_bytes() + b"\0")
    result = evo_core.resume(folder, generations=2, components=[DATA])
    assert result.status == "done"
    failed = [(one, other) for one, other in pairs_of(folder).values() if other.status == "error"]
    assert failed
    for one, other in failed:
        assert set(one.inheritance.bodies) & {path.stem for path in lost}
        assert "\n" not in other.error
        assert other.error.startswith("the body ")
        assert ("can not be read" if deed == "missing" else "is damaged") in other.error


def test_fresh_inits_begin_afresh(start):
    folder = start(rescore=1, generations=2)
    result = json.loads((folder / "result.json").read_text())
    assert result["front"][0]["rescored"][TRAINED]["values"]


def test_an_older_run_is_read_as_one_in_which_none_develops(quick_run):
    folder = quick_run(rescore=0).run
    with closing(sqlite3.connect(folder / "run.sqlite")) as database, database:
        assert database.execute("SELECT * FROM lineage").fetchall() == []
        database.execute("DROP TABLE lineage")
        database.execute("PRAGMA user_version = 3")
    assert all(one.key == one.architecture for one, _ in pairs_of(folder).values())
    assert evo_core.resume(folder, generations=3).status == "done"


@pytest.mark.parametrize("develop", ["sdsnn", "sdsnn[spine=5]"])
def test_a_development_that_can_work_on_no_candidate_is_refused(start, tmp_path, develop):
    with pytest.raises(EvoError, match=r"needs 5 epochs or more, not 4|first acts after"):
        start(develop=develop, fitness=["accuracy[epochs=4]"])
    assert not (tmp_path / "run").exists()


def test_a_development_that_can_not_work_on_a_network_costs_a_candidate(start):
    """Its check names the reason, candidate by candidate, before anything is trained."""

    def check(architecture, options, epochs):
        if int(architecture.hash, 16) % 2:
            raise EvoError(f"odd, and {epochs} epochs")

    picky = replace(SET, name="picky", check=check)
    folder = start(components=(DATA, picky), develop="picky", inherit="none", generations=1)
    found = [(one.status, one.error) for _, one in pairs_of(folder).values()]
    assert set(found) == {("ok", None), ("invalid", "odd, and 1 epochs")}


def test_none_is_no_development():
    assert from_layers({"develop": "none"}) == from_layers({})
