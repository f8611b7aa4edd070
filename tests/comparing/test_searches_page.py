"""The page and the figures of a comparison of searches: all of it from the report, and closed."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from evo_core.comparing.figures import write_figures
from evo_core.comparing.page import MINUS, number
from evo_core.comparing.searches.figures import draw_searches
from evo_core.comparing.searches.final import By, Final
from evo_core.comparing.searches.html import lead, searches_html
from evo_core.comparing.searches.read import Group, Search
from evo_core.comparing.searches.report import report_of
from evo_core.comparing.searches.settings import settings_of
from evo_core.config import RunConfig
from evo_core.evaluation import Objective, Score
from evo_core.results import Counts, RunResult, Solution, Spread

NUMBER = re.compile(MINUS + r"?\d[\d,]*(?:\.\d+)?(?:e[-+]?\d+)?")


def searched(seed, curve, **settings):
    config = RunConfig(seed=seed, **settings)
    objective = Objective("rdm", "max")
    best = Solution(7, (0, 1), "hash", {"rdm": Score(curve[-1])})
    counts = Counts(evaluated=len(curve))
    folder = Path(f"runs/seed-{seed}")
    return Search(
        folder=folder,
        config=config,
        settings=settings_of(config),
        lock={"evo": {"version": "1"}},
        partial="",
        result=RunResult(folder, "done", "generations", 2, counts, (objective,), best, seconds=2.5),
        curve=tuple(curve),
    )


def group(name, seeds, **settings):
    return Group(name, tuple(searched(seed, [None, 0.25, 0.375], **settings) for seed in seeds))


def report(values, **settings):
    """Make the report of groups with these values by seed; settings by group."""
    groups = [
        group(name, range(len(ones)), **settings.get(name, {})) for name, ones in values.items()
    ]
    found = {
        name: [Final(Spread((one,)), "now", "silent" if one is None else None) for one in ones]
        for name, ones in values.items()
    }
    return report_of(groups, By("accuracy", "max", 1, {}), found)


def drawn(found, folder):
    figures = draw_searches(found)
    write_figures(folder, figures)
    return searches_html(found, figures), [one.name for one in figures]


@pytest.fixture
def eight():
    """Give a report of two searches that differ clearly, and their control."""
    draw = np.random.default_rng(0).normal(0, 0.01, (3, 8))
    values = {"good": 0.9 + draw[0], "poor": 0.7 + draw[1], "chance": 0.5 + draw[2]}
    settings = {"poor": {"population": 8}, "chance": {"strategy": "random"}}
    return report({name: ones.tolist() for name, ones in values.items()}, **settings)


class Reader(HTMLParser):
    """Collects tags with attributes, and the texts of table cells."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.cells, self._inside = [], [], False
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self._inside = tag == "td" or (self._inside and tag == "small")

    def handle_endtag(self, tag):
        self._inside = self._inside and tag not in ("td", "tr")

    def handle_data(self, data):
        if self._inside:
            self.cells.append(data)


def numbers_in(value):
    if isinstance(value, dict):
        return [one for inner in value.values() for one in numbers_in(inner)]
    if isinstance(value, list):
        return [one for inner in value for one in numbers_in(inner)]
    return [value] if isinstance(value, int | float) and not isinstance(value, bool) else []


def test_the_page_loads_nothing_and_tells_what_figures_show(eight, tmp_path):
    page, figures = drawn(eight, tmp_path)
    tags = Reader(page).tags
    assert figures == ["final", "differences", "curves"]
    assert not {tag for tag, _ in tags} & {"script", "link", "iframe", "img", "object"}
    links = [value for _, attrs in tags for key, value in attrs.items() if key in ("src", "href")]
    assert all(link.startswith("#") for link in links)
    pictures = [attrs for tag, attrs in tags if tag == "svg"]
    assert len(pictures) == 3
    assert all(one["role"] == "img" and one["aria-label"] for one in pictures)


def test_every_number_of_the_tables_stands_in_the_json(eight, tmp_path):
    page, _ = drawn(eight, tmp_path)
    known = numbers_in(json.loads(json.dumps(eight, allow_nan=False)))
    shown = {number(one, digits) for one in known for digits in (1, 3)}
    cells = " ".join(Reader(page).cells)
    found = NUMBER.findall(cells)
    assert len(found) > 50
    assert set(found) <= shown


def test_a_clear_difference_leads_the_page(eight):
    pair = eight["pairs"][0]
    assert (pair["better"], pair["p"]) == ("good", 2 / 2**8)
    assert pair["p_holm"] == 3 * pair["p"]
    text = lead(eight)
    assert "good is better than poor by 0.2" in text
    assert "poor is better than chance" in text
    assert "(p = 0.023)" in text


def test_many_differences_are_counted():
    draw = np.random.default_rng(0).normal(0, 0.01, (4, 9))
    values = {name: (0.2 * place + draw[place]).tolist() for place, name in enumerate("abcd")}
    text = lead(report(values))
    assert text.startswith("6 of 6 pairs differ at p < 0.05. The best mean is that of d")
    assert text.endswith("better than a, b, c.")


def test_too_few_seeds_lead_the_page_too():
    text = lead(report({"one": [0.9, 0.8], "two": [0.1, 0.2]}))
    assert text.startswith("These are too few seeds")
    assert "one, 0.850" in text


def test_searches_alike_show_nothing():
    values = [0.5, 0.6, 0.7, 0.65, 0.55, 0.52, 0.61, 0.58]
    text = lead(report({"one": values, "two": values[::-1]}))
    assert text.startswith("No difference is shown at p < 0.05")


def test_budgets_that_differ_are_said_so():
    groups = [group("short", [0]), Group("long", (searched(0, [0.1] * 9),))]
    found = {name: [Final(Spread((0.5,)), "now")] for name in ("short", "long")}
    notes = report_of(groups, By("accuracy", "max", 1, {}), found)["notes"]
    assert any("The budgets differ: long evaluated 9 networks" in note for note in notes)


def test_other_code_is_a_difference():
    from dataclasses import replace

    changed = replace(searched(1, [0.5]), lock={"evo": {"version": "2"}})
    groups = [group("old", [0]), Group("new", (changed,))]
    found = {name: [Final(Spread((0.5,)), "now")] for name in ("old", "new")}
    made = report_of(groups, By("accuracy", "max", 1, {}), found)
    assert made["differs"] == {"code": {"old": None, "new": "evo 1 -> 2"}}


@pytest.mark.parametrize(
    "values",
    [
        {"one": [None], "two": [0.5]},
        {"one": [None, None], "two": [None, None]},
        {"one": [0.5], "two": [0.25]},
        {"one": [0.5, None, 0.25], "two": [0.5, 0.5, 0.5]},
        {f"a-search-with-quite-a-long-name-{letter}": [0.5, 0.75] for letter in "abcdefghijkl"},
        {"<b>&\"'": [0.5, 0.75], "$x_1^2$ [a]": [0.25, 0.5]},
    ],
)
def test_odd_reports_are_drawn_and_written(values, tmp_path):
    found = report(values)
    json.dumps(found, allow_nan=False)
    page, figures = drawn(found, tmp_path)
    assert "<b>" not in page
    for name in figures:
        ElementTree.parse(tmp_path / f"{name}.svg")
        assert (tmp_path / f"{name}.png").read_bytes().startswith(b"\x89PNG")
    assert all(f"{name}, seed" in page or None not in ones for name, ones in values.items())


def test_what_has_no_value_is_left_out_and_told():
    found = report({"one": [0.5, None, 0.25], "two": [0.5, 0.5, 0.5]})
    assert found["groups"]["one"]["n"] == 2
    assert found["pairs"][0]["seeds"] == [0, 2]
    assert "one, seed 1: no value, silent." in found["notes"]


def test_figures_repeat_byte_for_byte(eight):
    one, two = ([each.svg for each in draw_searches(eight)] for _ in range(2))
    assert one == two
