"""Energy models side by side: evo's own count, and SpikingJelly's, on the same samples.

They answer different questions, so each comes with what it counts. What a model refuses is told as
a reason in the place of its number.
"""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from spikingjelly.activation_based import functional, op_counter
from torch import Tensor

from evo_core.snn.costs import counting
from evo_core.snn.network import SpikingNetwork

_MOST = 300  # characters of a reason


def side_by_side(
    network: SpikingNetwork, frames: Tensor, names: Sequence[str]
) -> dict[str, dict[str, Any]]:
    """Give the energy per sample by evo's own count and by the named models.

    Args:
        network: The network, in evaluation mode.
        frames: What it is shown, ``[T, B, C, H, W]``.
        names: Models of SpikingJelly: ``"simple"``, ``"spikesim"``.

    Returns:
        By name: ``pj`` per sample over all steps, or None and a ``reason``; ``samples``; ``counts``
        and parts of the energy in pJ, per sample; what it ``assumes`` and its ``version``.
    """
    models: dict[str, Callable[[SpikingNetwork, Tensor], dict[str, Any]]] = {"evo": _evo}
    models |= {name: _MODELS[name] for name in names}
    found = {}
    for name, model in models.items():
        head = {"samples": frames.shape[1], "assumes": _ASSUMES[name]}
        functional.reset_net(network)
        try:
            with torch.no_grad():
                found[name] = head | model(network, frames)
        except Exception as error:  # noqa: BLE001 - a model may refuse any layer, in any way
            reason = " ".join(str(error).split()) or type(error).__name__
            short = reason if len(reason) <= _MOST else f"{reason[: _MOST - 3]}..."
            found[name] = head | {"pj": None, "reason": short}
        finally:
            functional.reset_net(network)
    return found


def _evo(network: SpikingNetwork, frames: Tensor) -> dict[str, Any]:
    with counting(network) as counter:
        network(frames)
    made = counter.per_sample(frames.shape[1])
    return {
        "pj": made.picojoules,
        "counts": {"synops": made.synops, "macs": made.macs},
        "version": f"evo {importlib.metadata.version('evo-snn')}",
    }


def _simple(network: SpikingNetwork, frames: Tensor) -> dict[str, Any]:
    report = op_counter.estimate_simple_energy(network, (frames,))
    size = frames.shape[1]
    return {
        "pj": report.energy_total_pj / size,
        "compute_pj": report.energy_compute_pj / size,
        "parts_pj": _each(report.breakdown_pj, size),
        "counts": _each(report.counts, size),
        "version": _version(report),
        "warnings": list(report.warnings),
    }


def _spikesim(network: SpikingNetwork, frames: Tensor) -> dict[str, Any]:
    report = op_counter.estimate_spikesim_energy(network, (frames,))
    size = frames.shape[1]
    return {
        "pj": report.energy_total_pj / size,
        "parts_pj": _each(report.breakdown_pj, size),
        "counts": _each(report.counts, size) | {"stage_count": report.counts["stage_count"]},
        "version": _version(report),
        "warnings": list(report.warnings),
    }


def _each(numbers: Mapping[str, float], size: int) -> dict[str, float]:
    return {name: number / size for name, number in numbers.items()}


def _version(report: Any) -> str:
    return (
        f"spikingjelly {importlib.metadata.version('spikingjelly')}, {report.model_info.model_id}"
    )


_MODELS = {"simple": _simple, "spikesim": _spikesim}
_ASSUMES = {
    "evo": (
        "45 nm, 32-bit floats (Horowitz 2014): 4.6 pJ per MAC and 0.9 pJ per synaptic operation of "
        "convolutions and linear layers; zero weights, BatchNorm, neurons, sums, pools and all "
        "memory are left out"
    ),
    "simple": (
        "45 nm, 32-bit floats (Horowitz 2014): 4.6 pJ per MAC and 0.9 pJ per addition of all that "
        "runs, BatchNorm, neurons and sums too, zero weights as well (compute_pj), and 24.96 pJ "
        "per byte of weights, biases and neuron states read or written, which is most of it"
    ),
    "spikesim": (
        "65 nm in-memory computing on 64x64 RRAM crossbars (Yin et al. 2023): convolutions alone, "
        "by their shape and not by their spikes; linear layers cost nothing; IF and LIF neurons "
        "only"
    ),
}
