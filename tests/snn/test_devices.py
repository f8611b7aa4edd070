"""How a device computes: on CUDA, what repeats."""

from __future__ import annotations

import os

import pytest
import torch

from evo_core.config import from_layers
from evo_core.snn import devices
from evo_core.snn.devices import repeatable


@pytest.fixture
def torch_flags():
    """Put the flags of torch back."""
    backend = torch.backends.cudnn
    before = torch.are_deterministic_algorithms_enabled(), backend.deterministic, backend.benchmark
    yield
    torch.use_deterministic_algorithms(before[0])
    backend.deterministic, backend.benchmark = before[1:]


@pytest.mark.parametrize(
    ("device", "deterministic", "repeats"),
    [("cuda:0", True, True), ("cuda", False, False), ("cpu", True, False)],
)
def test_on_cuda_only_algorithms_that_repeat_are_taken(
    torch_flags, monkeypatch, device, deterministic, repeats
):
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", "")  # so that it is put back
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG")
    torch.backends.cudnn.benchmark = True
    repeatable(device, deterministic)
    assert torch.are_deterministic_algorithms_enabled() == repeats
    assert torch.backends.cudnn.deterministic == repeats
    assert torch.backends.cudnn.benchmark != repeats
    assert os.environ.get("CUBLAS_WORKSPACE_CONFIG") == (":4096:8" if repeats else None)


@pytest.mark.parametrize(("memory", "kept"), [(None, [True]), ("4GB", [])])
def test_freed_memory_is_kept_unless_memory_is_limited(monkeypatch, memory, kept):
    calls = []
    monkeypatch.setattr(devices, "keep_freed_memory", lambda: calls.append(True))
    devices.prepare(from_layers({"memory": memory} if memory else {}))
    assert calls == kept


def test_keeping_freed_memory_leaves_tensors_as_they_are():
    devices.keep_freed_memory()
    one = torch.arange(10**6)
    del one
    assert int(torch.arange(10**6)[-1]) == 10**6 - 1
