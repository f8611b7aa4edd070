"""What this package offers to evo: the space ``mse-released``."""

from __future__ import annotations

from collections.abc import Iterable

from evo_core.components import Component, SearchSpace
from evo_core.hookspecs import hookimpl
from evo_mse_released.options import ReleasedOptions


@hookimpl
def evo_components() -> Iterable[Component]:
    """Offer the space."""
    yield SearchSpace(
        name="mse-released",
        summary="the 121-gene encoding of the released MSE-NAS code, as it decodes there",
        options=ReleasedOptions,
        build="evo_mse_released.space:build",
    )
