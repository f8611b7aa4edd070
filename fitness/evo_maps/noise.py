"""Noise to show to a network in place of data."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from evo_core.snn.view import View


def noise_like(inputs: Tensor, generator: torch.Generator) -> Tensor:
    """Draw standard normal frames of the shape of ``inputs``, the same at each time step."""
    frame = torch.randn(inputs.shape[1:], generator=generator)
    return frame.to(inputs)[None].expand(inputs.shape)


def runs_on_noise(view: View, network: nn.Module, noise: Tensor) -> str:
    """Run a network, and give the reason if it can not take so few samples; otherwise nothing."""
    try:
        with torch.no_grad():
            view.run(network, noise)
    except ValueError as error:
        if "more than 1 value per channel" not in str(error):
            raise
        return "BatchNorm can not average over one sample of one pixel"
    return ""
