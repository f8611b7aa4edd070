"""Tensors in files: safetensors alone, which holds numbers and names and nothing that runs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from evo_core.errors import EvoError


def write_tensors(path: Path, tensors: Mapping[str, Tensor], facts: Mapping[str, str]) -> None:
    """Write named tensors with some facts, whole or not at all.

    Raises:
        EvoError: If the file can not be written.
    """
    from safetensors.torch import save

    part = path.with_name(f"{path.name}.part")
    kept = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    try:
        part.write_bytes(save(kept, dict(facts)))
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise EvoError(f"{path} can not be written: {error.strerror}") from None


def read_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Read the tensors of a file, and its facts.

    Raises:
        EvoError: If it is missing, or no sound safetensors file.
    """
    from safetensors import SafetensorError, safe_open

    if not path.is_file():
        raise EvoError(f"there is no file {path}")
    try:
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.offset_keys()}
            return tensors, dict(file.metadata() or {})
    except (SafetensorError, OSError, ValueError, RuntimeError) as error:
        raise EvoError(f"{path} is no sound safetensors file: {error}") from None
