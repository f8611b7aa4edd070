"""A network as JSON: the graph without weights, under a published schema."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evo_core.architecture_json import SCHEMA, to_json
from evo_core.errors import EvoError
from evo_core.folder import write_out

if TYPE_CHECKING:
    from evo_core.snn.loaded import LoadedNetwork


def write_json(loaded: LoadedNetwork, out: Path) -> dict[str, Any]:
    """Write the architecture of a network to a file that ``evo show`` and ``evo train`` read.

    Args:
        loaded: The network.
        out: The file, ``FILE.json``, by which name the commands know it.

    Raises:
        EvoError: If the name is another one, or the file can not be written.
    """
    if out.suffix != ".json":
        raise EvoError(f"--out {out} has to end in .json, as evo show and evo train read it")
    document = {"$schema": SCHEMA, "graph": to_json(loaded.architecture)}
    write_out(out, json.dumps(document, indent=2, allow_nan=False) + "\n")
    return {"files": [str(out)]}
