"""What decided a search, and in what two searches differ."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from evo_core.binding import parse_reference
from evo_core.config import OWN_KEYS, RunConfig, to_layer
from evo_core.provenance import Lock, differences
from evo_core.sweeps import NOT_THE_SEARCH

Settings = Mapping[str, Any]
CODE = "code"

# where a run lies, which seed it had, and what happens after its search
_BESIDE = (*NOT_THE_SEARCH, "seed", "out", "plugins", "rescore")


def settings_of(config: RunConfig) -> dict[str, Any]:
    """Give what decided a search apart from its seed, flat: ``{"scoring.batch": 32, ...}``."""
    executing = {parse_reference(text)[0] for text in (config.executor, *config.observers)}
    flat: dict[str, Any] = {}
    for key, value in to_layer(config).items():
        if key in _BESIDE or key in executing:
            continue
        if isinstance(value, Mapping):
            flat |= {f"{key}.{inner}": one for inner, one in value.items()}
        else:
            flat[key] = value
    return flat


def data_of(settings: Settings) -> dict[str, Any]:
    """Give those settings that say which data a search was run on."""
    table = f"{parse_reference(settings['data'])[0]}."
    return {key: settings[key] for key in settings if key == "data" or key.startswith(table)}


def differing(a: Settings, b: Settings) -> list[str]:
    """Name the settings in which two searches differ.

    The table of a component that only one of them has comes with the choice of that component,
    which is named already.

    >>> one = {"strategy": "nsga2", "nsga2.protect": True, "population": 8}
    >>> differing(one, {"strategy": "random", "population": 8})
    ['strategy']
    >>> differing(one, one | {"nsga2.protect": False})
    ['nsga2.protect']
    """
    tables = {_head(key) for key in a} & {_head(key) for key in b} | OWN_KEYS
    keys = sorted(a.keys() | b.keys())
    return [key for key in keys if _head(key) in tables and a.get(key) != b.get(key)]


def changes(a: Lock, b: Lock) -> list[str]:
    """Say how the code differs that two searches share: evo, the main libraries, common plugins."""
    both = a.keys() & b.keys()
    return differences({key: a[key] for key in both}, {key: b[key] for key in both})


def _head(key: str) -> str:
    return key.partition(".")[0]
