"""What a score depends on, apart from the network: the address it is kept under.

Whatever could change a score is part of its address: code, libraries, data, settings and seed. The
search space is not, nor anything else that only decides which networks are looked at.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from evo_core.binding import Bound
from evo_core.components import Component, FitnessFunction
from evo_core.errors import EvoError
from evo_core.plan import Plan, needs_data
from evo_core.provenance import lock, origin
from evo_core.recipe import recipes

SHARED = ""  # stands where a fitness would: what the passes gave that all of them share


@dataclass(frozen=True, slots=True)
class Basis:
    """What the scores of a plan depend on.

    Attributes:
        code: What every score depends on.
        passes: What the passes of the network depend on too; None if no fitness needs any.
        fitness: The code behind each fitness by canonical text, and whether it needs passes.
        inits: The numbers of the initial weights of the search.
    """

    code: Mapping[str, Any]
    passes: Mapping[str, Any] | None
    fitness: Mapping[str, tuple[Mapping[str, str], bool]]
    inits: tuple[int, ...]

    def addresses(self, inits: tuple[int, ...] = ()) -> dict[str, str]:
        """Give a digest for each fitness, and one for what the passes share if there are any.

        Args:
            inits: The numbers of the initial weights; empty for those of the search.
        """
        passes = None
        if self.passes is not None:
            passes = {**self.passes, "inits": inits or self.inits}
        found = {} if passes is None else {SHARED: _digest(self.code, passes)}
        for text, (code, looks) in self.fitness.items():
            found[text] = _digest(self.code, passes if looks else None, text, code)
        return found


def basis_of(plan: Plan) -> Basis:
    """Collect what the scores of a plan depend on.

    Raises:
        EvoError: If a fitness function or neuron model was given in Python: nothing tells whether
            its code is the same in the next run.
    """
    versions = lock(plan)
    names = ("python", "torch", "numpy", "spikingjelly", "evo_core")
    return Basis(
        code={name: versions[name] for name in names},
        passes=_passes(plan) if needs_data(plan.fitness) else None,
        fitness={
            bound.text: (_code(plan, bound.record) | _lessons(plan, bound), needs_data((bound,)))
            for bound in plan.fitness
        },
        inits=tuple(range(plan.config.scoring.inits)),
    )


def _passes(plan: Plan) -> dict[str, Any]:
    config = plan.config
    device = config.device.partition(":")[0]
    scoring = dataclasses.replace(config.scoring, steps=plan.task.steps, inits=1)
    return {
        "neurons": {name: _code(plan, record) for name, record in plan.neurons.items()},
        "data": [text for text in plan.binder.used if text.startswith("data ")],
        "batches": _checksum(plan),
        "scoring": dataclasses.asdict(scoring),  # the inits are told for each candidate
        "seed": config.seed,
        "device": [device, config.deterministic] if device == "cuda" else [device],
        "precision": {"fp32": "float32", "bf16": "bfloat16"}[config.precision],
    }


def _code(plan: Plan, record: Component) -> dict[str, str]:
    plugin = plan.registry.plugin(record)
    if plugin is None:
        raise EvoError(
            f"{record.kind} {record.name!r} was given in Python, so its scores can not be kept in "
            "a cache; put it into a plugin file, or leave out the cache"
        )
    return origin(plugin)


def _lessons(plan: Plan, bound: Bound[FitnessFunction]) -> dict[str, str]:
    """Hash the recipes and samples that a fitness function trains by and on, if it does."""
    if "trained" not in bound.record.needs_with(bound.options):
        return {}
    digest = hashlib.sha256(json.dumps(recipes(), sort_keys=True).encode())
    for samples in (plan.splits.train, plan.splits.validation):
        digest.update(f"{samples.scale!r}\n".encode())
        for array in (samples.inputs, samples.labels):
            digest.update(f"{array.shape} {array.dtype.str}\n".encode() + array.tobytes())
    return {"trained by and on": digest.hexdigest()}


def _checksum(plan: Plan) -> str:
    """Hash the scoring batches: inputs as the network sees them, and labels."""
    import numpy as np

    scoring, digest = plan.config.scoring, hashlib.sha256()
    for number in range(scoring.batches):
        samples = plan.splits.batch(scoring.batch, plan.config.seed, number)
        for array in (samples.scaled().astype(np.float32), samples.labels):
            digest.update(f"{array.shape} {array.dtype.str}\n".encode() + array.tobytes())
    return digest.hexdigest()


def _digest(*parts: Any) -> str:
    text = json.dumps(parts, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]
