"""The page of a comparison says what the numbers say, to whoever reads it."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess

import pytest
from PIL import Image

from evo_core.comparing.analysis import analyse
from evo_core.comparing.figures import draw_figures
from evo_core.comparing.html import answer, compare_html, said
from evo_core.comparing.page import MINUS, NOTHING
from evo_core.comparing.reading import everything, headline, ranked
from evo_core.comparing.tables import ranking

BROWSER = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
FACTS = {"space": "mse", "samples": 24, "data": "digits", "partial": False, "seeds": [0, 1, 2]}
NUMBER = re.compile(rf"(?<![\w.])[{MINUS}-]?\d[\d,]*\.?\d*(?:e[-+]?\d+)?")
ODD = '<img src="http://evil/x.png">&"quoted"'


def analysed(sample):
    analysis = analyse(sample, resamples=40, ks=(1, 3, 5))
    return json.loads(json.dumps(analysis, allow_nan=False))


def page(sample, facts=FACTS):
    analysis = analysed(sample)
    return analysis, compare_html(analysis, draw_figures(analysis, sample), facts)


def tables(text):
    """Give the tables of a page by caption: each a list of rows, each a list of cells."""
    found = {}
    for table in re.findall(r"<table>(.*?)</table>", text, re.DOTALL):
        caption = re.search(r"<caption><span>(.*?)</span>", table)[1]
        rows = re.findall(r"<tr>(.*?)</tr>", table, re.DOTALL)
        cells = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL) for row in rows]
        found[caption] = [[html.unescape(cell) for cell in row] for row in cells]
    return found


def numbers(value):
    """Give all numbers of a JSON document."""
    if isinstance(value, dict):
        return [x for one in value.values() for x in numbers(one)]
    if isinstance(value, list):
        return [x for one in value for x in numbers(one)]
    return [value] if isinstance(value, int | float) and not isinstance(value, bool) else []


def value_of(text):
    return float(text.replace(MINUS, "-").replace(",", ""))


def step_of(text):
    """Give half the step of the last digit that is written."""
    mantissa, _, power = text.partition("e")
    return 0.5 * 10.0 ** (int(power or 0) - len(mantissa.partition(".")[2]))


@pytest.fixture(scope="module")
def made(made_up):
    sample = made_up(("rdm", "nwot[a=b]", "silent-share"))
    return page(sample)


def test_it_needs_nothing_else(made, outside, tags):
    _, text = made
    assert outside(text) == []
    figures = [attrs for tag, attrs in tags(text) if tag == "svg"]
    assert len(figures) == 7
    assert all(len(attrs["aria-label"]) > 40 and attrs["role"] == "img" for attrs in figures)
    ids = [attrs["id"] for _, attrs in tags(text) if "id" in attrs]
    assert len(ids) == len(set(ids))


def test_every_number_is_one_of_the_analysis(made):
    analysis, text = made
    known = numbers(analysis) + numbers(headline(analysis))
    shown = 0
    for caption, rows in tables(text).items():
        for row in rows[1:]:
            for cell in row[1:]:
                for token in NUMBER.findall(re.sub("<[^>]*>", " ", cell)):
                    near = step_of(token) * (1 + 1e-9)
                    # a pair is written with the better score first, which may turn its sign
                    signs = (1, -1) if caption.startswith("Pairs") else (1,)
                    assert any(
                        abs(sign * value_of(token) - one) <= near for one in known for sign in signs
                    ), (caption, row[0], token)
                    shown += 1
    assert shown > 300


def test_a_cell_holds_the_estimate_of_its_row_and_column(made):
    analysis, text = made
    heads, *rows = tables(text)["How well each score ranks the networks by accuracy."]
    assert [row[0] for row in rows] == everything(analysis)
    for row in rows:
        raw = analysis["scores"][row[0]]["raw"]
        for head, key in (("Spearman", "spearman"), ("tau-b", "kendall"), ("NDCG", "ndcg")):
            found = map(value_of, NUMBER.findall(row[heads.index(head)].replace("<", " ")))
            wanted = [raw[key][part] for part in ("value", "low", "high")]
            assert list(found) == pytest.approx(wanted, abs=0.0051)


def test_all_columns_are_there(made):
    _, text = made
    heads = {head for rows in tables(text).values() for head in rows[0]}
    assert heads >= {
        *("Spearman", "tau-b", "weighted tau", "NDCG", "precision@5", "regret@5", "best rank"),
        *("given params", "given MACs", "within k", "top 20 %", "reliability", "ceiling"),
        *("undefined", "direction", "seconds", "Spearman without chance", "k = 2"),
    }


def test_baselines_stand_apart(made):
    analysis, text = made
    first = text[text.index("<table>") : text.index("</table>")]
    section = first.index("Baselines")
    for name in ranked(analysis, baselines=False):
        assert first.index(f'<th scope="row">{name}<') < section
    for name in ranked(analysis, baselines=True):
        assert first.index(f'<th scope="row">{name}<') > section


def test_how_it_was_measured_is_told(made):
    _, text = made
    for name, value in FACTS.items():
        assert f"<dt>{name}</dt><dd>{said(value)}</dd>" in text
    assert "a monotone function of params" in text


def test_odd_names_are_escaped(made_up, outside):
    _, text = page(made_up((ODD, "nwot"), n=16), {ODD: ODD})
    assert outside(text) == []
    assert "<img" not in text
    assert text.count("&lt;img src=") > 10


@pytest.mark.parametrize(
    "options",
    [
        {"strata": False, "n": 12},
        {"seeds": 1, "n": 12},
        {"dead": ("zen",), "n": 12},
        {"names": ("rdm",), "n": 5},
    ],
    ids=str,
)
def test_whatever_is_missing_the_page_is_made(made_up, outside, options):
    analysis, text = page(made_up(**options))
    assert outside(text) == []
    assert "nan" not in re.sub(r"<svg.*?</svg>", "", text, flags=re.DOTALL).lower()
    if "dead" in options:
        rows = tables(text)["How well each score ranks the networks by accuracy."]
        (dead,) = [row for row in rows if row[0] == "zen"]
        assert dead[1] == NOTHING
        assert analysis["scores"]["zen"]["raw"]["spearman"]["reason"] in html.unescape(text)


def given(best, baseline, paired, **more):
    """Make the part of an analysis that the answer is made of."""
    estimate = {"low": 0.1, "high": 0.9, "n": 50}
    scores = {
        name: {
            "baseline": name == "params",
            "raw": {"spearman": {"value": value, **estimate}},
            "direction": {"agrees": None},
        }
        for name, value in (("rdm", best), ("params", baseline))
    }
    unknown = {"icc": {"value": None, "reason": "no network has values under two seeds"}}
    reference = {"name": "accuracy", "noise_ceiling": None, "noise_ceiling_interval": None}
    reference |= {"reliability": unknown} | more
    pair = {"a": "rdm", "b": "params", "low": -0.1, "high": 0.2, "p": 0.01, "p_holm": 0.02}
    return {"networks": 50, "scores": scores, "reference": reference, "pairs": [pair | paired]}


def test_the_top_that_is_shown_is_at_most_a_quarter_of_the_networks(made_up):
    for n, k in ((12, 3), (8, 1), (24, 5)):
        assert f"precision@{k}" in ranking(analysed(made_up(n=n))).columns


def test_the_answer_is_that_of_the_test():
    better = answer(given(0.7, 0.5, {"difference": 0.2, "better": "a"}))
    assert "rdm ranks most like accuracy: Spearman 0.70 [0.10, 0.90]." in better
    assert "It beats the best baseline, params (0.50 [0.10, 0.90])" in better
    assert "difference 0.20" in better
    worse = answer(given(0.3, 0.5, {"difference": -0.2, "better": "b"}))
    assert "It is weaker than the best baseline" in worse
    assert f"difference {MINUS}0.20" in worse
    equal = answer(given(0.5, 0.5, {"difference": 0.0, "better": None, "p_holm": 1.0}))
    assert "It can not be told from the best baseline" in equal


def test_the_answer_keeps_the_sign_and_tells_the_ceiling():
    text = answer(
        given(
            *(-0.7, 0.5, {"difference": 0.2, "better": "a"}),
            noise_ceiling=0.9, noise_ceiling_interval=[0.8, 0.95],
        )
    )  # fmt: skip
    assert f"Spearman {MINUS}0.70 [0.10, 0.90], against the direction it declares" in text
    assert "Noise in accuracy leaves room up to 0.90 [0.80, 0.95]." in text
    unknown = answer(given(0.7, 0.5, {"difference": 0.2, "better": "a"}))
    assert "The noise ceiling is not known: no network has values under two seeds." in unknown


def test_without_any_correlation_the_answer_says_so():
    text = answer(given(None, None, {"difference": None, "better": None, "p_holm": None}))
    assert text == "No score has a rank correlation with accuracy on 50 networks."


def test_the_headline_counts_pairs_and_finds_the_paired_test():
    paired = {"difference": 0.2, "better": "a"}
    found = headline(given(0.7, 0.5, paired))
    assert found["best"] == "rdm"
    assert found["baseline"] == "params"
    assert found["paired"]["difference"] == 0.2
    assert found["pairs"] == {"all": 1, "different": 1, "rest": 0}


def browse(path, *options):
    """Open a page in a headless browser and give what it prints."""
    flags = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run")
    quiet = ("--disable-background-networking", "--disable-component-update", "--disable-sync")
    profile = f"--user-data-dir={path.parent / 'profile'}"
    call = [BROWSER, *flags, *quiet, "--hide-scrollbars", profile, *options, path.as_uri()]
    return subprocess.run(call, check=True, capture_output=True, text=True, timeout=120).stdout


@pytest.mark.chromium
@pytest.mark.skipif(BROWSER is None, reason="no Chromium here")
def test_it_is_shown_at_1280_pixels(made, tmp_path):
    path, shot = tmp_path / "compare.html", tmp_path / "shot.png"
    path.write_text(made[1])
    browse(path, "--window-size=1280,1600", f"--screenshot={shot}")
    with Image.open(shot) as image:
        assert image.size == (1280, 1600)
        colours = image.convert("RGB").getcolors(10**6)
    share = max(count for count, _ in colours) / (1280 * 1600)
    assert len(colours) > 100
    assert 0.3 < share < 0.98  # paper, but not only paper


@pytest.mark.chromium
@pytest.mark.skipif(BROWSER is None, reason="no Chromium here")
@pytest.mark.parametrize("width", [500, 1280])
def test_the_page_is_never_wider_than_its_window(made, tmp_path, width):
    path = tmp_path / "compare.html"
    script = "<script>document.title = 'wide ' + document.documentElement.scrollWidth</script>"
    path.write_text(made[1].replace("</body>", f"{script}</body>"))
    found = browse(path, f"--window-size={width},800", "--dump-dom")
    assert int(re.search(r"<title>wide (\d+)</title>", found)[1]) <= width
