"""Which versions made a run."""

from __future__ import annotations

import importlib.metadata
import platform

from evo_core.registry import Registry

_LIBRARIES = ("torch", "spikingjelly", "deap", "numpy")


def libraries() -> dict[str, str]:
    """Give the versions of Python and the main libraries."""
    found = {name: importlib.metadata.version(name) for name in _LIBRARIES}
    return {"python": platform.python_version()} | found


def versions(registry: Registry) -> dict[str, str]:
    """Give the versions of evo, Python, the main libraries and every plugin that loaded."""
    found = {"evo": importlib.metadata.version("evo-snn")} | libraries()
    for plugin in registry.plugins:
        if plugin.error is None:
            found[f"plugin {plugin.name}"] = f"{plugin.source} {plugin.version}".strip()
    return found
