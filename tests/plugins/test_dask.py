"""The executor ``dask``: equal results, and runs that outlive whatever workers do."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

import evo_core
from evo_core import Candidate, EvoError, RunFailedError
from evo_core.components import Executor
from evo_core.config import from_layers
from evo_core.plan import Job, make_plan
from evo_core.registry import installed
from evo_core.store import Store
from evo_dask.executor import Dask
from evo_dask.plugin import DaskOptions

pytestmark = pytest.mark.slow
NOWHERE = "tcp://127.0.0.1:9"  # the discard port, where nothing listens
SMALL = {
    "executor": "dask", "workers": 2, "population": 4, "generations": 2, "rescore": 1,
    "observers": [], "mse": {"cells": 2}, "scoring": {"batch": 8},
}  # fmt: skip
PLUGIN = """
    import ctypes, os, re, signal, time
    from pathlib import Path
    from evo_core import FitnessFunction, hookimpl

    HERE = Path(__file__).parent

    def fail():
        raise ValueError("no score today")

    HOSTILE = {
        "0": fail,
        "1": lambda: time.sleep(1e6),
        "2": lambda: re.match("(a+)+$", "a" * 60 + "b"),
        "3": lambda: os.kill(os.getpid(), signal.SIGKILL),
        "4": lambda: ctypes.string_at(0),
    }

    def score(view, options):
        (HERE / f"worker-{os.getpid()}").touch()
        BODY
        return float(view.architecture.macs % 1009)

    @hookimpl
    def evo_components():
        yield FitnessFunction(name="mine", summary="", goal="max", needs=("graph",), score=score)
"""
EXPECTED = {"0": "error", "1": "timeout", "2": "timeout", "3": "crashed", "4": "crashed"}


@contextmanager
def cluster(**options):
    """Start a cluster of processes that is not the one of a run."""
    import dask
    from distributed import LocalCluster

    given = {"n_workers": 2, "threads_per_worker": 1} | options
    settings = {"scheduler.allowed-failures": 1, "deploy.lost-worker-timeout": "1h"}
    with (
        dask.config.set({f"distributed.{key}": value for key, value in settings.items()}),
        LocalCluster(
            dashboard_address="127.0.0.1:0", silence_logs=logging.CRITICAL + 1, **given
        ) as it,
    ):
        yield it


@pytest.fixture(scope="module")
def address():
    """Give the address of a cluster that all tests share."""
    with cluster() as shared:
        yield shared.scheduler_address


@pytest.fixture
def plugin(tmp_path):
    """Write the fitness ``mine`` into a file."""

    def write(body, name="mine.py"):
        path = tmp_path / name
        path.write_text(textwrap.dedent(PLUGIN).replace("BODY", body), encoding="utf-8")
        return str(path)

    return write


@pytest.fixture
def run(tmp_path):
    """Run a small search in a folder of the given name; give its result and evaluations."""

    def start(name, **settings):
        result = evo_core.run(SMALL | {"out": str(tmp_path / name)} | settings)
        store = Store.open(result.run)
        found = {candidate.architecture: one for candidate, one in store.evaluated()}
        store.close()
        return result, found

    return start


@pytest.fixture
def job():
    return Job(from_layers(SMALL, {"fitness": ["params"]}))


def written(result):
    return (result.run / "result.json").read_bytes()


def test_a_run_gives_the_bytes_of_a_serial_one_on_any_cluster(run, address):
    settings = {"fitness": ["rdm", "params"], "population": 6, "generations": 3}
    serial, _ = run("serial", **settings, executor="serial")
    running, _ = run("running", **settings, dask={"address": address})
    alone, _ = run("alone", **settings, workers=1)
    with cluster(n_workers=1, threads_per_worker=4) as threads:
        many, _ = run("threads", **settings, dask={"address": threads.scheduler_address})
    assert written(serial) == written(running) == written(alone) == written(many)


def test_bodies_reach_the_workers_and_come_back(run, address):
    settings = {
        "fitness": ["accuracy[epochs=1,samples=20]"],
        "develop": "set[density=0.5]",
        "inherit": "lamarck",
        "mse": {"cells": 1, "channels": 4},
        "rescore": 0,
    }
    serial, _ = run("serial", **settings, executor="serial")
    running, _ = run("running", **settings, dask={"address": address})
    assert written(serial) == written(running)
    names = [
        sorted(path.name for path in (one.run / "weights").iterdir()) for one in (serial, running)
    ]
    assert names[0] == names[1] != []


def test_candidates_that_end_or_block_their_worker_are_left_out_and_all_others_count(run, plugin):
    settings = {"population": 8, "fitness": ["mine"], "seed": 2, "dask": {"patience": 10}}
    answer_none = "if view.architecture.hash[0] in HOSTILE: return None"
    tame, expected = run(
        "tame", **settings, executor="serial", plugins=[plugin(answer_none, "tame.py")]
    )
    act = "HOSTILE.get(view.architecture.hash[0], int)()"
    wild, found = run("wild", **settings, timeout=3, plugins=[plugin(act)])
    assert {hash_[0] for hash_ in found} >= set(EXPECTED)
    for architecture, evaluation in found.items():
        status = EXPECTED.get(architecture[0], "ok")
        assert evaluation.status == status, (architecture, evaluation)
        assert (evaluation.error is None) == (status == "ok")
    assert set(found) == set(expected)
    assert written(wild) == written(tame)


def test_a_bundle_that_ends_its_worker_is_split_and_only_the_culprit_is_blamed(plugin, address):
    genomes = [(0,) * 19, (0,) * 18 + (1,), (1,) + (0,) * 18]
    culprit = make_plan(Job(from_layers(SMALL))).decode(genomes[1]).hash
    kill = plugin(f"view.architecture.hash == '{culprit}' and os.kill(os.getpid(), 9)")
    settings = {"fitness": ["mine"], "plugins": [kill], "attempts": 3}
    executor = Dask(DaskOptions(address=address), 2, Job(from_layers(SMALL, settings)))
    executor.submit(tuple(Candidate(number, genome, "") for number, genome in enumerate(genomes)))
    found = {one.candidate: one for bundle in executor.as_completed() for one in bundle}
    executor.close()
    assert [found[number].status for number in range(3)] == ["ok", "crashed", "ok"]
    assert [found[number].attempts for number in range(3)] == [2, 3, 2]
    assert found[1].error.startswith("its dask worker died")


def test_a_worker_killed_from_outside_changes_nothing(run, plugin, tmp_path, address):
    slow = plugin("time.sleep(0.3)")
    settings = {"plugins": [slow], "fitness": ["mine", "params"]}
    undisturbed, _ = run("serial", **settings, executor="serial")
    for trace in tmp_path.glob("worker-*"):
        trace.unlink()

    def kill():
        while not (traces := list(tmp_path.glob("worker-*"))):
            time.sleep(0.05)
        os.kill(int(traces[0].name.partition("-")[2]), signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    disturbed, _ = run("dask", **settings, dask={"address": address})
    killer.join()
    assert written(disturbed) == written(undisturbed)


def test_a_worker_that_hangs_and_has_no_nanny_is_left_out_and_the_others_go_on(
    run, plugin, tmp_path
):
    hang = plugin("'HANGS' in os.environ and time.sleep(1e6)")
    with cluster(n_workers=1) as shared, worker(shared.scheduler_address, HANGS="1"):
        shared.get_client().wait_for_workers(2, timeout=60)
        settings = {"plugins": [hang], "fitness": ["mine"], "timeout": 3}
        result, found = run("run", **settings, dask={"address": shared.scheduler_address})
    assert sorted(one.status for one in found.values()) == ["ok"] * (len(found) - 1) + ["timeout"]
    assert "has no nanny; it is left out" in (result.run / "log.txt").read_text()


@contextmanager
def worker(address, *flags, **environment):
    """Start a worker without a nanny."""
    command = [Path(sys.executable).with_name("dask"), "worker", address, "--no-nanny", *flags]
    process = subprocess.Popen(
        [*command, "--nthreads", "1", "--no-dashboard"],
        env=os.environ | environment, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def test_a_cluster_without_workers_fails_the_run_after_a_while(job):
    with cluster(n_workers=0) as empty:
        executor = Dask(DaskOptions(address=empty.scheduler_address, patience=1), 2, job)
        executor.submit((Candidate(0, (0,) * 19, ""),))
        with pytest.raises(RunFailedError, match=r"has had no worker for 1 s \(dask.patience\)"):
            list(executor.as_completed())
        executor.close()


def test_a_cluster_that_grows_is_used(job):
    with cluster(n_workers=0) as growing:
        executor = Dask(DaskOptions(address=growing.scheduler_address), 2, job)
        executor.submit((Candidate(0, (0,) * 19, ""),))
        growing.scale(1)
        assert [len(bundle) for bundle in executor.as_completed()] == [1]
        executor.close()


def test_a_scheduler_that_goes_away_fails_the_run(job):
    with cluster() as lost:
        executor = Dask(DaskOptions(address=lost.scheduler_address), 2, job)
    executor.submit((Candidate(0, (0,) * 19, ""),))
    with pytest.raises(RunFailedError, match="the dask cluster is gone"):
        list(executor.as_completed())
    executor.close()
    executor.close()


def test_closing_leaves_a_running_cluster_as_it_was(job, address):
    from distributed import Client

    executor = Dask(DaskOptions(address=address), 2, job)
    for number in range(9):
        executor.submit((Candidate(number, (0,) * 19, ""),))
    next(executor.as_completed())
    executor.close()
    with Client(address, set_as_default=False) as client:
        assert len(client.nthreads()) == 2
        assert client.run_on_scheduler(lambda dask_scheduler: len(dask_scheduler.tasks)) == 0


def test_what_was_cancelled_is_forgotten(job, address):
    executor = Dask(DaskOptions(address=address), 2, job)
    for number in range(9):
        executor.submit((Candidate(number, (0,) * 19, ""),))
    found = []
    for bundle in executor.as_completed():
        found += bundle
        executor.cancel()
    executor.close()
    assert 1 <= len(found) <= 3


@pytest.mark.parametrize(
    ("address", "said"),
    [("nonsense://x", "no dask cluster answers at"), ("not an address", "is no address; write")],
)
def test_an_address_that_is_none_is_refused_in_one_line(job, address, said):
    with pytest.raises(EvoError, match=said) as refused:
        Dask(DaskOptions(address=address), 2, job)
    assert "\n" not in str(refused.value)


def test_where_nothing_listens_the_command_line_says_so_without_a_traceback(tmp_path):
    flags = ["--executor", "dask", "--set", f"dask.address={NOWHERE}", "--out", tmp_path / "run"]
    done = subprocess.run(
        [Path(sys.executable).with_name("evo"), "run", *map(str, flags)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("error: no dask cluster answers at")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("hangs", [False, True], ids=["once", "twice, as one hangs"])
def test_ctrl_c_ends_a_run_and_the_cluster_that_was_started_for_it(plugin, tmp_path, hangs):
    mine = plugin("time.sleep(1e6 if HANGS and len([*HERE.glob('worker-*')]) > 1 else 0.2)")
    Path(mine).write_text(Path(mine).read_text().replace("HANGS", str(hangs)))
    flags = ["--executor", "dask", "--workers", "2", "--plugin", mine, "--fitness", "mine"]
    flags += ["--set", "observers=[]", "--out", str(tmp_path / "run")]
    process = subprocess.Popen(
        [Path(sys.executable).with_name("evo"), "run", *flags],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    while len(traces := list(tmp_path.glob("worker-*"))) < 2:
        assert process.poll() is None
        time.sleep(0.1)
    for _ in range(1 + hangs):
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does: everyone hears it
        time.sleep(1)
    _, printed = process.communicate(timeout=60)
    assert process.returncode == 130, printed
    assert "Traceback" not in printed
    assert "distributed" not in printed
    for trace in traces:
        with pytest.raises(ProcessLookupError):
            os.kill(int(trace.name.partition("-")[2]), 0)


def test_a_program_that_its_workers_would_run_again_is_told_how_to_avoid_it(tmp_path):
    program = tmp_path / "program.py"
    program.write_text(f"import evo_core\nevo_core.run({SMALL | {'out': str(tmp_path / 'run')}})\n")
    done = subprocess.run(
        [sys.executable, program], capture_output=True, text=True, check=False, timeout=120
    )
    last = done.stderr.splitlines()[-1]
    assert last.startswith("evo_core.errors.EvoError: dask does not start its workers")
    assert "if __name__ == '__main__'" in last


def test_without_distributed_the_executor_is_listed_and_says_what_to_install(job, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    assert "dask" in installed().all(Executor)
    with pytest.raises(EvoError, match=r"needs distributed; install it: pip install 'evo-snn"):
        Dask(DaskOptions(), 2, job)


@pytest.mark.parametrize(
    ("preload", "refusal"),
    [
        (
            "import sys; sys.modules['evo_core'] = None",
            r"evo can not be used on worker tcp://.* of dask: .*No module named",
        ),
        (
            "import evo_dask.worker as it; it.versions = lambda: {'python': '2.7'}",
            r"worker tcp://.* of dask has python 2.7, but 3.\d+ runs here",
        ),
        (
            "from pathlib import Path; Path('PLUGIN').unlink(missing_ok=True)",
            r"dask worker tcp://.* can not evaluate: EvoError: plugin file .* does not exist",
        ),
    ],
    ids=["evo is missing", "other versions", "a plugin file is missing"],
)
def test_a_worker_that_does_not_fit_is_refused(plugin, tmp_path, preload, refusal):
    mine, setup = plugin("pass"), tmp_path / "setup.py"
    setup.write_text(preload.replace("PLUGIN", mine))
    job = Job(from_layers(SMALL, {"fitness": ["params"], "plugins": [mine]}))
    with cluster(n_workers=0) as strange:
        address = strange.scheduler_address
        with worker(address, "--preload", str(setup)):
            strange.get_client().wait_for_workers(1, timeout=60)
            with pytest.raises(EvoError, match=refusal):
                Dask(DaskOptions(address=address), 2, job)
