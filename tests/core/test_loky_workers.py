"""The executor loky: workers are closed, replaced and tried again, and bundles split."""

from __future__ import annotations

from multiprocessing import active_children

import pytest

from evo_core import EvoError, RunFailedError
from evo_core.config import from_layers
from evo_core.evaluation import Candidate
from evo_core.loky_workers import Loky
from evo_core.plan import Job

pytestmark = pytest.mark.slow
SETTINGS = {"mse": {"cells": 2, "channels": 4}, "scoring": {"batch": 8}}


def make_executor(plugin, workers=1, **settings):
    given = {"fitness": ["mine"], "plugins": [str(plugin)]}
    return Loky(None, workers, Job(from_layers(SETTINGS, given, settings)))


def candidates(networks):
    return [Candidate(number, genome, "") for number, genome in enumerate(networks.values())]


def test_an_executor_is_closed_at_once_in_the_middle_of_an_endless_evaluation(hostile, networks):
    executor = make_executor(hostile(["holds on"]), 2)
    for one in candidates(networks)[:2]:
        executor.submit((one,))
    try:
        assert next(executor.as_completed())[0].candidate == 1
        assert len(active_children()) == 2
    finally:
        executor.close()
    assert not active_children()
    executor.close()


def test_a_bundle_that_dies_or_hangs_is_split_and_only_the_culprits_fail(hostile, networks):
    deeds = ["is nothing", "exits", "is nothing", "is deaf", "is nothing", "eats memory"]
    executor = make_executor(hostile(deeds), 2, timeout=3, memory="1500MB")
    given = candidates(networks)[:6]
    executor.submit(tuple(given[:3]))
    executor.submit(tuple(given[3:]))
    try:
        found = {one.candidate: one for bundle in executor.as_completed() for one in bundle}
    finally:
        executor.close()
    told = [(found[number].status, found[number].attempts) for number in range(6)]
    assert told == [("ok", 1), ("crashed", 2), ("ok", 1), ("timeout", 1), ("ok", 1), ("oom", 2)]


@pytest.mark.parametrize(("recycle", "processes"), [(0, 1), (2, 3)])
def test_a_worker_is_replaced_after_so_many_evaluations(
    hostile, tmp_path, networks, recycle, processes
):
    executor = make_executor(hostile([]), recycle=recycle)
    for one in candidates(networks)[:5]:
        executor.submit((one,))
    try:
        assert len(list(executor.as_completed())) == 5
    finally:
        executor.close()
    assert len(list(tmp_path.glob("pid-*"))) == processes


def test_what_keeps_a_worker_from_starting_is_raised_as_it_is(hostile, networks):
    plugin = hostile([])
    executor = make_executor(plugin)
    plugin.unlink()
    executor.submit((candidates(networks)[0],))
    try:
        with pytest.raises(EvoError, match="hostile"):
            next(executor.as_completed())
    finally:
        executor.close()


def test_workers_that_die_while_they_start_fail_the_run_in_one_line(plugin_file, networks):
    executor = make_executor(plugin_file("import os; os._exit(7)", "dies.py"))
    executor.submit((candidates(networks)[0],))
    try:
        with pytest.raises(RunFailedError) as caught:
            next(executor.as_completed())
    finally:
        executor.close()
    line = "a worker process died: exit status 7, 3 times while it started"
    assert str(caught.value) == line
