"""Networks as NIR files (HDF5), and whether SpikingJelly computes the same from them."""

from __future__ import annotations

import copy
import io
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from spikingjelly.activation_based import functional
from torch import Tensor

from evo_core.errors import EvoError, NotExportableError
from evo_core.exporting.formats import check_new
from evo_core.folder import write_out
from evo_core.nir_limits import unsupported
from evo_core.snn.encoding import encoded
from evo_core.snn.loaded import LoadedNetwork
from evo_core.snn.network import SpikingNetwork

_LOUDNESS = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0)  # of each sample, lest a quiet network stays silent
_REAL = 16  # samples of the data, where they fit: loud input silences some trained networks


@dataclass(frozen=True, slots=True, kw_only=True)
class NirCheck:
    """A file that was written and read back.

    Attributes:
        nodes: The number of NIR nodes, input and output included.
        edges: The number of edges between them.
        difference: The largest absolute difference between the logits of the network and those
            of the file, over all steps of random samples and of some of the data; None if it can
            not be imported.
        largest: The largest absolute logit of the network, to compare with.
        refused: Why SpikingJelly does not import the file; None if it does.
    """

    nodes: int
    edges: int
    difference: float | None
    largest: float
    refused: str | None = None


def write_nir(loaded: LoadedNetwork, path: Path) -> NirCheck:
    """Write a network as NIR, read it back and compare.

    Raises:
        EvoError: If NIR can not say all of it (the message lists what, one thing on a line), if
            the file exists or can not be written, or if nir is not installed.
    """
    try:
        import nir
        import nirtorch  # noqa: F401  (what SpikingJelly reads the file with)
    except ImportError:
        raise EvoError(
            'the format nir needs nir and nirtorch; install them: pip install "evo-snn[nir]"'
        ) from None
    from evo_core.exporting.nir_graph import nir_graph

    check_exportable(loaded)
    check_new(path)
    file = io.BytesIO()
    nir.write(file, nir_graph(loaded.network))
    check = _checked(loaded.network, _frames(loaded), nir.read(file))
    write_out(path, file.getvalue())
    return check


def export_nir(loaded: LoadedNetwork, out: Path) -> dict[str, Any]:
    """Write a network as NIR and tell how far what is read back is from it.

    Raises:
        EvoError: As :func:`write_nir`.
    """
    check = write_nir(loaded, out)
    size = f"{check.nodes} nodes, {check.edges} edges"
    compared = (
        f"the logits differ by {check.difference:.2g} at most, the largest is {check.largest:.2g}"
        if check.difference is not None
        else f"SpikingJelly can not import it: {check.refused}"
    )
    if not check.largest:
        compared += "; the network is silent on all that it was shown, so this tells nothing"
    return {"files": [str(out)], "notes": [f"read back: {size}; {compared}"], **asdict(check)}


def check_exportable(loaded: LoadedNetwork) -> None:
    """Refuse a network of which NIR can not say everything.

    Raises:
        NotExportableError: If there is anything; the details list each thing.
    """
    found = unsupported(loaded.architecture)
    if found:
        raise NotExportableError(
            f"{loaded.text} can not be written as NIR, which lacks {len(found)} of the things in "
            "it (see docs/nir.md):",
            tuple(map(str, found)),
        )


def _frames(loaded: LoadedNetwork) -> Tensor:
    """Give frames ``[T, B, C, H, W]`` in float64: random ones, and of the data where they fit."""
    task, plan = loaded.architecture.task, loaded.plan
    generator = torch.Generator().manual_seed(0)
    frames = torch.rand((task.steps, len(_LOUDNESS), *task.shape), generator=generator)
    frames *= torch.tensor(_LOUDNESS)[:, None, None, None]
    samples = plan.splits.train.take(slice(_REAL))
    enough = samples.inputs.ndim == 4 or samples.inputs.shape[1] >= task.steps
    if enough and samples.inputs.shape[-3:] == task.shape:
        rng = np.random.default_rng(0)
        real = encoded(samples, task.steps, plan.config.scoring.encoding, rng)
        frames = torch.cat([frames, real[: task.steps]], 1)
    return frames.double()


def _checked(network: SpikingNetwork, frames: Tensor, graph: Any) -> NirCheck:
    """Compare in float64, where nothing but the rounding of the weights in the file is left."""
    from spikingjelly.activation_based import nir_exchange

    from evo_core.exporting.nir_graph import DT

    original = copy.deepcopy(network).double().eval()
    functional.reset_net(original)
    with torch.no_grad():
        expected = original(frames)
    difference = refused = None
    try:
        read = nir_exchange.import_from_nir(graph, dt=DT, dtype=torch.float64, step_mode="m")
    except (ValueError, NotImplementedError) as error:
        refused = str(error)
    else:
        with torch.no_grad():
            given, _ = read.eval()(frames)
        difference = (given - expected).abs().max().item()
    return NirCheck(
        nodes=len(graph.nodes),
        edges=len(graph.edges),
        difference=difference,
        largest=expected.abs().max().item(),
        refused=refused,
    )
