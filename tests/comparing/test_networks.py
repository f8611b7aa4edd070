"""Which networks are compared."""

from __future__ import annotations

import numpy as np
import pytest

from evo_core import EvoError
from evo_core.api import job_of
from evo_core.comparing import grouping
from evo_core.comparing.networks import choose, draw, inputs_of, text_of
from evo_core.plan import make_plan


def plan(**settings):
    return make_plan(job_of(settings))


def test_networks_are_different_and_a_larger_sample_begins_with_the_smaller():
    one = plan(mse={"cells": 2})
    genomes = draw(one, 40)
    assert len({one.decode(genome).hash for genome in genomes}) == 40
    assert draw(one, 15) == genomes[:15]
    assert draw(plan(mse={"cells": 2}, seed=1), 15) != genomes[:15]


def test_networks_keep_the_constraints():
    one = plan(mse={"cells": 2}, constraints=["params<20000"])
    assert all(one.violation(genome) is None for genome in draw(one, 10))


def test_a_space_that_is_too_small_is_said_to_be():
    with pytest.raises(EvoError, match=r"gave 3 different networks .* too few to compare"):
        draw(plan(space="reference"), 4)


def test_networks_of_a_table_are_chosen_from_it():
    one = plan(mse={"cells": 2})
    texts = [text_of(genome) for genome in draw(one, 30)]
    chosen = [text_of(genome) for genome in choose(one, texts, 20, "known.csv")]
    assert set(chosen) < set(texts)
    assert len(set(chosen)) == 20
    assert chosen != texts[:20]
    with pytest.raises(EvoError, match=r"known.csv has 30 different networks; take --samples 30"):
        choose(one, texts + texts, 31, "known.csv")
    with pytest.raises(EvoError, match=r"known.csv: a genome of mse has"):
        choose(one, ["1,2"], 1, "known.csv")


def test_k_is_the_mean_number_of_inputs_of_a_cell():
    chain = plan(mse={"cells": 2})
    place = [gene.name for gene in chain.space.genes].index("inputs")
    genomes = draw(chain, 10)
    assert inputs_of(chain, genomes) == [
        float(chain.space.genes[place].choice(one[place])) for one in genomes
    ]
    free = plan(mse={"cells": 2, "macro": "per-cell"})
    for genome, k in zip(genomes := draw(free, 10), inputs_of(free, genomes), strict=True):
        named = dict(zip((gene.name for gene in free.space.genes), genome, strict=True))
        each = [value for name, value in named.items() if name.endswith(".inputs")]
        assert k == pytest.approx(2 + np.mean(each))  # the choices begin with 2
    assert inputs_of(plan(space="reference"), []) is None


def test_networks_are_grouped_by_a_gene_k_or_thirds_of_a_score():
    one = plan(mse={"cells": 2})
    genomes = draw(one, 30)
    motif = one.space.genes[0]
    by_gene = grouping.groups(motif.name, one, genomes, {})[motif.name]
    assert by_gene == tuple(motif.choice(genome[0]) for genome in genomes)
    assert set(grouping.groups("k", one, genomes, {})["k"]) <= {"2", "3", "4"}
    values = np.arange(30.0)[:, None]
    values[7] = np.nan
    by_score = grouping.groups("rdm", one, genomes, {"rdm": values})["rdm"]
    assert by_score[0] == "lowest third"
    assert by_score[29] == "highest third"
    assert by_score[7] == "undefined"
    few = np.where(values < 20, values // 10, np.nan)
    by_few = grouping.groups("rdm", one, genomes, {"rdm": few})["rdm"]
    assert (by_few[0], by_few[10], by_few[29]) == ("0", "1", "undefined")
    never = grouping.groups("rdm", one, genomes, {"rdm": np.full((30, 1), np.nan)})["rdm"]
    assert set(never) == {"undefined"}
    assert grouping.groups("none", one, genomes, {}) == {}


def test_networks_that_do_not_read_a_gene_are_a_group():
    one = plan(mse={"cells": 2})
    genomes = draw(one, 30)
    active = np.array([one.space.active(genome) for genome in genomes])
    sometimes = next(place for place in range(active.shape[1]) if 0 < active[:, place].sum() < 30)
    name = one.space.genes[sometimes].name
    labels = np.array(grouping.groups(name, one, genomes, {})[name])
    assert ((labels == "not read") == ~active[:, sometimes]).all()


def test_what_networks_can_not_be_grouped_by_is_named():
    with pytest.raises(EvoError, match="there is no 'kk'; did you mean 'k'"):
        grouping.check("kk", plan(), [])
    with pytest.raises(EvoError, match="reference has no macro gene with numbers"):
        grouping.check("k", plan(space="reference"), [])
