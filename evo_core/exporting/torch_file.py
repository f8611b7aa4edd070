"""A network as a folder with one Python file and its weights, for torch and SpikingJelly alone."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from spikingjelly.activation_based import functional

from evo_core.errors import EvoError
from evo_core.exporting.source import build_source
from evo_core.folder import new_folder, write_whole
from evo_core.snn.tensors import write_tensors

if TYPE_CHECKING:
    from evo_core.snn.loaded import LoadedNetwork

FILES = ("network.py", "weights.safetensors")
_ENDINGS = (".py", ".pt", ".pth", ".safetensors", ".json", ".nir")  # of files
_SAMPLES = 2  # of the batch that the file is tried on


def write_torch(loaded: LoadedNetwork, out: Path) -> dict[str, Any]:
    """Write ``network.py`` and ``weights.safetensors``, and try them before they take their place.

    Args:
        loaded: The network.
        out: The folder, which is not there yet or empty.

    Raises:
        EvoError: If the folder has the name of a file, a neuron is none of SpikingJelly's, the
            folder can not be written, or what was written does not give exactly what the network
            gives.
    """
    if out.suffix in _ENDINGS:
        raise EvoError(
            f"--out {out} will be a folder of {' and '.join(FILES)}; leave out {out.suffix}"
        )
    source = build_source(loaded)
    with new_folder(out) as aside:
        write_whole(aside / FILES[0], source.text)
        write_tensors(aside / FILES[1], source.tensors, {})
        _try(loaded, aside / FILES[0])
    return {"files": [str(out / name) for name in FILES], "left_out": list(source.unread)}


def _try(loaded: LoadedNetwork, file: Path) -> None:
    """Compare the file with the network on random frames.

    Raises:
        EvoError: If one bit differs, as where a neuron holds a setting its constructor lacks.
    """
    task = loaded.architecture.task
    generator = torch.Generator().manual_seed(0)
    frames = torch.rand((task.steps, _SAMPLES, *task.shape), generator=generator)
    with torch.no_grad():
        functional.reset_net(loaded.network)
        wanted = loaded.network(frames)
        functional.reset_net(loaded.network)
        given = runpy.run_path(str(file))["load"]()(frames)
    if not torch.equal(wanted, given):
        raise EvoError(
            f"{loaded.text} can not be exported to torch: its neurons hold settings that their "
            "constructors do not take, so the file would compute something else"
        )
