"""Macro genes are protected: a choice that is behind early on is not lost at once."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evo_core import selection
from evo_core.evaluation import Objective

MAX = (Objective("f", "max"),)


def members(*pairs):
    return [
        {"id": number, "genome": [niche], "values": [float(value)]}
        for number, (niche, value) in enumerate(pairs)
    ]


def niche(member):
    return member["genome"][0]


def test_without_protection_it_is_nsga2():
    pool = members(*((i % 3, i) for i in range(12)))
    assert selection.protected(pool, MAX, 5, niche, 0.0) == selection.nsga2(pool, MAX, 5)


def test_the_best_of_each_niche_survives():
    pool = members((0, 9), (0, 8), (0, 7), (0, 6), (1, 2), (1, 1), (2, 0))
    chosen = selection.protected(pool, MAX, 4, niche, 0.75)
    assert [member["values"][0] for member in chosen] == [9, 8, 2, 0]


def test_kept_places_go_round_the_niches():
    pool = members((0, 9), (0, 8), (0, 7), (1, 3), (1, 2), (1, 1))
    chosen = selection.protected(pool, MAX, 4, niche, 1.0)
    assert sorted(member["values"][0] for member in chosen) == [2, 3, 8, 9]


@given(
    pairs=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 50)), min_size=1, max_size=30),
    count=st.integers(1, 20),
    share=st.floats(0, 1),
)
def test_survivors_are_as_many_as_asked_distinct_and_hold_the_best(pairs, count, share):
    pool = members(*pairs)
    chosen = selection.protected(pool, MAX, count, niche, share)
    assert len(chosen) == min(count, len(pool))
    assert len({member["id"] for member in chosen}) == len(chosen)
    assert max(pool, key=lambda one: one["values"])["values"] in [one["values"] for one in chosen]


@pytest.mark.parametrize(("protect", "kept"), [(0.0, 1), (0.5, 3)])
def test_a_search_keeps_all_choices_of_k_when_protected(quick_run, protect, kept):
    """With the number of parameters as fitness, two inputs always win, and quickly."""
    result = quick_run(
        fitness=["params"],
        population=9,
        generations=6,
        mse={"cells": 2, "channels": 4},
        nsga2={"protect": protect},
    )
    from evo_core.store import Store

    store = Store.open(result.run)
    genomes = {candidate.id: candidate.genome for candidate, _ in store.evaluated()}
    last = store.generations()[-1].report.survivors
    store.close()
    assert len({genomes[number][-1] for number in last}) == kept
    assert np.isfinite(result.best.scores["params"].value)
