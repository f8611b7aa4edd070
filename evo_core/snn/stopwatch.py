"""Where the time of an evaluation goes: each torch operation is timed, and put under a heading."""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from torch.utils._python_dispatch import TorchDispatchMode

from evo_core.components import load
from evo_core.plan import Plan
from evo_core.snn.devices import clock

_OPERATIONS = {"conv": "convolutions", "batch_norm": "BatchNorm"}
_FUNCTIONS = {("evo_core.snn.operations", "normalise"): "BatchNorm"}
_MODULES = {
    "evo_core.snn.watcher": "Gram",
    "evo_core.snn.view": "Gram",
    "evo_core.snn.activity": "Gram",
    "evo_core.snn.weights": "weights",
}


class Stopwatch(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Times every operation of torch while it is entered.

    An operation counts for what it is (a convolution), or for the module that asked for it (that of
    a neuron model, of a fitness function, ...). Its own cost, that of stopping every operation, is
    left out, so that the times are those of an evaluation that nobody watches.

    Attributes:
        seconds: By heading; what Python does between the operations is not among them.

    Args:
        plan: Says which modules hold neurons and fitness functions.
    """

    def __init__(self, plan: Plan) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.seconds: dict[str, float] = defaultdict(float)
        self._device = plan.config.device
        self._modules = _MODULES | _modules_of(plan)

    def __torch_dispatch__(
        self,
        func: Any,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        start = clock(self._device)
        try:
            return func(*args, **(kwargs or {}))
        finally:
            self.seconds[self._part(func.__name__)] += clock(self._device) - start

    def _part(self, operation: str) -> str:
        for name, part in _OPERATIONS.items():
            if name in operation:
                return part
        frame = sys._getframe(2)
        while frame.f_back is not None:
            module = frame.f_globals["__name__"]
            asked = _FUNCTIONS.get((module, frame.f_code.co_name)) or self._modules.get(module)
            if asked is not None:
                return asked
            frame = frame.f_back
        return "rest"


def _modules_of(plan: Plan) -> dict[str, str]:
    neurons = {load(record.step).__module__: "neurons" for record in plan.neurons.values()}
    functions = [load(bound.record.score) for bound in plan.fitness]
    functions += [load(bound.record.collect) for bound in plan.fitness if bound.record.collect]
    return neurons | {function.__module__: "fitness" for function in functions}
