"""What an evaluation leaves behind: evaluation.json, evaluation.csv and figures."""

from __future__ import annotations

import json
from pathlib import Path

from evo_core.comparing.figures import write_figures
from evo_core.evaluating.drawing import draw_evaluation
from evo_core.evaluating.results import EvaluateResult
from evo_core.folder import write_whole


def write(folder: Path, result: EvaluateResult) -> None:
    """Write all files of an evaluation into a folder that is there; equal results, equal bytes.

    Raises:
        EvoError: If a figure can not be written.
        OSError: If another file can not be written.
    """
    text = json.dumps(result.to_json(), indent=2, allow_nan=False)
    write_whole(folder / "evaluation.json", text + "\n")
    write_whole(folder / "evaluation.csv", result.table().to_csv())
    write_figures(folder / "figures", draw_evaluation(result))
