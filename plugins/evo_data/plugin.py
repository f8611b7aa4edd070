"""What this package offers to evo."""

from __future__ import annotations

from collections.abc import Iterable

from evo_core.components import Component
from evo_core.hookspecs import hookimpl
from evo_data.event_plugin import event_datasets


@hookimpl
def evo_components() -> Iterable[Component]:
    """Offer the data sets."""
    yield from event_datasets()
