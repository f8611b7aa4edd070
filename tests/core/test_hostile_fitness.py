"""Whatever a fitness function does to its worker, the run goes on and finds what it would find."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import time
from pathlib import Path

import pytest

from evo_core.store import Store

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads /proc"),
]
SETTINGS = {"mse": {"cells": 2, "channels": 4}, "scoring": {"batch": 8}}
FLAGS = (
    *("--set", "observers=[]", "--set", "mse.cells=2", "--set", "mse.channels=4"),
    *("--set", "scoring.batch=8"),
)
# what a network does to its worker: its status and the end of its error
HOSTILE = {
    "raises": ("error", "ValueError: no score today"),
    "exits politely": ("error", "SystemExit: 3"),
    "is a text": ("error", "TypeError: a score must be a number, not 'good'"),
    "is nothing": ("ok", None),
    "is no number": ("ok", None),
    "is infinite": ("ok", None),
    "sleeps": ("timeout", "stopped after the timeout of 3 s"),
    "is deaf": ("timeout", "killed after the timeout of 3 s, deaf to a softer stop"),
    "holds on": ("timeout", "killed after the timeout of 3 s, deaf to a softer stop"),
    "is killed": ("crashed", "died: SIGKILL (killed from outside, or memory ran out)"),
    "segfaults": ("crashed", "its worker died: SIGSEGV"),
    "exits": ("crashed", "its worker died: exit status 7"),
    "eats memory": ("oom", "data type float64"),
}


def workers_of(pid):
    """Give the worker processes that a process has started."""
    found = set()
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it has ended meanwhile
            parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            if parent == pid and "popen_loky" in (entry / "cmdline").read_text():
                found.add(int(entry.name))
    return found


def lives(pid):
    """Tell whether a process is there, and no zombie that its parent has to take note of."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_for(what):
    """Wait until something is true; the time only ends a test that has failed."""
    until = time.monotonic() + 120
    while not what():
        assert time.monotonic() < until
        time.sleep(0.05)


def evaluated(folder):
    try:
        source = f"file:{folder / 'run.sqlite'}?mode=ro"
        with contextlib.closing(sqlite3.connect(source, uri=True)) as database:
            return database.execute("SELECT count(*) FROM evaluations").fetchone()[0]
    except sqlite3.Error:
        return 0


def run_flags(plugin, folder, *more):
    return (
        *("run", *FLAGS, "--plugin", plugin, "--fitness", "mine", "--workers", "2"),
        *("--population", "16", "--generations", "3", "--out", folder, *more),
    )


@contextlib.contextmanager
def program(evo_binary, *arguments):
    """Have evo run beside the test."""
    process = subprocess.Popen(
        [evo_binary, *map(str, arguments)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def test_no_network_takes_the_run_with_it_and_the_best_are_those_of_the_others(
    evo, hostile, tmp_path, networks
):
    start = ("--init", tmp_path / "genomes.txt")
    limited = ("--timeout", "3", "--memory", "1500MB")
    done = evo(*run_flags(hostile(HOSTILE), tmp_path / "run", *start, *limited))
    assert (done.code, done.err) == (0, "")
    excluded = hostile(["is nothing"] * len(HOSTILE), "excluded")
    serial = ("--executor", "serial", "--workers", "1")
    assert evo(*run_flags(excluded, tmp_path / "other", *start, *serial)).code == 0
    results = [(tmp_path / name / "result.json").read_bytes() for name in ("run", "other")]
    assert results[0] == results[1]

    store = Store.open(tmp_path / "run")
    found = {one.architecture: evaluation for one, evaluation in store.evaluated()}
    store.close()
    for hashed, (deed, (status, error)) in zip(networks, HOSTILE.items(), strict=False):
        evaluation = found[hashed]
        assert (deed, evaluation.status) == (deed, status)
        assert (deed, (evaluation.error or "").rstrip()[-len(error or "") :]) == (deed, error or "")
    assert not lives(int((tmp_path / "grandchild").read_text()))


def test_a_run_in_which_every_worker_dies_fails_in_one_line_and_keeps_the_folder(
    evo, hostile, tmp_path
):
    flags = ("--population", "2", "--attempts", "1", "--json", "--init", tmp_path / "genomes.txt")
    (tmp_path / "genomes.txt").write_text(
        "\n".join((tmp_path / "genomes.txt").read_text().splitlines()[:2])
    )
    done = evo(*run_flags(hostile(["exits"] * 2), tmp_path / "run", *flags))
    line = "no candidate could be scored: its worker died: exit status 7"
    assert (done.code, done.err, done.json) == (1, f"error: {line}\n", {"error": line})
    assert json.loads((tmp_path / "run" / "result.json").read_text())["status"] == "failed"


def test_a_candidate_whose_rescoring_kills_its_worker_has_no_mean(evo, plugin_file, tmp_path):
    plugin = plugin_file("""
        import os
        from pathlib import Path
        from evo_core import FitnessFunction, hookimpl

        def score(view, options):
            seen = Path(__file__).parent / view.architecture.hash
            if seen.exists():
                os._exit(7)
            seen.touch()
            return float(view.architecture.macs)

        @hookimpl
        def evo_components():
            yield FitnessFunction(
                name="mine", summary="", goal="min", needs=("gram",), score=score
            )
    """)
    flags = ("--population", "2", "--generations", "1", "--rescore", "2", "--json")
    done = evo(*run_flags(plugin, tmp_path / "run", *flags))
    assert (done.code, done.err) == (0, "")
    assert done.json["best_rescored"] is None
    for solution in done.json["front"]:
        assert solution["rescored"]["mine"]["values"] == [None, None]


def test_workers_killed_from_outside_change_nothing_in_the_result(evo, evo_binary, tmp_path):
    flags = ("run", *FLAGS, "--workers", "2", "--population", "8", "--generations", "8")
    assert evo(*flags, "--executor", "serial", "--out", tmp_path / "calm").code == 0
    folder = tmp_path / "struck"
    with program(evo_binary, *flags, "--out", folder) as process:
        for number in (10, 30):
            wait_for(lambda number=number: evaluated(folder) >= number)
            os.kill(min(workers_of(process.pid)), signal.SIGKILL)
        assert process.wait(120) == 0
    calm, struck = (tmp_path / name / "result.json" for name in ("calm", "struck"))
    assert struck.read_bytes() == calm.read_bytes()


@pytest.mark.parametrize("deed", ["sleeps", "holds on"])
def test_a_worker_outlives_no_parent_that_is_killed(evo_binary, hostile, tmp_path, deed):
    flags = run_flags(hostile([deed]), tmp_path / "run", "--init", tmp_path / "genomes.txt")
    with program(evo_binary, *flags) as process:
        wait_for((tmp_path / "busy").exists)
        workers = workers_of(process.pid)
        assert workers
        process.kill()
        process.wait()
        wait_for(lambda: not any(map(lives, workers)))


@pytest.mark.parametrize("deed", ["sleeps", "holds on"])
def test_a_second_interrupt_ends_a_run_whatever_its_workers_do(evo_binary, hostile, tmp_path, deed):
    flags = run_flags(hostile([deed] * 2), tmp_path / "run", "--init", tmp_path / "genomes.txt")
    with program(evo_binary, *flags) as process:
        wait_for((tmp_path / "busy").exists)
        workers = workers_of(process.pid)
        assert workers
        for _ in range(2):
            process.send_signal(signal.SIGINT)
            time.sleep(0.5)  # two signals at once are one
        _, error = process.communicate(timeout=120)
        assert process.returncode == 130
        assert "Traceback" not in error
        assert not any(map(lives, workers))
