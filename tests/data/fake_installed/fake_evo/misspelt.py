"""A plugin whose hook is misspelt."""

from evo_core import hookimpl


@hookimpl
def evo_component():
    """Offer nothing, since nobody calls this."""
    return []
