"""The figures of a comparison, from its analysis and its sample, for a page and for files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from evo_core.comparing.figures_curves import draw_precision, draw_regret, draw_regret_seconds
from evo_core.comparing.figures_looks import Drawn
from evo_core.comparing.figures_points import draw_scatter, draw_seeds
from evo_core.comparing.figures_strength import draw_between, draw_strength
from evo_core.comparing.reading import Analysis
from evo_core.comparing.sample import Sample
from evo_core.errors import EvoError
from evo_core.folder import write_whole


def draw_figures(analysis: Analysis, sample: Sample) -> list[Drawn]:
    """Draw all figures that the numbers allow, in the order in which a page shows them.

    Args:
        analysis: What ``analyse`` says of the sample.
        sample: The sample.
    """
    drawn = (
        draw_strength(analysis),
        draw_scatter(analysis, sample),
        draw_precision(analysis),
        draw_regret(analysis),
        draw_regret_seconds(analysis, sample),
        draw_between(analysis),
        draw_seeds(analysis, sample),
    )
    return [one for one in drawn if one is not None]


def write_figures(folder: Path, figures: Sequence[Drawn]) -> list[Path]:
    """Write figures into a folder, each as SVG and as PNG, and give the files.

    Raises:
        EvoError: If a file can not be written.
    """
    from evo_core.drawing import save

    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for one in figures:
        files += [folder / f"{one.name}.{suffix}" for suffix in ("svg", "png")]
        try:
            write_whole(files[-2], one.svg)
        except OSError as error:
            raise EvoError(f"can not write {files[-2]}: {error.strerror or error}") from None
        save(one.figure, files[-1])
    return files
