"""Untrained networks in bfloat16: nearly the scores of float32, told apart from them."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import evo_core
from evo_core.basis import basis_of
from evo_core.config import from_layers
from evo_core.evaluation import Candidate
from evo_core.executors import make_evaluator
from evo_core.genome import random_genome
from evo_core.plan import Job, make_plan
from evo_core.snn import operations
from evo_core.snn.view import gram_matrices

LAYER = {"mse": {"cells": 3}, "fitness": ["rdm", "rdm[feature=rate]"], "scoring": {"batch": 8}}


def job(precision, **more):
    return Job(from_layers(LAYER, {"precision": precision}, more))


def scores(precision):
    evaluator, rng = make_evaluator(job(precision)), np.random.default_rng(0)
    genes = make_plan(job(precision)).space.genes
    found = [
        evaluator.evaluate(Candidate(number, random_genome(rng, genes), "")) for number in range(8)
    ]
    assert all(one.status == "ok" for one in found)
    return np.array([[one.scores[text].value for text in LAYER["fitness"]] for one in found])


def test_scores_in_bf16_are_near_those_in_fp32_and_not_the_same():
    fine, coarse = scores("fp32"), scores("bf16")
    assert np.allclose(fine, coarse, rtol=0.05)
    assert not np.array_equal(fine, coarse)
    assert np.array_equal(coarse, scores("bf16"))


def test_a_cache_tells_the_precisions_apart():
    fine, coarse = (basis_of(make_plan(job(one))).addresses() for one in ("fp32", "bf16"))
    assert fine.keys() == coarse.keys()
    assert not set(fine.values()) & set(coarse.values())


def test_an_unknown_precision_is_refused_in_one_line():
    with pytest.raises(evo_core.EvoError, match=r"precision.*'fp32' or 'bf16'"):
        job("half")


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32, torch.float64])
def test_gram_matrices_are_exact(dtype):
    spikes = torch.rand(2, 6, 70_001, generator=torch.Generator().manual_seed(0)) < 0.7
    expected = spikes.double() @ spikes.double().mT
    before = torch.get_float32_matmul_precision()
    assert torch.equal(gram_matrices(spikes.to(dtype)), expected)
    assert torch.get_float32_matmul_precision() == before


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32, torch.float64])
@pytest.mark.parametrize("statistics", ["step", "sequence"])
@pytest.mark.parametrize("last", [False, True])
def test_batch_norm_in_place_is_that_of_torch(dtype, statistics, last):
    random = torch.Generator().manual_seed(0)
    maps = 3 * torch.randn((12, 5, 6, 7), generator=random, dtype=torch.float64) + 2
    maps = maps.to(dtype)
    maps = maps.contiguous(memory_format=torch.channels_last) if last else maps
    parts = maps.double().split(12 if statistics == "sequence" else 4)
    expected = torch.cat(
        [torch.nn.functional.batch_norm(part, None, None, training=True) for part in parts]
    )
    value = maps.view(3, 4, 5, 6, 7)
    found = operations.normalise(value, statistics)
    assert found.data_ptr() == maps.data_ptr()
    tolerance = {torch.bfloat16: 2e-2, torch.float32: 1e-5, torch.float64: 1e-12}[dtype]
    assert torch.allclose(found.double().flatten(0, 1), expected, rtol=0, atol=tolerance)


def test_spikes_are_counted_exactly_in_bf16():
    """A sum in bfloat16 would stop at 256."""
    seen = []

    def collect(record, options):
        assert record.spikes.dtype == torch.float32
        return float(record.spikes.sum())

    def score(view, options):
        seen.extend(view.collected)
        return 1.0

    counter = evo_core.FitnessFunction(
        name="counter", summary="", goal="max", needs=("spikes",), collect=collect, score=score
    )
    layer = LAYER | {"fitness": ["counter", "rdm"], "precision": "bf16"}
    given = Job(from_layers(layer), (counter,))
    genome = random_genome(np.random.default_rng(0), make_plan(given).space.genes)
    evaluation = make_evaluator(given).evaluate(Candidate(0, genome, ""))
    assert evaluation.status == "ok", evaluation.error
    assert max(seen) > 256
    assert all(count == int(count) for count in seen)
    assert any(count % 2 for count in seen if count > 512)
