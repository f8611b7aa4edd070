"""A comparison of searches as one HTML page: every number of it stands in ``compare.json``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from evo_core.comparing.figures_looks import Drawn
from evo_core.comparing.page import (
    Block,
    Cell,
    Figure,
    Heading,
    Noted,
    Page,
    Table,
    Terms,
    Text,
    number,
    to_html,
)

Report = Mapping[str, Any]
_TOLD = 3  # of more pairs that differ the lead only tells how many


def searches_html(report: Report, figures: Sequence[Drawn]) -> str:
    """Write the page.

    Args:
        report: What :func:`evo_core.comparing.searches.report.report_of` gives.
        figures: What :func:`evo_core.comparing.searches.figures.draw_searches` gives.
    """
    title = f"{len(report['groups'])} searches compared by {report['by']['name']}"
    return to_html(Page(title, lead(report), list(_blocks(report, figures))))


def lead(report: Report) -> str:
    """Say in a sentence or two what came out, from the numbers."""
    known = {name: one["mean"] for name, one in report["groups"].items() if one["n"]}
    if not known:
        return "No search has a value to compare."
    top = (max if report["by"]["goal"] == "max" else min)(known, key=known.__getitem__)
    best = f"The best mean is that of {top}, {number(_counted(known[top]))}"
    shown = [pair for pair in report["pairs"] if pair["better"]]
    if len(shown) > _TOLD:
        beaten = [_other(pair) for pair in shown if pair["better"] == top]
        than = f"; it is better than {', '.join(beaten)}" if beaten else ""
        share = f"{len(shown)} of {len(report['pairs'])} pairs differ"
        return f"{share} at {_level(report)}. {best}{than}."
    if shown:
        told = [
            f"{pair['better']} is better than {_other(pair)} by "
            f"{number(_counted(abs(pair['difference'])))}{_within(pair)} "
            f"(p = {number(pair['p_holm'])})"
            for pair in shown
        ]
        return f"{'; '.join(told)}."
    chances = [pair["smallest_p_holm"] for pair in report["pairs"] if pair["p"] is not None]
    if all(chance >= report["tests"]["alpha"] for chance in chances):
        why = f"These are too few seeds to show a difference at {_level(report)}"
    else:
        why = f"No difference is shown at {_level(report)}"
    return f"{why}. {best}; that may be chance."


def _level(report: Report) -> str:
    return f"p < {report['tests']['alpha']}"


def _other(pair: Report) -> str:
    """Name the search that the better one is better than."""
    return str(pair["b"] if pair["better"] == pair["a"] else pair["a"])


def _within(pair: Report) -> str:
    if pair["low"] is None:
        return ""
    ends = sorted((abs(pair["low"]), abs(pair["high"])))
    if pair["low"] < 0 < pair["high"]:
        return ""
    return f" [{number(ends[0])}, {number(ends[1])}]"


def _blocks(report: Report, figures: Sequence[Drawn]) -> Iterator[Block]:
    yield Heading("What was found")
    yield _groups_table(report)
    yield from _figure("final", figures)
    yield Heading("Differences")
    yield _pairs_table(report)
    yield from _figure("differences", figures)
    yield Heading("Before you believe it")
    yield from (Text(note) for note in report["notes"])
    if report["differs"]:
        yield _differs_table(report)
    if any(one.name == "curves" for one in figures):
        yield Heading("The way there")
        yield from _figure("curves", figures)
    yield Heading("Every run")
    yield _runs_table(report)
    yield Heading("How it was measured")
    yield Terms(list(_terms(report)))


def _groups_table(report: Report) -> Table:
    rows: list[list[Cell]] = [
        [
            Noted(name, "control") if one["control"] else name,
            one["strategy"],
            ", ".join(each["name"] for each in one["objectives"]),
            len(one["seeds"]),
            _mean(one),
            number(one["sd"]),
            _counted(one["evaluated"]["mean"]),
            number(one["seconds"]["mean"], 1),
        ]
        for name, one in report["groups"].items()
    ]
    columns = [
        "search", "strategy", "searched for", "seeds", f"{report['by']['name']} [95 %]",
        "sd over seeds", "evaluated per seed", "seconds per seed",
    ]  # fmt: skip
    return Table(columns, rows, f"What the best network of each seed is worth: {_goal(report)}.")


def _pairs_table(report: Report) -> Table:
    rows: list[list[Cell]] = [
        [
            f"{pair['a']} \N{MINUS SIGN} {pair['b']}",
            f"{pair['n'][0]} pairs" if pair["paired"] else f"{pair['n'][0]} and {pair['n'][1]}",
            _mean(pair | {"mean": pair["difference"]}),
            pair["p"],
            pair["p_holm"],
            number(pair["smallest_p"]),
            pair.get("mann_whitney_p"),
            pair["better"] or "not shown",
        ]
        for pair in report["pairs"]
    ]
    columns = [
        "pair", "seeds", "difference [95 %]", "p", "p, Holm", "smallest p possible",
        "Mann-Whitney p", "better",
    ]  # fmt: skip
    return Table(columns, rows, report["tests"]["method"])


def _differs_table(report: Report) -> Table:
    names = list(report["groups"])
    rows: list[list[Cell]] = [
        [key, *(_setting(values[name]) for name in names)]
        for key, values in report["differs"].items()
    ]
    return Table(["setting", *names], rows, "What differs between the searches.")


def _runs_table(report: Report) -> Table:
    rows: list[list[Cell]] = [
        [
            name,
            str(run["seed"]),
            str(run["candidate"]) if run["candidate"] is not None else None,
            _counted(run["value"]),
            "; ".join(number(_counted(draw)) for draw in run["draws"]),
            "its run" if run["source"] == "run" else "evaluated now",
            run["objective"],
            _counted(run["best"]),
            run["evaluated"],
            number(run["seconds"], 1),
        ]
        for name, one in report["groups"].items()
        for run in one["runs"]
    ]
    columns = [
        "search", "seed", "best candidate", report["by"]["name"], "each draw", "known from",
        "searched for", "its best", "evaluated", "seconds",
    ]  # fmt: skip
    return Table(columns, rows)


def _terms(report: Report) -> Iterator[tuple[str, str]]:
    by, groups = report["by"], report["groups"]
    first = next(iter(groups.values()))
    draws = f"{by['draws']} draw{'s' * (by['draws'] > 1)}"
    partial = f", partial: {first['data_partial']}" if first["data_partial"] else ""
    yield (
        "Value",
        (
            f"{by['name']} of the best network by the search's own first fitness: the mean under "
            f"{draws} of the initial weights that its search has not seen; a fitness that "
            "reads the graph alone has one value"
        ),
    )
    yield "Interval", f"{report['intervals']['method']}, level {report['intervals']['level']}"
    yield "Test", report["tests"]["method"]
    yield "Data", f"{first['data']}{partial}"
    yield "Spaces", ", ".join(dict.fromkeys(one["space"] for one in groups.values()))


def _figure(name: str, figures: Sequence[Drawn]) -> Iterator[Figure]:
    for one in figures:
        if one.name == name:
            yield Figure(one.svg, one.alt, one.caption)


def _mean(one: Report) -> Cell:
    if one["low"] is None:
        return number(one["mean"])
    return Noted(one["mean"], f"[{number(one['low'])}, {number(one['high'])}]")


def _counted(value: float | None) -> float | None:
    """Write large whole numbers without decimals: counts, such as params."""
    whole = value is not None and abs(value) >= 100 and value == int(value)
    return int(value) if whole and value is not None else value


def _goal(report: Report) -> str:
    better = "higher" if report["by"]["goal"] == "max" else "lower"
    return f"{report['by']['name']}, {better} is better"


def _setting(value: Any) -> str:
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(map(str, value)) or "none"
    return "\N{EN DASH}" if value is None else str(value)
