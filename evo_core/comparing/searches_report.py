"""What a comparison of searches says, as JSON types: the one source of its table, figures and page.

All numbers of the page stand in this dictionary, and none of them is NaN: None where there is none.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from evo_core.comparing.searches_curves import curve_of
from evo_core.comparing.searches_final import By, Final
from evo_core.comparing.searches_read import Group, Search, differing
from evo_core.comparing.searches_stats import pairs_of, spread_of
from evo_core.results import Spread

ALPHA = 0.05
_INTERVALS = "mean over seeds, Student's t"
_TEST = (
    "two-sided; paired: exact sign flips of the differences (20,000 draws above 16 pairs); "
    "unpaired: exchanges of the groups; p_holm is corrected over all pairs"
)


def report_of(groups: Sequence[Group], by: By, found: Mapping[str, Sequence[Final]]) -> dict[str, Any]:
    """Put a comparison together.

    Args:
        groups: The searches.
        by: What is compared.
        found: What each search of a group is worth, in their order.
    """
    values = {
        group.name: {
            search.config.seed: one.value
            for search, one in zip(group.searches, found[group.name], strict=True)
        }
        for group in groups
    }
    differs = differing(groups)
    pairs = _corrected(pairs_of(values, by.goal))
    report = {
        "by": {"name": by.name, "goal": by.goal, "draws": by.draws},
        "differs": differs,
        "control": [group.name for group in groups if group.is_control],
        "control_commands": _control_commands(groups),
        "intervals": {"level": 0.95, "method": _INTERVALS},
        "tests": {"method": _TEST, "alpha": ALPHA},
        "groups": {group.name: _group(group, found[group.name]) for group in groups},
        "pairs": pairs,
        "curves": _curves(groups),
    }
    return report | {"notes": notes_of(report)}


def notes_of(report: Mapping[str, Any]) -> list[str]:
    """Say in plain sentences what a reader has to know before the numbers are believed."""
    return [
        *_differences(report["differs"]),
        *_chosen_for(report),
        *_missing(report["groups"]),
        *_budgets(report["groups"]),
        *_power(report["pairs"]),
        *_controls(report),
    ]


def _group(group: Group, found: Sequence[Final]) -> dict[str, Any]:
    first, searches = group.first, group.searches
    runs = [_run(search, one) for search, one in zip(searches, found, strict=True)]
    return {
        "control": group.is_control,
        "space": first.config.space,
        "strategy": first.config.strategy,
        "objectives": [{"name": o.name, "goal": o.goal} for o in first.result.objectives],
        "data": first.config.data,
        "data_partial": first.partial,
        "seeds": [search.config.seed for search in searches],
        **spread_of([one.value for one in found]),
        "values": [one.value for one in found],
        "evaluated": Spread(tuple(run["evaluated"] for run in runs)).to_json(),
        "seconds": Spread(tuple(run["seconds"] for run in runs)).to_json(),
        "runs": runs,
    }


def _run(search: Search, one: Final) -> dict[str, Any]:
    result, best = search.result, search.result.best
    objective = result.objectives[0].name
    return {
        "run": str(search.folder),
        "seed": search.config.seed,
        "candidate": best.candidate if best else None,
        "genome": list(best.genome) if best else None,
        "objective": objective,
        "best": best.scores[objective].value if best else None,
        "value": one.value,
        "draws": list(one.draws.values),
        "source": one.source,
        "reason": one.reason,
        "evaluated": result.counts.evaluated,
        "seconds": round(result.seconds, 3),
    }


def _corrected(pairs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Correct p over all pairs, and name the better group where it is below 0.05."""
    tested = [number for number, pair in enumerate(pairs) if pair["p"] is not None]
    adjusted = dict(zip(tested, holm([pairs[number]["p"] for number in tested]), strict=True))
    for number, pair in enumerate(pairs):
        pair["p_holm"] = adjusted.get(number)
        shown = pair["p_holm"] is not None and pair["p_holm"] < ALPHA
        pair["better"] = pair["ahead"] if shown else None
    return pairs


def _curves(groups: Sequence[Group]) -> dict[str, Any] | None:
    """Sum up the curves of each group; None if they have searched for different things."""
    objectives = {group.first.result.objectives[0] for group in groups}
    if len(objectives) > 1:
        return None
    (objective,) = objectives
    curves = {group.name: curve_of([one.curve for one in group.searches]) for group in groups}
    return {"objective": objective.name, "goal": objective.goal, "groups": curves}


def _control_commands(groups: Sequence[Group]) -> list[str]:
    """Give the commands of the random searches that are missing, one for each other setting."""

    def rest(group: Group) -> dict[str, Any]:
        own = ("strategy", f"{group.first.strategy}.")
        return {key: v for key, v in group.first.settings.items() if not key.startswith(own)}

    there = [rest(group) for group in groups if group.is_control]
    commands = []
    for group in groups:
        if rest(group) in there:
            continue
        there.append(rest(group))
        seeds = ",".join(str(one.config.seed) for one in group.searches)
        words = ["evo", "run", str(group.first.folder / "config.toml"), "--strategy", "random"]
        commands.append(shlex.join([*words, "--seeds", seeds, "--out", f"{group.name}-random"]))
    return commands


def _differences(differs: Mapping[str, Mapping[str, Any]]) -> list[str]:
    if not differs:
        return ["The searches differ in nothing but their seeds: any difference is chance."]
    told = [f"The searches differ in: {', '.join(differs)}."]
    if len(differs) > 1:
        told.append(
            f"More than one thing differs ({len(differs)}): the comparison can not tell which of "
            "them made the difference."
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
        f"Only {', '.join(chose)} searched by {by} itself. Its networks were chosen on the samples "
        "that they are measured on here, under other weights; the others were not."
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
    weak = [pair for pair in pairs if pair["p"] is None or pair["smallest_p"] >= ALPHA]
    return [
        f"{pair['a']} and {pair['b']}: with {_counts(pair)} no test can reach p < {ALPHA}; the "
        f"smallest possible p is {pair['smallest_p']:.3g}."
        for pair in weak
    ]


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
