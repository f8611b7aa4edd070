"""evo: evolution designs spiking neural networks at three scales.

Run a search with :func:`run`, look at the :class:`RunResult`, train what it found with
:func:`train`, and see what that can stand with :func:`evaluate`; score a torch module of your own
with :func:`score_module`, compare scores with :func:`compare`; write a plugin with the records
below and :data:`hookimpl`. Importing evo_core imports neither torch nor any plugin.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from evo_core.architecture import Architecture, Cell, Edge, Node, Task
from evo_core.components import (
    Combiner,
    Component,
    Dataset,
    Development,
    Executor,
    FitnessFunction,
    Motif,
    NeuronModel,
    NoOptions,
    Observer,
    Operator,
    Parts,
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
    from evo_core.comparing.api import compare
    from evo_core.comparing.searches.api import compare_runs
    from evo_core.config import RunConfig, Scoring
    from evo_core.data import Samples, Splits, array_dataset
    from evo_core.evaluating.api import evaluate
    from evo_core.evaluating.results import EvaluateResult
    from evo_core.recipe import Recipe, read_recipe
    from evo_core.results import GenerationReport, RunInfo, RunResult, Solution, Spread
    from evo_core.resuming import resume
    from evo_core.snn.score_module import score_module
    from evo_core.sweeps import SweepResult, sweep
    from evo_core.train_results import TrainResult
    from evo_core.training import train

__all__ = [
    "Architecture",
    "Candidate",
    "Cell",
    "Combiner",
    "Component",
    "Dataset",
    "Development",
    "Edge",
    "EvaluateResult",
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
    "Parts",
    "Recipe",
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
    "TrainResult",
    "array_dataset",
    "compare",
    "compare_runs",
    "evaluate",
    "hookimpl",
    "option",
    "read_recipe",
    "resume",
    "run",
    "score_module",
    "sweep",
    "train",
]

_LATER = {  # these bring numpy, DEAP or the database with them
    "EvaluateResult": "evaluating.results",
    "GenerationReport": "results",
    "Recipe": "recipe",
    "RunConfig": "config",
    "RunInfo": "results",
    "RunResult": "results",
    "Samples": "data",
    "Scoring": "config",
    "Solution": "results",
    "Splits": "data",
    "Spread": "results",
    "SweepResult": "sweeps",
    "TrainResult": "train_results",
    "array_dataset": "data",
    "compare": "comparing.api",
    "compare_runs": "comparing.searches.api",
    "evaluate": "evaluating.api",
    "read_recipe": "recipe",
    "resume": "resuming",
    "run": "api",
    "score_module": "snn.score_module",
    "sweep": "sweeps",
    "train": "training",
}


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module 'evo_core' has no attribute {name!r}")
    return getattr(importlib.import_module(f"evo_core.{_LATER[name]}"), name)
