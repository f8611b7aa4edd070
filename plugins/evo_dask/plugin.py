"""What this package offers to evo."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated

from annotated_types import Gt

from evo_core.components import Component, Executor, option
from evo_core.hookspecs import hookimpl


@dataclass(frozen=True, slots=True)
class DaskOptions:
    """Options of ``dask``."""

    address: str = option(
        "", "scheduler of a running cluster, e.g. tcp://host:8786; empty starts one for the run"
    )
    patience: Annotated[float, Gt(0)] = option(
        60.0, "seconds to wait for a worker when the cluster has none"
    )


@hookimpl
def evo_components() -> Iterable[Component]:
    """Offer the executor."""
    yield Executor(
        name="dask",
        summary="workers of a dask cluster, running or started for the run (needs evo-snn[dask])",
        options=DaskOptions,
        build="evo_dask.executor:Dask",
    )
