"""SD-SNN: structural development by constraint, pruning and regeneration (arXiv 2211.12219).

:func:`begin` and :func:`step` work on plain tensors, without a network; docs/sdsnn.md describes
them. Importing the package imports no torch.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from evo_sdsnn.options import SdsnnOptions

if TYPE_CHECKING:
    from evo_sdsnn.state import LayerState, State
    from evo_sdsnn.stepping import begin, step

__all__ = ["LayerState", "SdsnnOptions", "State", "begin", "step"]

_WHERE = {"LayerState": "state", "State": "state", "begin": "stepping", "step": "stepping"}


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_WHERE[name]}"), name)
