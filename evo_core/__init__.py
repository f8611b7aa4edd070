"""evo: evolution designs spiking neural networks at three scales.

Run a search with :func:`run`, look at the :class:`RunResult`; write a plugin with the records below
and :data:`hookimpl`. Importing evo_core imports neither torch nor any plugin.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from evo_core.architecture import Architecture, Cell, Edge, Node, Task
from evo_core.components import (
    Component,
    Dataset,
    Executor,
    FitnessFunction,
    Motif,
    NeuronModel,
    NoOptions,
    Observer,
    Operator,
    SearchSpace,
    Strategy,
    option,
)
from evo_core.errors import EvoError, InvalidGenomeError, RunFailedError
from evo_core.evaluation import Candidate, Evaluation, Objective, Score
from evo_core.genome import Gene, Genome, Scale
from evo_core.hookspecs import hookimpl

if TYPE_CHECKING:
    from evo_core.api import run
    from evo_core.config import RunConfig, Scoring
    from evo_core.data import Samples, Splits, array_dataset
    from evo_core.results import GenerationReport, RunInfo, RunResult, Solution, Spread
    from evo_core.resuming import resume
    from evo_core.sweeps import SweepResult, sweep

__all__ = [
    "Architecture",
    "Candidate",
    "Cell",
    "Component",
    "Dataset",
    "Edge",
    "Evaluation",
    "EvoError",
    "Executor",
    "FitnessFunction",
    "Gene",
    "GenerationReport",
    "Genome",
    "InvalidGenomeError",
    "Motif",
    "NeuronModel",
    "NoOptions",
    "Node",
    "Objective",
    "Observer",
    "Operator",
    "RunConfig",
    "RunFailedError",
    "RunInfo",
    "RunResult",
    "Samples",
    "Scale",
    "Score",
    "Scoring",
    "SearchSpace",
    "Solution",
    "Splits",
    "Spread",
    "Strategy",
    "SweepResult",
    "Task",
    "array_dataset",
    "hookimpl",
    "option",
    "resume",
    "run",
    "sweep",
]

_LATER = {  # these bring numpy, DEAP or the database with them
    "GenerationReport": "results",
    "RunConfig": "config",
    "RunInfo": "results",
    "RunResult": "results",
    "Samples": "data",
    "Scoring": "config",
    "Solution": "results",
    "Splits": "data",
    "Spread": "results",
    "SweepResult": "sweeps",
    "array_dataset": "data",
    "resume": "resuming",
    "run": "api",
    "sweep": "sweeps",
}


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module 'evo_core' has no attribute {name!r}")
    return getattr(importlib.import_module(f"evo_core.{_LATER[name]}"), name)
