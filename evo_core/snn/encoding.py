"""What a network sees of a batch: events as they are, images under one of three encodings."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from evo_core.config import Encoding
from evo_core.data import Samples


def encoded(samples: Samples, steps: int, encoding: Encoding, rng: np.random.Generator) -> Tensor:
    """Make the sequence ``[T, B, C, H, W]`` that a network is shown, in float32 on the CPU.

    ``direct`` shows an image alike at every step. ``poisson`` and ``latency`` are SpikingJelly's:
    a spike at each step with the value of the pixel as probability, or one spike at the step
    round((T - 1)(1 - value)). For both, values outside 0 to 1 count as 0 or 1.

    Args:
        samples: Images ``[B, C, H, W]``, or frames of events ``[B, T, C, H, W]``, which are shown
            as they are under ``direct``.
        steps: Time steps T.
        encoding: How images are shown.
        rng: Where ``poisson`` draws from; the same generator gives the same spikes.
    """
    if encoding == "direct":
        return torch.tensor(samples.frames(steps), dtype=torch.float32)
    from spikingjelly.activation_based.encoding import LatencyEncoder, PoissonEncoder

    images = torch.tensor(samples.frames(1)[0], dtype=torch.float32).clamp(0, 1)
    if encoding == "latency":
        encoder = LatencyEncoder(steps)
        return torch.stack([encoder(images) for _ in range(steps)])
    with torch.random.fork_rng(devices=[]):  # the encoder draws from the global generator
        torch.manual_seed(int(rng.integers(2**63)))
        spikes: Tensor = PoissonEncoder()(images.expand(steps, *images.shape))
    return spikes
