"""A plugin that works: one fitness with an option."""

from dataclasses import dataclass

from evo_core import FitnessFunction, hookimpl, option


@dataclass(frozen=True, slots=True)
class Options:
    """Options of ``depth``."""

    factor: float = option(1.0, "what the depth is multiplied with")


def depth(view, options):
    """Count the nodes."""
    return len(view.architecture.nodes) * options.factor


@hookimpl
def evo_components():
    """Offer the fitness."""
    yield FitnessFunction(
        name="depth",
        summary="number of nodes",
        options=Options,
        goal="max",
        needs=("graph",),
        score="fake_evo.works:depth",
    )
