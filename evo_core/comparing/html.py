"""The page of a comparison of scores: the answer first, then tables and figures behind it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from evo_core.comparing import tables
from evo_core.comparing.figures_looks import Drawn, in_words
from evo_core.comparing.page import (
    NOTHING,
    Block,
    Figure,
    Heading,
    Page,
    Terms,
    Text,
    number,
    to_html,
)
from evo_core.comparing.reading import ALPHA, Analysis, headline, spearman

_COLUMNS = (
    ("Spearman, tau-b", "rank correlation with the reference; positive if the score points to "
     "better networks as it declares"),
    ("weighted tau", "Kendall's tau in which the networks at the top weigh most"),
    ("NDCG", "how early the good networks come in the order of the score; 1 is perfect"),
    ("precision@k", "share of the k networks the score puts first that are among the k best; "
     "by chance k / networks"),
    ("regret@k", "how much better the best of all networks is than the best of those k"),
    ("best rank", "the true rank of the best of those k"),
    ("direction", "whether more or less is declared to be better, and what the data say"),
    ("given params, MACs", "partial Spearman correlation with size held still"),
    ("within k", "mean Spearman correlation among networks of equal k, weighted by their number"),
    ("top 20 %", "Spearman correlation among the best fifth by the reference"),
    ("reliability", "intraclass ratio over seeds: the share of the variance that is the network's"),
    ("ceiling", "what noise would leave of a perfect correlation"),
    ("seconds", "median for one network, and the range of most"),
)  # fmt: skip


def compare_html(analysis: Analysis, figures: Sequence[Drawn], facts: Mapping[str, Any]) -> str:
    """Write the page of a comparison; every number in its tables and its answer is in ``analysis``.

    Args:
        analysis: What ``analyse`` says of a sample.
        figures: What ``draw_figures`` draws of both.
        facts: How it was measured, by name: texts, numbers, lists and mappings of them, or None.
    """
    reference = analysis["reference"]["name"]
    pictures = {one.name: Figure(one.svg, one.alt, one.caption) for one in figures}
    blocks: list[Block] = [
        Heading("Scores"),
        tables.ranking(analysis),
        Text(
            f"{_level(analysis)} intervals in brackets. {NOTHING} stands for what is not defined."
        ),
        *_pictures(pictures, "scatter"),
        Heading("What is left without size"),
        tables.controlled(analysis),
        *_pictures(pictures, "strength"),
        *_strata(analysis),
        Heading("The top"),
        *_pictures(pictures, "precision", "regret", "regret-seconds"),
        Heading("Differences"),
        *_pairs(analysis),
        *_pictures(pictures, "between"),
        Heading("Noise and missing values"),
        Text(_noise(analysis)),
        *_pictures(pictures, "seeds"),
        *_degenerates(analysis),
        Heading("How it was measured"),
        Terms([(name.replace("_", " "), said(value)) for name, value in facts.items()]),
        Heading("Statistics", 3),
        Terms(_statistics(analysis)),
        Heading("Columns", 3),
        Terms(_COLUMNS),
    ]
    return to_html(
        Page(f"Which score ranks networks as {reference} does?", answer(analysis), blocks)
    )


def answer(analysis: Analysis) -> str:
    """Say in a few sentences what came out: best score, best baseline, noise ceiling."""
    found = headline(analysis)
    reference = analysis["reference"]["name"]
    best = found["best"]
    if best is None:
        return (
            f"No score has a rank correlation with {reference} on {analysis['networks']} networks."
        )
    rho = spearman(analysis, best)
    parts = [
        f"Of {found['judged']} scores on {analysis['networks']} networks, {best} ranks most like "
        f"{reference}: Spearman {in_words(rho)}"
        + (", against the direction it declares." if rho["value"] < 0 else "."),
        _against_baseline(analysis, found),
        _ceiling(analysis["reference"]),
    ]
    if found["judged"] > 1:
        parts.append(
            "As the best of several on the same networks it looks somewhat better than it is."
        )
    return " ".join(part for part in parts if part)


def said(value: Any) -> str:
    """Write a fact: lists and mappings in one line."""
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {said(one)}" for key, one in value.items()) or NOTHING
    if isinstance(value, list | tuple):
        return ", ".join(map(said, value)) or NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    return number(value) if isinstance(value, float) or value is None else str(value) or NOTHING


def _against_baseline(analysis: Analysis, found: dict[str, Any]) -> str:
    baseline, paired = found["baseline"], found["paired"]
    if baseline is None:
        return "There is no baseline to hold it against."
    theirs = f"the best baseline, {baseline} ({in_words(spearman(analysis, baseline))})"
    if paired is None or paired["difference"] is None:
        return f"It could not be tested against {theirs}."
    sign = 1 if paired["a"] == found["best"] else -1
    if paired["better"] is None:
        verdict = f"It can not be told from {theirs},"
    elif sign * paired["difference"] > 0:
        verdict = f"It beats {theirs},"
    else:
        verdict = f"It is weaker than {theirs},"
    ends = sorted((sign * paired["low"], sign * paired["high"]))
    difference = {"value": sign * paired["difference"], "low": ends[0], "high": ends[1]}
    return (
        f"{verdict} on the same networks: difference {in_words(difference)}, p "
        f"{number(paired['p'])}, corrected for {found['pairs']['all']} pairs "
        f"{number(paired['p_holm'])}."
    )


def _ceiling(reference: dict[str, Any]) -> str:
    ceiling, span = reference["noise_ceiling"], reference["noise_ceiling_interval"]
    if ceiling is None:
        why = reference["reliability"]["icc"].get("reason", "the values do not differ")
        return f"The noise ceiling is not known: {why}."
    low, high = span or (None, None)
    words = in_words({"value": ceiling, "low": low, "high": high})
    return f"Noise in {reference['name']} leaves room up to {words}."


def _pictures(pictures: Mapping[str, Figure], *names: str) -> list[Block]:
    return [pictures[name] for name in names if name in pictures]


def _strata(analysis: Analysis) -> list[Block]:
    by = next(iter(analysis["scores"].values()))["strata"]
    found: list[Block] = []
    for name in by:
        found += [Heading(f"Within {name}", 3), tables.strata(analysis, name)]
    return found


def _pairs(analysis: Analysis) -> list[Block]:
    counts = headline(analysis)["pairs"]
    text = (
        f"{counts['different']} of {counts['all']} pairs of scores differ in the paired bootstrap "
        f"after Holm's correction (adjusted p below {ALPHA}); {counts['rest']} can not be told "
        "apart."
    )
    return [Text(text), *([tables.pairs(analysis)] if counts["different"] else [])]


def _noise(analysis: Analysis) -> str:
    reference = analysis["reference"]
    repeated = reference["reliability"]
    text = (
        f"{reference['name']}: {repeated['networks']} of {analysis['networks']} networks were "
        f"evaluated under two seeds or more"
    )
    if repeated["icc"]["value"] is None:
        return text + "."
    return f"{text}; intraclass ratio {in_words(repeated['icc'])}. {_ceiling(reference)}"


def _degenerates(analysis: Analysis) -> list[Block]:
    reference = analysis["reference"]
    blocks: list[Block] = [tables.degenerates(analysis)]
    if reference["chance_level"] is not None:
        text = (
            f"{reference['chance_networks']} of {analysis['networks']} networks do no better than "
            f"chance ({number(reference['chance_level'])})."
        )
        blocks.insert(0, Text(text))
    why = tables.reasons(analysis)
    return [*blocks, Heading("Not defined", 3), Terms(why)] if why else blocks


def _level(analysis: Analysis) -> str:
    return f"{100 * analysis['intervals']['level']:g} %"


def _statistics(analysis: Analysis) -> list[tuple[str, str]]:
    reference, intervals = analysis["reference"], analysis["intervals"]
    spread = ", ".join(
        f"{what} {number(reference[what])}" for what in ("mean", "sd", "min", "max", "distinct")
    )
    return [
        ("networks", number(analysis["networks"])),
        ("seeds", number(analysis["seeds"])),
        ("reference", f"{reference['name']} ({reference['goal']}): {spread} values"),
        ("intervals", f"{_level(analysis)}, {intervals['method']}"),
        ("resamples", number(intervals["resamples"])),
        ("ties", analysis["tie_rule"]),
    ]
