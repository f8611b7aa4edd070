"""A page needs nothing but itself, and tells what it shows to those who can not see it."""

from __future__ import annotations

import re

import pytest

from evo_core.comparing.page import (
    MINUS,
    NOTHING,
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

SVG = """<?xml version="1.0"?>
<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd">
<svg width="144pt" height="72pt" viewBox="0 0 144 72" xmlns="http://www.w3.org/2000/svg"
     xmlns:xlink="http://www.w3.org/1999/xlink">
 <metadata><rdf:RDF xmlns:cc="http://creativecommons.org/ns#"></rdf:RDF></metadata>
 <defs><path id="dot" d="M 0 0"/><clipPath id="clip"><path d="M 0 0"/></clipPath></defs>
 <g clip-path="url(#clip)"><use xlink:href="#dot" style="fill: #222b36; stroke: #ffffff"/></g>
 <text style="font-size: 9px; font-family: 'DejaVu Sans', sans-serif">a &lt; b</text>
</svg>"""


def shown(*blocks, title="t", lead="l"):
    return to_html(Page(title, lead, blocks))


def test_nothing_is_loaded(outside, tags):
    text = shown(Figure(SVG, "dots"), Figure(SVG, "dots again"))
    assert outside(text) == []
    assert set(re.findall(r'https?://[^"\s]*', text)) == {
        "http://www.w3.org/2000/svg",
        "http://www.w3.org/1999/xlink",
    }
    assert not [tag for tag, _ in tags(text) if tag in {"script", "link", "iframe", "base"}]


def test_every_figure_has_a_name_and_ids_of_its_own(tags):
    found = tags(shown(Figure(SVG, 'the "first" & <best>'), Figure(SVG, "two")))
    figures = [attrs for tag, attrs in found if tag == "svg"]
    assert [one["aria-label"] for one in figures] == ['the "first" & <best>', "two"]
    assert {one["role"] for one in figures} == {"img"}
    ids = [attrs["id"] for _, attrs in found if "id" in attrs]
    assert len(ids) == len(set(ids)) == 4
    used = [attrs["xlink:href"] for tag, attrs in found if tag == "use"]
    assert used == ["#f1-dot", "#f2-dot"]
    assert [a["clip-path"] for t, a in found if t == "g"] == ["url(#f1-clip)", "url(#f2-clip)"]


def test_a_figure_takes_the_looks_of_the_page_and_keeps_its_texts():
    text = shown(Figure(SVG, "dots", "A <caption>."))
    assert "fill: var(--ink); stroke: var(--paper)" in text
    assert "DejaVu Sans', sans-serif\">a" not in text
    assert "a &lt; b" in text
    assert "<figcaption>A &lt;caption&gt;.</figcaption>" in text
    assert "max-width: 192px" in text  # 144 points


@pytest.mark.parametrize("alt", ["", "  "])
def test_a_figure_without_alt_text_is_refused(alt):
    with pytest.raises(ValueError, match="do not see"):
        shown(Figure(SVG, alt))


def test_texts_are_escaped():
    evil = '<script>alert("1")</script>'
    text = shown(
        Heading(evil),
        Text(evil),
        Terms([(evil, evil)]),
        Table([evil], [[evil], [Noted(evil, evil)]], evil, {1: evil}),
        title=evil,
        lead=evil,
    )
    assert "<script" not in text
    assert text.count("&lt;script&gt;") == 13


def test_a_table_aligns_numbers_and_names_its_rows():
    rows = [["rdm", Noted(0.5, "[0.4, 0.6]"), "max"], ["zen", None, "min"], ["k", -3, "max"]]
    text = shown(Table(["score", "rho", "goal"], rows, "All of them", {2: "Baselines"}))
    assert '<td class="number">0.500<small>[0.4, 0.6]</small></td>' in text
    assert f'<td class="number">{NOTHING}</td>' in text
    assert f'<td class="number">{MINUS}3</td>' in text
    assert '<th scope="col" class="number">rho</th>' in text
    assert "<td>max</td>" in text
    assert '<th scope="row">rdm</th>' in text
    assert text.index("zen") < text.index("Baselines") < text.index('row">k<')


def test_a_row_that_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="'Them' has not 2 cells"):
        shown(Table(["a", "b"], [["c"]], "Them"))


def test_parts_are_listed_when_there_are_several(tags):
    several = shown(Heading("One"), Heading("Two"), Heading("Below", 3), Heading("Three"))
    found = tags(several)
    anchors = [attrs["href"][1:] for tag, attrs in found if tag == "a"]
    assert anchors == [attrs["id"] for tag, attrs in found if tag == "h2"]
    assert "<nav" not in shown(Heading("One"))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, NOTHING),
        (0.0, "0.000"),
        (0, "0"),
        (12345, "12,345"),
        (-0.12345, f"{MINUS}0.123"),
        (0.0004, "0.0004"),
        (1234567.0, "1.23e+06"),
        (14368.75, "14,369"),
        (-2, f"{MINUS}2"),
    ],
)
def test_numbers_are_short(value, text):
    assert number(value) == text


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [(0.126, 2, "0.13"), (-0.001, 2, "0.00"), (1e-5, 1, "0.0"), (-0.4, 0, "0")],
)
def test_a_number_can_have_other_decimals(value, digits, text):
    assert number(value, digits) == text
