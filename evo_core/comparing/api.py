"""Compare fitness functions from Python."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from evo_core.api import fresh_folder, job_of
from evo_core.comparing.comparison import answer, ask
from evo_core.comparing.writing import report
from evo_core.components import Component
from evo_core.config import RunConfig
from evo_core.errors import RunFailedError


def compare(
    config: RunConfig | Mapping[str, Any] | None = None,
    *,
    against: str = "accuracy",
    samples: int = 100,
    seeds: int = 3,
    repeated: int | None = None,
    stratify: str | None = None,
    out: str | Path | None = None,
    components: Iterable[Component] = (),
) -> dict[str, Any]:
    """Hold fitness functions against a reference on random networks; ``evo compare`` from Python.

    Args:
        config: A RunConfig, or a mapping as it would stand in the TOML file; its ``fitness`` names
            the scores. What concerns a search is left aside.
        against: The reference: a fitness function, or ``"table:FILE.csv:COLUMN"``.
        samples: How many networks are drawn.
        seeds: Under how many seeds each is scored, from the configuration's on.
        repeated: How many of the networks, by default all, are scored under all seeds.
        stratify: ``"k"``, a gene, a score, or ``"none"``; by default k where the space has it.
        out: A new folder, or that of the same comparison, which goes on.
        components: Records of your own.

    Returns:
        What stands in ``compare.json``; docs/compare.md and docs/statistics.md tell what it means.

    Raises:
        EvoError: If anything is wrong with the question; nothing has been written then.
        RunFailedError: If it could not go on, or was interrupted; the same call goes on.

    Example:
        >>> found = compare({"fitness": ["rdm"]}, out="rdm-or-size")  # doctest: +SKIP
        >>> found["scores"]["rdm"]["raw"]["spearman"]  # doctest: +SKIP
    """
    job = job_of(config, components)
    question = ask(
        job.config,
        job.components,
        against=against,
        samples=samples,
        seeds=seeds,
        repeated=repeated,
        stratify=stratify,
    )
    folder = Path(out) if out else fresh_folder("compare", job.config.data)
    found = answer(question, folder)
    if found is None:
        raise RunFailedError(f"interrupted; the same call with out={str(folder)!r} goes on")
    return report(question, found, folder)
