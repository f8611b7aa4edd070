"""The kernel that fires over all steps at once fires as the plain steps do."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from evo_core.snn import fused, steps

PARAMETERS = SimpleNamespace(tau=2.0, threshold=0.5)
LAYOUTS = ("plain", "channels last", "still", "vectors")


def drawn(layout, device, dtype=torch.float32):
    random = torch.Generator().manual_seed(0)
    if layout == "vectors":
        return torch.randn(5, 3, 700, generator=random).to(device, dtype)
    currents = torch.randn(5, 3, 8, 9, 10, generator=random).to(device, dtype)
    if layout == "channels last":
        return currents.permute(0, 1, 3, 4, 2).contiguous().permute(0, 1, 4, 2, 3)
    return currents[:1].expand(5, -1, -1, -1, -1) if layout == "still" else currents


def check(layout, leak, device):
    """Hold the kernel to the steps, in one piece and in two."""
    currents = drawn(layout, device)
    step = steps.integrate_and_fire if leak is None else steps.lif
    expected, v = steps.over_time(step)(currents, None, PARAMETERS)
    found, state = [], None
    for piece in (currents[:2], currents[2:]):
        spikes = steps._for_spikes(piece)
        state = fused.run(piece, state, spikes, leak, PARAMETERS.threshold)
        found.append(spikes)
    assert 0 < expected.mean() < 1
    assert (torch.cat(found) != expected).float().mean() < 1e-3  # rounding at the threshold
    fires_alike = torch.cat(found)[-1] == expected[-1]
    assert torch.allclose(state[fires_alike], v[fires_alike], atol=1e-5)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("leak", [0.5, None])
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
def test_on_a_gpu_it_fires_as_the_steps_do(layout, leak):
    assert fused.fits(drawn(layout, "cuda"))
    check(layout, leak, "cuda")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
def test_in_bfloat16_spikes_are_zeros_and_ones():
    currents = drawn("channels last", "cuda", torch.bfloat16)
    spikes, _ = steps.run_lif(currents, None, PARAMETERS)
    assert spikes.dtype == torch.bfloat16
    assert set(spikes.unique().tolist()) == {0.0, 1.0}


def test_in_the_interpreter_of_triton_it_fires_as_the_steps_do():
    pytest.importorskip("triton")
    check_all = (
        "from test_fused import LAYOUTS, check\n"
        "[check(layout, leak, 'cpu') for layout in LAYOUTS for leak in (0.5, None)]"
    )
    here = str(Path(__file__).parent)
    environment = {**os.environ, "TRITON_INTERPRET": "1", "PYTHONPATH": here}
    subprocess.run([sys.executable, "-c", check_all], env=environment, check=True, timeout=200)


def test_on_a_cpu_it_is_not_used():
    assert not fused.fits(drawn("plain", "cpu"))
