"""All hooks: one door in, five moments to watch.

``evo_components`` is a plugin's table of contents. The others are told of a run in this order; what
they are told of has been stored before. Only observers named in the configuration are told.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from evo_core.components import Component
    from evo_core.evaluation import Candidate, Evaluation
    from evo_core.results import GenerationReport, RunInfo, RunResult

hookspec = pluggy.HookspecMarker("evo")
hookimpl = pluggy.HookimplMarker("evo")


@hookspec
def evo_components() -> Iterable[Component]:  # type: ignore[empty-body]
    """Offer the records of a plugin; called once, when the program starts."""


@hookspec
def evo_run_started(run: RunInfo) -> None:
    """See a run begin: its folder and configuration are saved."""


@hookspec
def evo_candidate_evaluated(run: RunInfo, candidate: Candidate, evaluation: Evaluation) -> None:
    """See one evaluation, in the parent process, after it was stored."""


@hookspec
def evo_generation_ended(run: RunInfo, report: GenerationReport) -> None:
    """See the end of a generation, after its survivors were stored."""


@hookspec(firstresult=True)
def evo_should_stop(run: RunInfo, report: GenerationReport) -> str | None:
    """Give a reason to stop the run after this generation, or None."""


@hookspec
def evo_run_ended(run: RunInfo, result: RunResult) -> None:
    """See a run end, also one that failed or was interrupted."""
