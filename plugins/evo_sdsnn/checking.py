"""What ``sdsnn`` refuses before anything is written."""

from __future__ import annotations

from evo_core.architecture import Architecture
from evo_core.errors import EvoError
from evo_core.snn.silence import weighted
from evo_sdsnn.options import SdsnnOptions


def check(architecture: Architecture, options: SdsnnOptions, epochs: int) -> None:
    """Refuse a network with nothing to develop, and a training that ends before it begins.

    Candidates of a search are held to the same, whatever they inherit: those of the first
    generation inherit nothing, and an edge that does not fit the body of a parent begins anew.

    Raises:
        EvoError: If it is one of these.
    """
    if all(last for *_, last in weighted(architecture)):
        raise EvoError("sdsnn develops the layers in front of the classifier; there is none here")
    fitted = options.over(epochs)
    structure = options.prune or options.regenerate
    needed = fitted.first + 2 if structure else fitted.threshold + 2 if options.clamp else 1
    if epochs >= needed:
        return
    largest = (epochs - 3) // 2 if structure else epochs - 2
    if largest < 1:
        raise EvoError(f"sdsnn needs {5 if structure else 3} epochs or more, not {epochs}")
    raise EvoError(
        f"sdsnn[spine={fitted.threshold}] first acts after {needed - 1} epochs, but the training "
        f"has {epochs}; take more epochs, spine={largest} or less, or leave spine out"
    )
