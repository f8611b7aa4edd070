"""What a reader has to know before the numbers of a comparison of searches are believed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

ALPHA = 0.05


def notes_of(report: Mapping[str, Any]) -> list[str]:
    """Say in plain sentences what a reader has to know before the numbers are believed."""
    return [
        *_differences(report),
        *_chosen_for(report),
        *_missing(report["groups"]),
        *_budgets(report["groups"]),
        *_power(report["pairs"]),
        *_controls(report),
    ]


def _differences(report: Mapping[str, Any]) -> list[str]:
    """Say what differs, and where a difference in value has more than one possible cause."""
    differs, pairs = report["differs"], report["pairs"]
    told = [f"The searches differ in: {', '.join(differs)}."] if differs else []
    for pair in pairs:
        names = f"{pair['a']} and {pair['b']}"
        if not pair["differs"]:
            told.append(f"{names} differ in nothing but their seeds: any difference is chance.")
        elif len(pair["differs"]) > 1:
            told.append(
                f"{names} differ in more than one thing ({', '.join(pair['differs'])}): what made "
                "a difference between them can not be told."
            )
    if "space" in differs:
        told.append("They search in different spaces, so a seed does not stand for one start.")
    return told


def _chosen_for(report: Mapping[str, Any]) -> list[str]:
    by, groups = report["by"]["name"], report["groups"]
    chose = [
        name for name, one in groups.items() if by in [each["name"] for each in one["objectives"]]
    ]
    if not chose or len(chose) == len(groups):
        return []
    return [
        f"Only {' and '.join(chose)} searched by {by} itself. Networks found so were chosen on the "
        "samples that they are measured on here, if under other weights; the others were not."
    ]


def _missing(groups: Mapping[str, Any]) -> list[str]:
    return [
        f"{name}, seed {run['seed']}: no value, {run['reason']}."
        for name, one in groups.items()
        for run in one["runs"]
        if run["value"] is None
    ]


def _budgets(groups: Mapping[str, Any]) -> list[str]:
    means = {name: one["evaluated"]["mean"] for name, one in groups.items()}
    least, most = min(means, key=means.__getitem__), max(means, key=means.__getitem__)
    if means[most] <= 1.1 * means[least]:
        return []
    return [
        f"The budgets differ: {most} evaluated {means[most]:,.6g} networks per seed, {least} "
        f"{means[least]:,.6g}."
    ]


def _power(pairs: Sequence[Mapping[str, Any]]) -> list[str]:
    """Name the pairs for which no outcome could have been significant."""
    told: dict[str, list[str]] = {}
    for pair in pairs:
        names = f"{pair['a']} and {pair['b']}"
        if pair["p"] is None:
            told.setdefault("There is nothing to test where one has no value", []).append(names)
        elif pair["smallest_p_holm"] >= ALPHA:
            limit = (
                f"With {_counts(pair)} no test can reach p < {ALPHA}; the smallest possible p is "
                f"{pair['smallest_p']:.3g}, and {pair['smallest_p_holm']:.3g} after Holm's "
                "correction"
            )
            told.setdefault(limit, []).append(names)
    return [f"{what}: {'; '.join(names)}." for what, names in told.items()]


def _counts(pair: Mapping[str, Any]) -> str:
    n, m = pair["n"]
    if pair["paired"]:
        return f"{n} common seed{'s' * (n > 1)}"
    return f"{n} and {m} seeds without a pair"


def _controls(report: Mapping[str, Any]) -> list[str]:
    if report["control"]:
        return [f"The control is random search: {', '.join(report['control'])}."]
    return [
        "There is no control. Random search with the same settings tells what the search itself "
        f"is worth: {'; '.join(report['control_commands'])}"
    ]
