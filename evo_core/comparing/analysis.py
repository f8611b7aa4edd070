"""What a sample says of each score: one JSON document."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from evo_core.comparing.sample import Sample


def analyse(
    sample: Sample, *, resamples: int = 1000, ks: Sequence[int] = (1, 3, 5, 10), seed: int = 0
) -> dict[str, Any]:
    """Compare all scores of a sample with its reference."""
    raise NotImplementedError
