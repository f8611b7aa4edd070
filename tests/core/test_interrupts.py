"""Ctrl-C, kill and close end worker processes, and keep what was found."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from evo_core.components import NoOptions
from evo_core.config import from_layers
from evo_core.evaluation import Candidate
from evo_core.genome import random_genome
from evo_core.loky_workers import Loky
from evo_core.plan import Job, make_plan

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads /proc")
SMALL = {"mse": {"cells": 2, "channels": 4}, "scoring": {"batch": 8}}


def children(pid: int) -> set[int]:
    """Give the worker processes that a process has started."""
    found = set()
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            if parent == pid and "popen_loky" in (entry / "cmdline").read_text():
                found.add(int(entry.name))
        except OSError:  # it has ended meanwhile
            continue
    return found


def evaluated(folder) -> int:
    try:
        source = f"file:{folder / 'run.sqlite'}?mode=ro"
        with contextlib.closing(sqlite3.connect(source, uri=True)) as database:
            (count,) = database.execute("SELECT count(*) FROM evaluations").fetchone()
    except sqlite3.Error:
        return 0
    return count


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "kill"])
def test_a_run_in_processes_ends_at_a_signal_and_keeps_what_was_found(tmp_path, number):
    folder = tmp_path / "run"
    command = [sys.executable, "-c", "from evo_core.cli import main; main()", "run", "--json"]
    command += ["--out", str(folder), "--workers", "2", "--generations", "500"]
    command += ["--set", "observers=[]", "--set", "mse.cells=2", "--set", "scoring.batch=8"]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    until = time.monotonic() + 120
    while evaluated(folder) < 30 and process.poll() is None and time.monotonic() < until:
        time.sleep(0.1)
    try:
        workers = children(process.pid)
        assert len(workers) == 2
        os.kill(process.pid, number)
        out, err = process.communicate(timeout=120)
    finally:
        process.kill()
        process.stdout.close()
        process.stderr.close()
    assert process.returncode == 130, err
    assert json.loads(out)["status"] == "interrupted"
    assert "evo resume" in err
    assert "Traceback" not in err
    assert not any(Path(f"/proc/{worker}/fd").exists() for worker in workers)
    assert json.loads((folder / "result.json").read_text())["evaluated"] >= 30


@pytest.mark.slow
def test_workers_end_when_an_executor_is_closed_in_the_middle():
    job = Job(from_layers(SMALL))
    genes = make_plan(job).space.genes
    rng = np.random.default_rng(0)
    executor = Loky(NoOptions(), 2, job)
    for number in range(40):
        executor.submit((Candidate(number, random_genome(rng, genes), ""),))
    next(executor.as_completed())
    try:
        assert children(os.getpid())
        executor.cancel()
    finally:
        executor.close()
    assert not children(os.getpid())
