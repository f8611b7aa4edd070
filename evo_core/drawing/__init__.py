"""Pictures: networks and the course of a run, through matplotlib without any global state."""

from __future__ import annotations

from evo_core.drawing.charts import curves_chart, fitness_chart, save, share_chart
from evo_core.drawing.network import draw_network
from evo_core.drawing.numbers import numbers_chart
from evo_core.drawing.samples import contact_sheet

__all__ = [
    "contact_sheet",
    "curves_chart",
    "draw_network",
    "fitness_chart",
    "numbers_chart",
    "save",
    "share_chart",
]
