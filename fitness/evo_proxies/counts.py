"""Scores that are read off the graph; deterministic, without data."""

from __future__ import annotations

from evo_core.components import NoOptions
from evo_core.evaluation import Score
from evo_core.nir_limits import unsupported
from evo_core.snn.view import View


def params(view: View, options: NoOptions) -> float:
    """Count the trainable scalars of convolutions, linear layers and BatchNorm."""
    assert view.architecture is not None
    return float(view.architecture.parameters)


def macs(view: View, options: NoOptions) -> float:
    """Count multiply-accumulates of convolutions and linear layers, one multiply-add as one.

    Per sample and time step, as if every spike were a number and padding were data.
    """
    assert view.architecture is not None
    return float(view.architecture.macs)


def nir_exportable(view: View, options: NoOptions) -> Score:
    """Tell whether NIR can say all of the network, 1 or 0; ``refused`` in the details lists why."""
    assert view.architecture is not None
    found = unsupported(view.architecture)
    return Score(float(not found), details={"refused": [str(each) for each in found]})
