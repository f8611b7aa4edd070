"""What a comparison leaves behind: compare.json, compare.csv, figures and compare.html."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from evo_core.comparing.analysis import analyse
from evo_core.comparing.collect import Found
from evo_core.comparing.columns import sample_of
from evo_core.comparing.comparison import Question
from evo_core.comparing.reading import headline
from evo_core.comparing.sample import Sample
from evo_core.errors import EvoError
from evo_core.evaluation import plain
from evo_core.export import Table
from evo_core.folder import write_whole
from evo_core.versions import versions


def report(question: Question, found: Found, folder: Path, command: str = "") -> dict[str, Any]:
    """Analyse what was found, write all files, and give what ``compare.json`` holds.

    Raises:
        EvoError: If a file can not be written.
    """
    sample = sample_of(question, found)
    document = whole(sample, analyse(sample), facts(question, found, command))
    write(folder, document, rows(question, sample, found), sample)
    return document


def facts(question: Question, found: Found, command: str) -> dict[str, Any]:
    """Say how it was measured, as JSON types."""
    plan = question.plan
    config = plan.config
    return {
        "command": command,
        "space": config.space,
        "data": config.data,
        "data_partial": plan.splits.partial,
        "samples": len(question.genomes),
        "seeds": list(question.seeds.numbers),
        "repeated": question.seeds.repeated,
        "reference": question.reference,
        "table": str(question.table.path) if question.table else None,
        "stratified_by": question.stratify,
        "evaluations": found.statuses,
        "batch": config.scoring.batch,
        "precision": config.precision,
        "device": config.device,
        "versions": versions(plan.registry),
    }


def rows(question: Question, sample: Sample, found: Found) -> Table:
    """Give a row for each network under each seed, with all that was found of it.

    The column of the reference can be read again: ``--against table:compare.csv:NAME``.
    """
    names = list(sample.goals)
    seeds = question.seeds.numbers
    table = []
    for place, seed, one in found.rows:
        column = seeds.index(seed)
        cells = [_cell(sample, name, place, column) for name in names]
        labels = [of[place] for of in sample.strata.values()]
        table.append((sample.networks[place], seed, one.status, one.seconds, *labels, *cells))
    heads = [f"stratum {name}" for name in sample.strata]
    return Table(("network", "seed", "status", "seconds", *heads, *names), table)


def whole(sample: Sample, analysis: dict[str, Any], about: dict[str, Any]) -> dict[str, Any]:
    """Put everything into one JSON document: what was asked, found and concluded."""
    measured = [
        {
            "network": network,
            "strata": {name: labels[place] for name, labels in sample.strata.items()},
            "scores": {name: plain(values[place]) for name, values in sample.values.items()},
        }
        for place, network in enumerate(sample.networks)
    ]
    return {"facts": about, "headline": headline(analysis), **analysis, "measured": measured}


def write(folder: Path, document: dict[str, Any], table: Table, sample: Sample) -> None:
    """Write all files of a comparison, each whole or not at all.

    Raises:
        EvoError: If one can not be written.
    """
    from evo_core.comparing.figures import draw_figures, write_figures
    from evo_core.comparing.html import compare_html

    try:
        text = json.dumps(document, indent=2, allow_nan=False)
        write_whole(folder / "compare.json", text + "\n")
        write_whole(folder / "compare.csv", table.to_csv())
        figures = draw_figures(document, sample)
        write_figures(folder / "figures", figures)
        write_whole(folder / "compare.html", compare_html(document, figures, document["facts"]))
    except OSError as error:
        raise EvoError(f"{folder} can not be written: {error.strerror}") from None


def _cell(sample: Sample, name: str, place: int, column: int) -> float | None:
    values = sample.values[name]
    value = values[place, column] if column < values.shape[1] else None
    found: float | None = plain(value)
    return found
