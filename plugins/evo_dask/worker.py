"""What runs on the workers of a cluster, and in their nannies."""

from __future__ import annotations

import asyncio
import os
import platform
import signal
import threading
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from evo_core.evaluation import Evaluation
from evo_core.executors import Bundle, make_evaluator

if TYPE_CHECKING:
    from evo_core.snn.worker import Evaluator

# The settings and the global generator of torch belong to the process, and so do memory limits:
# a worker with several threads evaluates one candidate at a time.
_one_at_a_time = threading.Lock()
_evaluators: dict[str, Evaluator] = {}  # holds that of the latest run


def evaluate(run: str, key: str, bundle: Bundle, tell: bool) -> list[Evaluation]:
    """Evaluate a bundle; this is the task that dask sees.

    Args:
        run: What the job of the run is called on the scheduler.
        key: The key of this task.
        bundle: The candidates.
        tell: Whether to say, under the topic of the run, that and where the work begins.
    """
    import torch
    from distributed import Variable, get_client, get_worker

    with _one_at_a_time:
        torch.set_num_threads(1)
        evaluator = _evaluator(run, lambda: Variable(run, client=get_client()).get(timeout=30))
        if tell:  # returns when the scheduler knows: what comes next may never let go of Python
            place = {"key": key, "address": get_worker().address, "pid": os.getpid()}
            get_client().log_event(run, place)
        return [evaluator.evaluate(candidate) for candidate in bundle]


async def prepare(run: str, job: bytes) -> None:
    """Make the evaluator of a run, beside the event loop of the worker.

    Raises:
        EvoError: If a plugin file, a data set or a device is missing here.
    """
    await asyncio.to_thread(_evaluator, run, lambda: job)


def versions() -> dict[str, str]:
    """Give the versions that have to be the same everywhere for equal results."""
    found = {"python": ".".join(platform.python_version_tuple()[:2])}
    for name in ("evo-snn", "distributed", "torch", "numpy"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "missing"
    return found


def kill(pid: int) -> None:
    """End a process at once."""
    os.kill(pid, getattr(signal, "SIGKILL", signal.SIGTERM))


def dask_setup(worker: Any) -> None:
    """Let a worker that was started for a run never hear Ctrl-C: it is for the run."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _evaluator(run: str, read_job: Callable[[], bytes]) -> Evaluator:
    import cloudpickle

    from evo_core.snn import devices

    evaluator = _evaluators.get(run)
    if evaluator is None:
        job = cloudpickle.loads(read_job())
        devices.prepare(job.config)
        evaluator = make_evaluator(job)
        _evaluators.clear()  # another run may do this meanwhile
        _evaluators[run] = evaluator
    return evaluator
