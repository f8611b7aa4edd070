"""Synaptic operations and energy of a network; ``evo_core.snn.costs`` counts them."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import torch

from evo_core.errors import RunFailedError
from evo_core.evaluation import Score
from evo_core.limits import check_deadline
from evo_core.snn.costs import Operations, counting
from evo_core.snn.view import Trained, View

if TYPE_CHECKING:
    from evo_energy.plugin import CostOptions


def synops(view: View, options: CostOptions) -> Score:
    """Count synaptic operations; undefined where there are none, or where a training diverges."""
    return _score(view, options, lambda counted: counted.synops)


def energy(view: View, options: CostOptions) -> Score:
    """Estimate the energy in pJ; undefined where the synaptic operations are."""
    return _score(view, options, lambda counted: counted.picojoules)


def operations(view: View, trained: Trained | None = None) -> Operations:
    """Count the operations of a network on the batch of a view.

    Args:
        view: A view with a network and the inputs ``[T, B, C, H, W]``.
        trained: Count on this network instead, with the running statistics of BatchNorm. It stays
            as it is.
    """
    assert view.inputs is not None
    steps = len(view.inputs) if trained is None and view.statistics == "sequence" else 1
    if trained is None:
        assert view.network is not None
        network = view.network()
    else:
        network = copy.deepcopy(trained.network).eval()
    with torch.no_grad(), counting(network) as counter:
        for frames in torch.split(view.inputs, steps):
            check_deadline()
            network(frames)
    return counter.per_sample(view.inputs.shape[1])


def _score(view: View, options: CostOptions, value: Callable[[Operations], float]) -> Score:
    trained = None
    if options.at == "trained":
        assert view.trained is not None
        try:
            trained = view.trained(options.recipe)
        except RunFailedError as error:
            return Score.undefined(str(error))
    counted = operations(view, trained)
    forwards = 1 + (trained.forwards if trained else 0)
    backwards = trained.backwards if trained else 0
    given: dict[str, Any] = {"forwards": forwards, "backwards": backwards}
    if counted.synops == 0:
        return Score.undefined("no spike meets a weight", details=asdict(counted), **given)
    return Score(value(counted), details=asdict(counted), **given)
