"""What a comparison of searches says, as JSON types: the one source of its table, figures and page.

All numbers of the page stand in this dictionary, and none of them is NaN: None where there is none.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from evo_core.comparing.pairs import holm
from evo_core.comparing.searches.curves import curve_of
from evo_core.comparing.searches.final import By, Final
from evo_core.comparing.searches.notes import ALPHA, notes_of
from evo_core.comparing.searches.read import Group, Search
from evo_core.comparing.searches.settings import CODE, changes, differing
from evo_core.comparing.searches.stats import pairs_of, spread_of
from evo_core.results import Spread

_INTERVALS = "mean over seeds, Student's t"
_TEST = (
    "two-sided; paired: exact sign flips of the differences (20,000 draws above 16 pairs); "
    "unpaired: exchanges of the groups; p_holm is corrected over all pairs"
)


def report_of(
    groups: Sequence[Group], by: By, found: Mapping[str, Sequence[Final]]
) -> dict[str, Any]:
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
    pairs = _corrected(pairs_of(values, by.goal), {group.name: group.first for group in groups})
    report = {
        "by": {"name": by.name, "goal": by.goal, "draws": by.draws},
        "differs": _differs(groups, pairs),
        "control": [group.name for group in groups if group.is_control],
        "control_commands": _control_commands(groups),
        "intervals": {"level": 0.95, "method": _INTERVALS},
        "tests": {"method": _TEST, "alpha": ALPHA},
        "groups": {group.name: _group(group, found[group.name]) for group in groups},
        "pairs": pairs,
        "curves": _curves(groups),
    }
    return report | {"notes": notes_of(report)}


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


def _corrected(pairs: list[dict[str, Any]], searches: Mapping[str, Search]) -> list[dict[str, Any]]:
    """Correct p over all pairs, name the better group where it is below 0.05, and what differs.

    ``smallest_p_holm`` is what is left if every pair shows the smallest p that it can: Holm's
    correction is monotone in each p, so no result can be below.
    """
    tested = [pair for pair in pairs if pair["p"] is not None]
    adjusted = holm([pair["p"] for pair in tested])
    smallest = holm([pair["smallest_p"] for pair in tested])
    for pair in pairs:
        pair |= {"p_holm": None, "smallest_p_holm": None}
    for pair, p, least in zip(tested, adjusted, smallest, strict=True):
        pair |= {"p_holm": p, "smallest_p_holm": least}
    for pair in pairs:
        shown = pair["p_holm"] is not None and pair["p_holm"] < ALPHA
        pair["better"] = pair["ahead"] if shown else None
        one, other = searches[pair["a"]], searches[pair["b"]]
        code = [CODE] if changes(one.lock, other.lock) else []
        pair["differs"] = [*differing(one.settings, other.settings), *code]
    return pairs


def _differs(
    groups: Sequence[Group], pairs: Sequence[Mapping[str, Any]]
) -> dict[str, dict[str, Any]]:
    """Give what differs between any two groups, with what each group has; code as it changed."""
    first = groups[0].first
    known = {
        group.name: dict(group.first.settings)
        | {CODE: "; ".join(changes(first.lock, group.first.lock)) or None}
        for group in groups
    }
    keys = sorted({key for pair in pairs for key in pair["differs"]})
    return {key: {name: one.get(key) for name, one in known.items()} for key in keys}


def _curves(groups: Sequence[Group]) -> list[dict[str, Any]]:
    """Sum up the curves of the groups by what they have searched for first."""
    objectives = dict.fromkeys(group.first.result.objectives[0] for group in groups)
    return [
        {
            "objective": objective.name,
            "goal": objective.goal,
            "groups": {
                group.name: curve_of([one.curve for one in group.searches])
                for group in groups
                if group.first.result.objectives[0] == objective
            },
        }
        for objective in objectives
    ]


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
