"""Everything evo offers goes through the contract tests that plugin authors use."""

from __future__ import annotations

import pytest

from evo_core import components, testing
from evo_core.registry import installed

REGISTRY = installed()
RECORDS = [record for kind in components.RECORDS for record in REGISTRY.all(kind).values()]


def names(kind):
    return pytest.fixture(params=list(REGISTRY.all(kind)))(lambda self, request: request.param)


class TestComponents(testing.ComponentContract):
    @pytest.fixture(params=RECORDS, ids=lambda record: f"{record.kind}:{record.name}")
    def record(self, request):
        return request.param


class TestSearchSpaces(testing.SearchSpaceContract):
    text = names(components.SearchSpace)


class TestWideReleasedSpace(testing.SearchSpaceContract):
    """The bounds of older published genomes, where some genomes are invalid."""

    @pytest.fixture
    def text(self):
        return "mse-released[bounds=wide]"


class TestOperators(testing.OperatorContract):
    text = names(components.Operator)


SHORT = {"accuracy": "accuracy[epochs=1,samples=480]"}  # fitness functions that train


class TestFitness(testing.FitnessContract):
    @pytest.fixture(params=list(REGISTRY.all(components.FitnessFunction)))
    def text(self, request):
        return SHORT.get(request.param, request.param)


class TestStrategies(testing.StrategyContract):
    text = names(components.Strategy)


class TestNeurons(testing.NeuronContract):
    text = names(components.NeuronModel)


class TestDatasets(testing.DatasetContract):
    text = names(components.Dataset)


class TestExecutors(testing.ExecutorContract):
    text = names(components.Executor)


class TestDevelopments(testing.DevelopmentContract):
    text = names(components.Development)
