"""What a network can be exported as, and what the export is called if nobody says."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from evo_core.errors import EvoError
from evo_core.record import Ref

if TYPE_CHECKING:
    from evo_core.snn.loaded import LoadedNetwork

_LONGEST = 40  # characters of a name that people still read


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkFormat:
    """A form that a network is written in.

    Attributes:
        write: ``write(loaded, out) -> dict``: writes ``out``, which is not there yet, whole or not
            at all, and gives what ``evo export --json`` prints of it, paths under ``"files"``.
            ``"notes"``, if any, are lines for people.
        ending: What the default ``--out`` adds to the name of the target.
        weights: Whether it holds weights.
    """

    write: Ref
    ending: str
    weights: bool = True


NETWORK_FORMATS: dict[str, NetworkFormat] = {
    "torch": NetworkFormat(write="evo_core.exporting.torch_file:write_torch", ending="-torch"),
    "json": NetworkFormat(
        write="evo_core.exporting.json_file:write_json", ending=".json", weights=False
    ),
    "nir": NetworkFormat(write="evo_core.exporting.nir_file:export_nir", ending=".nir"),
}


def default_out(loaded: LoadedNetwork, form: NetworkFormat) -> Path:
    """Name an export in the current folder after its target: ``runs/first:7`` is ``first-7``."""
    path = Path(loaded.text.removesuffix(".json"))
    parts = path.parts[-2:] if path.name.startswith("epoch-") else path.parts[-1:]
    name = re.sub(r"[^\w.]+", "-", "-".join(parts)).strip("-.") or "network"
    if len(name) > _LONGEST:
        name = f"{name.partition('-')[0][:_LONGEST]}-{loaded.architecture.hash[:8]}"
    return Path(f"{name}{form.ending}")


def check_new(out: Path) -> None:
    """Refuse to write where something is.

    Raises:
        EvoError: If there is a file or a folder with something in it, or nothing can be there.
    """
    try:
        taken = out.is_symlink() or (out.exists() and (not out.is_dir() or any(out.iterdir())))
    except OSError as error:
        raise EvoError(f"{out} can not be written: {error.strerror}") from None
    if taken:
        raise EvoError(f"{out} is there already; choose another --out")
