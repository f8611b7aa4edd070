"""The limits of one evaluation: they stop it from inside, and leave everything as it was."""

from __future__ import annotations

import errno
import json
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
import torch

from evo_core import Candidate, EvoError, FitnessFunction
from evo_core.config import from_layers, read_toml
from evo_core.executors import Serial, make_evaluator
from evo_core.limits import (
    DeadlineExceeded,
    check_deadline,
    check_memory,
    limits,
    out_of_memory,
    parse_memory,
    peak_bytes,
    private_bytes,
)
from evo_core.plan import Job, make_plan
from evo_core.store import Store

linux = pytest.mark.skipif(sys.platform != "linux", reason="limits memory on Linux only")
alarms = pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs Unix alarms")
MIB = 2**20


def in_a_thread(work):
    """Give what some work does outside the main thread: its value or what it raised."""
    found = []

    def call():
        try:
            found.append(work())
        except BaseException as error:  # noqa: BLE001
            found.append(error)

    thread = threading.Thread(target=call)
    thread.start()
    thread.join()
    return found[0]


def one_fitness(score, **fields):
    given = {"summary": "", "goal": "max", "needs": ("graph",)} | fields
    return FitnessFunction(name="f", score=score, **given)


def first_evaluation(small, score, **settings):
    """Evaluate a network with a fitness, in this process."""
    job = Job(from_layers(small, {"fitness": ["f"]}, settings), (one_fitness(score),))
    genes = make_plan(job).space.genes
    return make_evaluator(job).evaluate(Candidate(0, tuple(0 for _ in genes), ""))


@alarms
def test_a_sleep_is_stopped_in_the_main_thread():
    with pytest.raises(DeadlineExceeded), limits(0.05):
        time.sleep(600)


@alarms
def test_a_handler_of_exceptions_does_not_swallow_the_deadline():
    def stubborn():
        while True:
            try:
                time.sleep(600)
            except Exception:  # noqa: BLE001
                continue

    with pytest.raises(DeadlineExceeded), limits(0.05):
        stubborn()


@alarms
def test_an_alarm_that_was_swallowed_rings_again():
    def deaf_once():
        try:
            time.sleep(600)
        except DeadlineExceeded:
            time.sleep(600)

    with pytest.raises(DeadlineExceeded), limits(0.05):
        deaf_once()


@alarms
@pytest.mark.parametrize("late", [False, True], ids=["in time", "too late"])
def test_the_former_alarm_and_its_handler_are_put_back(late):
    rung = []
    before = signal.signal(signal.SIGALRM, lambda number, frame: rung.append(number))
    timer = signal.setitimer(signal.ITIMER_REAL, 100, 7)
    try:
        handler = signal.getsignal(signal.SIGALRM)
        try:
            with limits(0.05 if late else 50):
                time.sleep(600 if late else 0)
        except DeadlineExceeded:
            assert late
        remaining, interval = signal.getitimer(signal.ITIMER_REAL)
        assert signal.getsignal(signal.SIGALRM) is handler
        assert 50 < remaining < 100
        assert interval == 7
        assert not rung
    finally:
        signal.setitimer(signal.ITIMER_REAL, *timer)
        signal.signal(signal.SIGALRM, before)


def test_a_thread_stops_at_the_next_check():
    def work():
        with limits(1e-6):
            time.sleep(0.01)
            check_deadline()

    assert isinstance(in_a_thread(work), DeadlineExceeded)


def test_nothing_is_checked_once_a_limit_is_over():
    def late():
        with limits(1e-6):
            time.sleep(0.01)
            check_deadline()

    with pytest.raises(DeadlineExceeded):
        late()
    check_deadline()


def test_the_lean_pass_stops_by_itself_where_no_alarm_can_ring(small):
    job = Job(from_layers(small, {"fitness": ["rdm"], "timeout": 1e-9}))
    evaluator = make_evaluator(job)
    genome = tuple(0 for _ in make_plan(job).space.genes)
    found = in_a_thread(lambda: evaluator.evaluate(Candidate(0, genome, "")))
    assert (found.status, found.error) == ("timeout", "stopped after the timeout of 1e-09 s")


@alarms
def test_a_fitness_that_takes_too_long_has_the_status_timeout_in_a_serial_run(quick_run):
    def score(view, options):
        if int(view.architecture.hash[0], 16) % 4 == 0:
            time.sleep(600)
        return 1.0

    result = quick_run([one_fitness(score)], fitness=["f", "params"], timeout=0.5, population=6)
    store = Store.open(result.run)
    found = {one.architecture[0]: evaluation for one, evaluation in store.evaluated()}
    store.close()
    assert {int(digit, 16) % 4 == 0: one.status for digit, one in found.items()} == {
        True: "timeout",
        False: "ok",
    }


def test_a_fitness_that_exits_does_not_end_the_program(small):
    found = first_evaluation(small, lambda view, options: sys.exit(3))
    assert found.status == "error"
    assert found.error.rstrip().endswith("SystemExit: 3")


@linux
@pytest.mark.parametrize(
    "allocate",
    [
        lambda: np.ones(10**9),
        lambda: torch.ones(10**9),
        lambda: bytearray(10**9),
        lambda: [torch.ones(1000) for _ in range(10**6)],
        lambda: [str(number) * 100 for number in range(10**7)],
    ],
    ids=["numpy", "torch", "bytes", "small tensors", "texts"],
)
def test_what_allocates_too_much_is_told_and_memory_is_there_again_afterwards(allocate):
    with (
        pytest.raises((MemoryError, RuntimeError)) as caught,
        limits(memory=private_bytes() + 200 * MIB),
    ):
        allocate()
    assert out_of_memory(caught.value)
    caught.value.__traceback__ = None  # it holds what was allocated
    assert len(bytearray(400 * MIB)) == 400 * MIB


@linux
def test_a_fitness_that_allocates_too_much_has_the_status_oom(small):
    def score(view, options):
        return [bytearray(10 * MIB) for _ in range(10**6)]

    found = first_evaluation(small, score, memory=f"{private_bytes() // MIB + 300}MiB")
    assert found.status == "oom"
    assert "MemoryError" in found.error


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (MemoryError(), True),
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20 GiB"), True),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you"), True),
        (RuntimeError("DefaultCPUAllocator: not enough memory: you tried"), True),
        (RuntimeError("CUDA error: out of memory"), True),
        (RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"), True),
        (RuntimeError("std::bad_alloc"), True),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), True),
        (RuntimeError("shapes do not fit"), False),
        (ValueError("out of memory"), False),
    ],
    ids=str,
)  # fmt: skip
def test_errors_that_say_that_memory_ran_out_are_known(error, told):
    assert out_of_memory(error) == told


@linux
@pytest.mark.parametrize(
    ("text", "value"), [("4GB", 4 * 10**9), ("500MiB", 500 * MIB), ("1.5 GiB", 1536 * MIB)]
)
def test_memory_is_written_with_a_unit(text, value):
    assert parse_memory(text) == value


@pytest.mark.parametrize("text", ["much", "4 potatoes", "", "-1GB"])
def test_a_text_that_is_no_memory_is_refused_in_one_line_before_the_run(cli, small_flags, text):
    done = cli("run", *small_flags, f"--memory={text}")
    assert done.code == 2
    assert done.err == f"error: memory is {text!r}; write it as '4GB' or '500MiB'\n"


def test_a_system_that_can_not_limit_memory_refuses_to(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(EvoError, match="needs Linux"):
        make_plan(Job(from_layers({"memory": "4GB"})))


@linux
def test_less_memory_than_a_worker_has_at_rest_is_refused_in_one_line(cli, small_flags, tmp_path):
    done = cli("run", *small_flags, "--memory", "50MiB", "--out", tmp_path / "run")
    assert done.code == 2
    assert done.err.startswith("error: memory is 50 MiB, but a worker at rest has ")
    assert done.err.count("\n") == 1


@linux
def test_a_process_within_its_memory_is_not_refused():
    check_memory(private_bytes() + 100 * MIB)
    check_memory(None)


def test_the_flags_of_the_command_line_reach_the_configuration(cli, small_flags, tmp_path):
    out = tmp_path / "run"
    flags = ("--timeout", "60", "--attempts", "3", "--recycle", "7", "--no-deterministic")
    assert cli("run", *small_flags, *flags, "--out", out, "--json").code == 0
    kept = from_layers(read_toml(out / "config.toml"))
    assert (kept.timeout, kept.attempts, kept.recycle, kept.deterministic) == (60, 3, 7, False)
    done = cli("resume", out, "--generations", "3", "--timeout", "50", "--json")
    assert json.loads(done.out)["generations"] == 3


def test_serial_with_less_memory_than_a_worker_at_rest_is_refused(small):
    with pytest.raises(EvoError, match="a worker at rest"):
        Serial(None, 1, Job(from_layers(small, {"memory": "1MiB"})))


@linux
def test_the_peak_of_a_process_is_not_that_of_the_one_that_started_it():
    kept = np.ones(300 * MIB, dtype=np.uint8)
    ask = "from evo_core.limits import peak_bytes; print(peak_bytes())"
    told = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True)
    assert 4 * MIB < int(told.stdout) < kept.nbytes < peak_bytes()


def test_without_the_status_of_linux_the_peak_comes_from_the_resource_module(monkeypatch, tmp_path):
    resource = pytest.importorskip("resource")
    monkeypatch.setattr("evo_core.limits._STATUS", tmp_path / "none")
    unit = 1 if sys.platform == "darwin" else 1024
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert peak_bytes() >= before * unit > 4 * MIB
