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
    part = path.with_name(f"{path.name}.part")
    try:
        part.write_bytes(tensor_bytes(tensors, facts))
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise EvoError(f"{path} can not be written: {error.strerror}") from None


def tensor_bytes(tensors: Mapping[str, Tensor], facts: Mapping[str, str] | None = None) -> bytes:
    """Give the content of a safetensors file; equal tensors without facts give equal bytes."""
    from safetensors.torch import save

    kept = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    return save(kept, dict(facts) if facts else None)  # no tensors and no facts: broken JSON


def parse_tensors(content: bytes, what: str) -> dict[str, Tensor]:
    """Read the tensors in the content of a safetensors file.

    Raises:
        EvoError: If it is no sound one; ``what`` names it there.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load

    try:
        return load(content)
    except (SafetensorError, ValueError, RuntimeError, KeyError) as error:
        raise EvoError(f"{what} is no sound safetensors file: {error}") from None


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
