"""A cluster to evaluate on: reached or started, checked, and left as it was."""

from __future__ import annotations

import logging
import re
import warnings
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any

from evo_core.errors import EvoError
from evo_core.plan import Job
from evo_core.registry import one_line
from evo_dask.worker import kill, prepare, versions

if TYPE_CHECKING:
    from distributed import Client, LocalCluster

_SILENT = logging.CRITICAL + 1  # what goes wrong is said by evo, once
_SECONDS = 10  # to answer a call
_NO_START = (
    "dask does not start its workers (a Python program has to call evo below "
    "if __name__ == '__main__':, as every worker imports it)"
)
logger = logging.getLogger("evo")


@contextmanager
def connected(address: str, workers: int) -> Iterator[Client]:
    """Give a client of a running cluster, or of one that is started, and ended with the client.

    Raises:
        EvoError: If distributed is missing, or the cluster can not be reached or started.
    """
    try:
        from distributed import Client
    except ImportError:
        raise EvoError(
            "the executor dask needs distributed; install it: pip install 'evo-snn[dask]'"
        ) from None
    if address and not re.fullmatch(r"[a-z]+://.+", address):
        raise EvoError(f"dask.address {address!r} is no address; write tcp://HOST:PORT")
    with ExitStack() as stack:
        stack.enter_context(_silence())
        try:
            cluster = address or stack.enter_context(_started(workers))
            with warnings.catch_warnings():  # versions are compared by `introduced`
                warnings.simplefilter("ignore")
                client = Client(cluster, timeout=_SECONDS, set_as_default=False)
        except (OSError, RuntimeError, ValueError) as error:
            what = f"no dask cluster answers at {address!r}" if address else _NO_START
            raise EvoError(f"{what}: {one_line(error)}") from error
        try:
            yield client
        finally:
            with suppress(Exception):  # what is left of a lost connection does not matter
                client.close(timeout=1)


@contextmanager
def introduced(client: Client, run: str, job: Job) -> Iterator[None]:
    """Check that the scheduler and the workers fit, and keep the job where workers find it.

    The scheduler holds it, so that no worker that dies takes it along.

    Raises:
        EvoError: If evo is missing on one of them, has another version, or can not do the job.
    """
    import cloudpickle
    from distributed import Variable

    here = versions()
    _compare("the scheduler", _on_scheduler(client), here, ("python", "evo-snn", "distributed"))
    for address, found in client.run(versions, on_error="return").items():
        _compare(f"worker {address}", found, here, tuple(here))
    pickled = cloudpickle.dumps(job)
    for address, answer in client.run(prepare, run, pickled, on_error="return").items():
        if isinstance(answer, BaseException):
            raise EvoError(f"dask worker {address} can not evaluate: {one_line(answer)}")
    shared = Variable(run, client=client)
    shared.set(pickled)
    try:
        yield
    finally:
        with suppress(Exception):  # there may be no scheduler left
            shared.delete()


def free(client: Client, address: str, pid: int) -> None:
    """Stop whatever a worker is doing: its nanny replaces it, or the cluster goes on without it.

    ``Client.restart_workers`` would first wait some seconds for the task to end.
    """
    info = client.scheduler_info(n_workers=-1)["workers"].get(address)
    if info is None:
        return
    if info["nanny"] is None:
        logger.warning("dask worker %s hangs and has no nanny; it is left out from now on", address)
        client.retire_workers([address])
        return
    client.run(kill, pid, workers=[address], nanny=True, on_error="return")
    until = monotonic() + _SECONDS
    while address in client.nthreads() and monotonic() < until:
        sleep(0.01)  # or the next task would be sent there


@contextmanager
def _started(workers: int) -> Iterator[LocalCluster]:
    import dask
    from distributed import LocalCluster

    # after that time dask gives up a worker that is down again, although its nanny replaces it
    with dask.config.set({"distributed.deploy.lost-worker-timeout": "1000 days"}):
        cluster = LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            memory_limit=0,  # a worker that dask pauses would wait for ever
            dashboard_address="127.0.0.1:0",  # whatever port is free
            silence_logs=_SILENT,
            preload="evo_dask.worker",
            scheduler_kwargs={"allowed_failures": 0},
        )
        try:
            yield cluster
        finally:
            for nanny in cluster.workers.values():  # they may be in the middle of an evaluation
                with suppress(OSError, TypeError):  # or just be replaced
                    kill(nanny.pid)
            cluster.close(timeout=_SECONDS)


@contextmanager
def _silence() -> Iterator[None]:
    log = logging.getLogger("distributed")
    before = log.level
    log.setLevel(_SILENT)
    try:
        yield
    finally:
        log.setLevel(before)


def _on_scheduler(client: Client) -> Any:
    try:
        return client.run_on_scheduler(versions)
    except Exception as error:  # noqa: BLE001  (whatever a strange environment raises)
        return error


def _compare(where: str, found: Any, here: Mapping[str, str], names: tuple[str, ...]) -> None:
    if isinstance(found, BaseException):
        raise EvoError(f"evo can not be used on {where} of dask: {one_line(found)}")
    for name in names:
        if found[name] != here[name]:
            raise EvoError(
                f"{where} of dask has {name} {found[name]}, but {here[name]} runs here; "
                "install the same versions everywhere"
            )
