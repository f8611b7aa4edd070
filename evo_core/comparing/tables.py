"""The tables of a comparison of scores: what an analysis says, one row for each score."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from evo_core.comparing.page import Cell, Noted, Table, number
from evo_core.comparing.reading import Analysis, Estimate, different, everything, ranked

Column = tuple[str, Callable[[dict[str, Any]], Cell]]
_LARGEST = 10  # the k of the measures of the top


def ranking(analysis: Analysis) -> Table:
    """Tell how well each score ranks the networks."""
    place, k = _place(analysis)
    columns: list[Column] = [
        ("Spearman", lambda one: estimate(one["raw"]["spearman"])),
        ("tau-b", lambda one: estimate(one["raw"]["kendall"])),
        ("weighted tau", lambda one: estimate(one["raw"]["weighted_tau"])),
        ("NDCG", lambda one: estimate(one["raw"]["ndcg"])),
        (f"precision@{k}", lambda one: estimate(one["top"]["precision"][place])),
        (f"regret@{k}", lambda one: estimate(one["top"]["regret"][place], None)),
        ("best rank", lambda one: estimate(one["top"]["best_rank"][place], 1)),
        ("direction", lambda one: _direction(one["direction"])),
        ("undefined", lambda one: one["undefined"]),
    ]
    reference = analysis["reference"]["name"]
    return _by_score(analysis, columns, f"How well each score ranks the networks by {reference}.")


def controlled(analysis: Analysis) -> Table:
    """Tell what is left of each score with size and strata held still, and how far it repeats."""
    columns: list[Column] = [
        ("Spearman", lambda one: estimate(one["raw"]["spearman"])),
        ("given params", lambda one: estimate(one["given"]["params"])),
        ("given MACs", lambda one: estimate(one["given"]["macs"])),
    ]
    columns += [(f"within {by}", _within(by)) for by in _stratified(analysis)]
    columns += [
        ("top 20 %", lambda one: estimate(one["top20"]["spearman"])),
        ("reliability", lambda one: estimate(one["reliability"]["icc"])),
        ("ceiling", lambda one: number(one["ceiling"], 2)),
        ("seconds", lambda one: _seconds(one["seconds"])),
    ]
    return _by_score(analysis, columns, "What is left of each score, and how far it can go.")


def degenerates(analysis: Analysis) -> Table:
    """Tell what had no value, and the correlations with and without networks at chance level."""
    columns: list[Column] = [
        ("networks", lambda one: one["n"]),
        ("undefined", lambda one: one["undefined"]),
        ("distinct values", lambda one: one["distinct"]),
        ("Spearman", lambda one: estimate(one["raw"]["spearman"])),
        ("tau-b", lambda one: estimate(one["raw"]["kendall"])),
    ]
    if analysis["reference"]["chance_networks"]:
        columns += [
            ("Spearman without chance", lambda one: estimate(one["without_chance"]["spearman"])),
            ("tau-b without chance", lambda one: estimate(one["without_chance"]["kendall"])),
        ]
    return _by_score(analysis, columns, "Values that are missing or equal.")


def strata(analysis: Analysis, by: str) -> Table:
    """Tell how well each score ranks the networks within each stratum."""
    labels = [label for label in _strata_of(analysis, by) if label != "within"]
    columns: list[Column] = [(f"{by} = {label}", _stratum(by, label)) for label in labels]
    columns.append(("all strata", _within(by)))
    caption = f"Spearman within networks of equal {by}, its interval, and their number."
    return _by_score(analysis, columns, caption)


def pairs(analysis: Analysis) -> Table:
    """Give the pairs of scores that differ: first those with a baseline, then score and score."""
    scores, order = analysis["scores"], everything(analysis)
    rows: dict[bool, list[tuple[int, float, Sequence[Cell]]]] = {True: [], False: []}
    for pair in filter(different, analysis["pairs"]):
        sign = 1 if pair["better"] == "a" else -1
        better, worse = (pair["a"], pair["b"])[::sign]
        low, high = sorted(sign * pair[end] for end in ("low", "high"))
        interval = f"[{number(low, 2)}, {number(high, 2)}]"
        difference, p, holm = sign * pair["difference"], number(pair["p"]), number(pair["p_holm"])
        row = (better, worse, number(difference, 2), interval, p, holm)
        kind = scores[better]["baseline"] or scores[worse]["baseline"]
        rows[kind].append((order.index(better), -difference, row))
    sections = {0: "Score and baseline"} if rows[True] else {}
    sections |= {len(rows[True]): "Score and score"} if rows[False] else {}
    columns = ["ranks better", "than", "difference", "interval", "p", "adjusted p"]
    listed = [row for kind in (True, False) for *_, row in sorted(rows[kind], key=lambda r: r[:2])]
    return Table(columns, listed, "Pairs that differ, by |Spearman|.", sections)


def reasons(analysis: Analysis) -> list[tuple[str, str]]:
    """Say of each score why it has no correlation, raw or given its size."""
    found = []
    for name in everything(analysis):
        one = analysis["scores"][name]
        if one["raw"]["spearman"]["value"] is None:
            found.append((name, one["raw"]["spearman"].get("reason", "undefined")))
            continue
        for control, given in one["given"].items():
            if given["value"] is None:
                found.append((f"{name}, given {control}", given.get("reason", "undefined")))
    return found


def estimate(found: Estimate, digits: int | None = 2) -> Cell:
    """Make a cell of an estimate: its value, and below it the interval."""
    if found["value"] is None:
        return None
    value = number(float(found["value"]), digits)
    if found["low"] is None:
        return value
    low, high = (number(float(found[end]), digits) for end in ("low", "high"))
    return Noted(value, f"[{low}, {high}]")


def _by_score(analysis: Analysis, columns: Sequence[Column], caption: str) -> Table:
    names = everything(analysis)
    first = len(ranked(analysis, baselines=False))
    rows = [[name, *(cell(analysis["scores"][name]) for _, cell in columns)] for name in names]
    sections = {first: "Baselines"} if first < len(names) else {}
    return Table(["score", *(head for head, _ in columns)], rows, caption, sections)


def _place(analysis: Analysis) -> tuple[int, int]:
    """Give the place among the ks of the one that is shown, and it.

    The largest up to 10 and a quarter of the networks: the best k of k networks are no finding.
    """
    ks = next(iter(analysis["scores"].values()))["top"]["k"]
    most = min(_LARGEST, analysis["networks"] // 4)
    shown = max((k for k in ks if k <= most), default=min(ks))
    return ks.index(shown), shown


def _stratified(analysis: Analysis) -> list[str]:
    return list(next(iter(analysis["scores"].values()))["strata"])


def _strata_of(analysis: Analysis, by: str) -> list[str]:
    return list(next(iter(analysis["scores"].values()))["strata"][by])


def _within(by: str) -> Callable[[dict[str, Any]], Cell]:
    return lambda one: estimate(one["strata"][by]["within"])


def _stratum(by: str, label: str) -> Callable[[dict[str, Any]], Cell]:
    def cell(one: dict[str, Any]) -> Cell:
        found = one["strata"][by][label]
        shown = estimate(found["spearman"])
        interval = f"{shown.note} " if isinstance(shown, Noted) else ""
        value = shown.value if isinstance(shown, Noted) else shown
        return Noted(value, f"{interval}n={found['n']}")

    return cell


def _direction(found: dict[str, Any]) -> Cell:
    measured = {None: "not told", True: "as measured"}
    told = measured.get(found["agrees"], f"measured {found['measured']}")
    return Noted(found["declared"], told)


def _seconds(found: dict[str, Any]) -> Cell:
    if found["median"] is None:
        return None
    low, high = number(found["low"]), number(found["high"])
    return Noted(number(found["median"]), f"[{low}, {high}]")
