"""Read a recording and make frames of it with SpikingJelly, in a process of its own.

Arguments: the file to write (.npz), the kind of recording, the recording, frames, height, width.
SpikingJelly imports torchvision and torchaudio, which do not import next to a torch without CUDA;
two operators and an empty module in their place are enough for its readers.
"""

from __future__ import annotations

import sys
import types

import numpy as np
import torch

library = torch.library.Library("torchvision", "DEF")
for name in ("nms", "qnms"):
    library.define(f"{name}(Tensor a, Tensor b, float c) -> Tensor")
sys.modules["torchaudio"] = types.ModuleType("torchaudio")

from spikingjelly.datasets import cifar10_dvs, utils  # noqa: E402

READERS = {
    "nmnist": utils.load_ATIS_bin,
    "aedat2": cifar10_dvs._load_origin_data,
    "aedat3": utils.load_aedat_v3,
}
out, kind, recording, frames, height, width = sys.argv[1:]
events = {key: np.asarray(value, np.int64) for key, value in READERS[kind](recording).items()}
made = {
    split_by: utils.integrate_events_by_fixed_frames_number(
        events, split_by, int(frames), int(height), int(width)
    )
    for split_by in ("number", "time")
}
np.savez(out, **events, **made)
