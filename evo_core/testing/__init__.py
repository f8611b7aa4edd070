"""Contract tests for plugin authors: subclass, give the one fixture, and run pytest.

Example::

    import pytest
    from evo_core.testing import FitnessContract

    class TestMyScore(FitnessContract):
        plugins = ("my_fitness.py",)

        @pytest.fixture
        def text(self):
            return "my-score"

evo's own components go through the same classes first.
"""

from __future__ import annotations

import pytest

_PARTS = ("base", "search", "network", "training")
pytest.register_assert_rewrite(*(f"{__name__}.{part}" for part in _PARTS))

from evo_core.testing.base import ComponentContract, Contract
from evo_core.testing.network import (
    DatasetContract,
    ExecutorContract,
    FitnessContract,
    NeuronContract,
)
from evo_core.testing.search import OperatorContract, SearchSpaceContract, StrategyContract
from evo_core.testing.training import DevelopmentContract

__all__ = [
    "ComponentContract",
    "Contract",
    "DatasetContract",
    "DevelopmentContract",
    "ExecutorContract",
    "FitnessContract",
    "NeuronContract",
    "OperatorContract",
    "SearchSpaceContract",
    "StrategyContract",
]
