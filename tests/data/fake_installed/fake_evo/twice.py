"""A plugin that offers a name which is taken: ``params`` comes with evo."""

from evo_core import FitnessFunction, hookimpl


@hookimpl
def evo_components():
    """Offer a fitness called ``params``."""
    yield FitnessFunction(
        name="params", summary="another count", goal="min", needs=("graph",), score="math:sqrt"
    )
