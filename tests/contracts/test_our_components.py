"""Everything evo offers goes through the contract tests that plugin authors use."""

from __future__ import annotations

import numpy as np
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


TRAINS = ("accuracy[epochs=1,samples=480]", "synops[at=trained,epochs=1,samples=64]")
ELSEWHERE = {"accuracy", "nir-exportable"}  # have classes of their own
SHORT = {"zen": "zen[repeats=1]", "zico": "zico[parts=2]"}  # fewer repeats


class TestFitness(testing.FitnessContract):
    @pytest.fixture(params=sorted(set(REGISTRY.all(components.FitnessFunction)) - ELSEWHERE))
    def text(self, request):
        return SHORT.get(request.param, request.param)


class TestNirExportable(testing.FitnessContract):
    settings = {"mse": {"cells": 1, "channels": 2, "sign_clip": False}}  # noqa: RUF012

    @pytest.fixture
    def text(self):
        return "nir-exportable"  # by default no network of mse is


class TestFitnessThatTrains(testing.FitnessContract):
    settings = {"mse": {"cells": 1, "channels": 2}}  # noqa: RUF012

    @pytest.fixture(params=TRAINS)
    def text(self, request):
        return request.param


class TestStrategies(testing.StrategyContract):
    text = names(components.Strategy)


class TestNeurons(testing.NeuronContract):
    text = names(components.NeuronModel)


# No real copy of these lies here; tests/plugins/test_event_datasets.py has small ones.
NOT_HERE = ("dvs128-gesture", "cifar10-dvs")


def data_sets(*, in_files):
    found = REGISTRY.all(components.Dataset).values()
    return [one.name for one in found if bool(one.files) == in_files and one.name not in NOT_HERE]


class TestDatasets(testing.DatasetContract):
    @pytest.fixture(params=data_sets(in_files=False))
    def text(self, request):
        return request.param


class TestDatasetsInFiles(testing.DatasetContract):
    @pytest.fixture(params=data_sets(in_files=True))
    def text(self, request):
        return request.param

    @pytest.fixture
    def root(self, text, real_data, tmp_path):
        if text == "nmnist":
            return real_data / "NMNIST" / "subset"
        if text != "folder":
            return real_data
        rng = np.random.default_rng(0)
        images, labels = rng.integers(0, 256, (40, 9, 8)), np.arange(40) % 4
        np.savez(tmp_path / "mine.npz", images=images.astype(np.uint8), labels=labels)
        return tmp_path


class TestExecutors(testing.ExecutorContract):
    text = names(components.Executor)


class TestDevelopments(testing.DevelopmentContract):
    text = names(components.Development)


class TestModesOfSdsnn(testing.DevelopmentContract):
    """The modes that follow the release, and the default with much more pruning and growth."""

    @pytest.fixture(
        params=["mode=intended", "mode=released", "fc_growth=0.0,conv_growth=0.0,neurons=0.7"]
    )
    def text(self, request):
        return f"sdsnn[spine=1,fc_rate=30.0,conv_rate=30.0,{request.param}]"
