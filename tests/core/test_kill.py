"""A run that is killed anywhere, by anything, goes on as if nothing had happened."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

KILL_POINTS = Path(__file__).parents[1] / "data" / "kill_points.py"
sys.path.insert(0, str(KILL_POINTS.parent))
from kill_points import contents, status  # noqa: E402

LONGER = (
    *("--population", "6", "--generations", "4", "--fitness", "rdm,params", "--workers", "2"),
    *("--set", "observers=[]", "--set", "mse.cells=2", "--set", "scoring.batch=8"),
)
SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("every", "more"),
    [(4, ("--fitness", "rdm,params")), (3, ("--strategy", "random", "--fitness", "params"))],
    ids=["every fourth", "every third"],
)
def test_a_run_survives_a_kill_at_any_step(tmp_path, small_flags, every, more):
    command = [sys.executable, KILL_POINTS, tmp_path, str(every), *small_flags, *more]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=280)
    found = json.loads(done.stdout)
    assert found["wrong"] == {}
    assert found["kills"] > 35
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_a_run_that_is_made_longer_survives_a_kill_at_any_step(tmp_path, small_flags):
    command = [sys.executable, KILL_POINTS, tmp_path, "3", *small_flags, "--extend"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=280)
    found = json.loads(done.stdout)
    assert found["wrong"] == {}
    assert found["kills"] > 15


@pytest.mark.slow
@pytest.mark.parametrize(
    ("develop", "every", "more"),
    [
        ("set[density=0.5]", 25, ("accuracy[epochs=1,samples=20],params", "--population", "3")),
        ("sdsnn", 100, ("accuracy[epochs=5,samples=10],params", "--population", "2",
                        "--set", "scoring.steps=1", "--set", "mse.channels=2")),
    ],
    ids=["set", "sdsnn"],
)  # fmt: skip
def test_a_run_that_passes_on_bodies_survives_a_kill_at_any_step(
    tmp_path, small_flags, develop, every, more
):
    flags = (
        *("--develop", develop, "--inherit", "lamarck", "--rescore", "0"),
        *("--set", "mse.cells=1", "--set", "mse.channels=4", "--set", "operators.mate=0.5"),
        *("--fitness", *more),
    )
    command = [sys.executable, KILL_POINTS, tmp_path, str(every), *small_flags, *flags]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=280)
    found = json.loads(done.stdout)
    assert found["wrong"] == {}
    assert found["kills"] > 8
    assert "Traceback" not in done.stderr


@pytest.fixture(scope="module")
def whole(tmp_path_factory, evo_binary):
    """Run without being disturbed; give what came out."""
    folder = tmp_path_factory.mktemp("whole") / "run"
    began = time.monotonic()
    subprocess.run(
        [evo_binary, "run", "--out", folder, *LONGER], check=True, capture_output=True, timeout=120
    )
    return contents(folder), time.monotonic() - began


@pytest.mark.slow
@pytest.mark.parametrize("sent", SIGNALS, ids=lambda one: one.name)
def test_a_run_in_processes_survives_any_signal_at_any_time(tmp_path, whole, evo_binary, sent):
    expected, seconds = whole
    folder = tmp_path / "run"
    chance = random.Random(sent)
    command = [evo_binary, "run", "--out", folder, *LONGER]
    for until in (chance.uniform(0.4, 1), chance.uniform(0.4, 1), None):
        with (tmp_path / "err").open("wb") as err:
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=err)
        try:
            code = process.wait(timeout=until and until * seconds)
        except subprocess.TimeoutExpired:
            process.send_signal(sent)
            code = process.wait(timeout=120)
        else:
            assert code == 0, (tmp_path / "err").read_text()
        if (folder / "run.sqlite").exists():
            command = [evo_binary, "resume", folder]
        if code == 0 or ((folder / "run.sqlite").exists() and status(folder) == "done"):
            break  # or it was killed with nothing left to do
    assert contents(folder) == expected


def test_what_was_evaluated_before_a_kill_is_not_evaluated_again(
    evo, plugin_file, small_flags, tmp_path
):
    path = plugin_file(
        """
        import os, signal
        from pathlib import Path
        from evo_core import FitnessFunction, hookimpl

        def score(view, options):
            with Path("calls.txt").open("a") as calls:
                calls.write(f"{view.architecture.hash}\\n")
            if Path("calls.txt").read_text().count("\\n") == 7:
                os.kill(os.getpid(), signal.SIGKILL)
            return view.architecture.parameters

        @hookimpl
        def evo_components():
            yield FitnessFunction(
                name="mine", summary="", goal="max", needs=("graph",), score=score
            )
        """
    )
    flags = (*small_flags, "--plugin", path, "--fitness", "mine", "--generations", "3")
    assert evo("run", *flags, "--out", "run").code == -signal.SIGKILL
    assert len((tmp_path / "calls.txt").read_text().split()) == 7
    done = evo("resume", "run", "--plugin", path, "--json")
    assert done.code == 0, done.err
    calls = (tmp_path / "calls.txt").read_text().split()
    assert len(calls) == done.json["evaluated"] + 1  # the one that was cut off, twice
    assert len(set(calls)) == done.json["evaluated"]


@pytest.mark.slow
def test_two_processes_do_not_write_one_run_folder(evo_binary, evo, tmp_path):
    command = [evo_binary, "run", "--out", "run", *LONGER, "--generations", "500"]
    process = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.DEVNULL)
    try:
        until = time.monotonic() + 60
        while not (tmp_path / "run" / "run.sqlite").exists() and time.monotonic() < until:
            time.sleep(0.05)
        refused = evo("resume", "run")
        listed = evo("runs", ".", "--json")
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    assert refused.code == 2
    assert refused.err.startswith("error: run is being written by another process")
    assert refused.err.count("\n") == 1
    assert listed.json[0]["status"] == "running"
    assert evo("runs", ".", "--json").json[0]["status"] == "killed"
