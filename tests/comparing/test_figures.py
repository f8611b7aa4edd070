"""The figures of a comparison: all drawn, whatever is missing, and the same each time."""

from __future__ import annotations

import copy
import json
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from PIL import Image

from evo_core.comparing.analysis import analyse
from evo_core.comparing.figures import draw_figures, write_figures
from evo_core.comparing.figures_curves import draw_regret_seconds
from evo_core.comparing.figures_looks import cut, in_words
from evo_core.errors import EvoError

ALL = ["strength", "scatter", "precision", "regret", "regret-seconds", "between", "seeds"]


def analysed(sample):
    analysis = analyse(sample, resamples=40, ks=(1, 3, 5))
    return json.loads(json.dumps(analysis, allow_nan=False))


def texts(drawn):
    """Give all texts of a figure."""
    root = ET.fromstring(drawn.svg)
    return [
        "".join(one.itertext()).strip() for one in root.iter("{http://www.w3.org/2000/svg}text")
    ]


def by_name(sample):
    return {one.name: one for one in draw_figures(analysed(sample), sample)}


@pytest.fixture(scope="module")
def drawn(made_up):
    return by_name(made_up(("rdm", "nwot[a=b]", "silent-share")))


def test_every_figure_is_drawn_and_described(drawn):
    assert list(drawn) == ALL
    for one in drawn.values():
        assert len(one.alt) > 40
        assert one.caption.endswith(".")
    assert "nwot[a=b]" in drawn["precision"].alt


def test_files_can_be_read_and_are_large_enough(drawn, tmp_path):
    files = write_figures(tmp_path / "figures", list(drawn.values()))
    assert [file.name for file in files] == [f"{n}.{s}" for n in ALL for s in ("svg", "png")]
    for file in files:
        if file.suffix == ".png":
            with Image.open(file) as image:
                image.load()
                assert image.format == "PNG"
                assert min(image.size) >= 400
                assert len(image.convert("RGB").getcolors(10**6)) > 20
        else:
            assert ET.parse(file).getroot().tag == "{http://www.w3.org/2000/svg}svg"


def test_the_same_numbers_give_the_same_bytes(made_up):
    first, second = (
        [one.svg for one in draw_figures(analysed(sample), sample)]
        for sample in (made_up(), made_up())
    )
    assert first == second
    assert not any("<dc:date>" in svg for svg in first)


def test_a_folder_that_can_not_be_written_is_one_line(drawn, tmp_path):
    (tmp_path / "strength.svg").mkdir()
    with pytest.raises(EvoError, match="can not write"):
        write_figures(tmp_path, list(drawn.values()))


def test_panels_tell_correlation_and_interval(drawn, made_up):
    sample = made_up(("rdm", "nwot[a=b]", "silent-share"))
    raw = analysed(sample)["scores"]["rdm"]["raw"]
    found = texts(drawn["scatter"])
    assert f"Spearman {in_words(raw['spearman'])}" in found
    assert f"tau-b {in_words(raw['kendall'])}" in found
    assert "at chance level" in found
    assert "lower is better" in found


def test_names_are_text_not_formulas(made_up):
    sample = made_up(("a$x^2$<b>&", "rdm"))
    found = by_name(sample)
    for name in (
        "strength",
        "scatter",
        "precision",
        "regret",
        "regret-seconds",
        "between",
        "seeds",
    ):
        assert "a$x^2$<b>&" in texts(found[name]), name


def test_one_seed_has_no_figure_of_seeds(made_up):
    assert list(by_name(made_up(seeds=1))) == ALL[:-1]


def test_scores_without_any_value_leave_the_rest(made_up):
    found = by_name(made_up(dead=("zen",)))
    assert list(found) == ALL
    assert "no value" in texts(found["scatter"])
    assert "zen" not in texts(found["regret"])


def test_no_strata_have_no_bars(made_up):
    found = by_name(made_up(strata=False))
    labels = texts(found["strength"])
    assert "given params" in labels
    assert not any(label.startswith("within") for label in labels)


def test_a_score_that_knows_nothing_alone(made_up):
    found = by_name(made_up(("rdm",), strata=False, repeats=1))
    assert "noise ceiling" not in texts(found["strength"])


def test_scores_without_seconds_have_no_figure_over_time(made_up):
    sample = made_up()
    for seconds in sample.seconds.values():
        seconds[:] = np.nan
    assert draw_regret_seconds(analysed(sample), sample) is None


def test_random_search_is_drawn_exactly(made_up):
    sample = made_up(n=6, strata=False)
    analysis = analysed(sample)
    figure = draw_regret_seconds(analysis, sample).figure
    (line,) = [x for x in figure.axes[0].lines if x.get_label() == "random search by accuracy"]
    means = np.sort(sample.means("accuracy"))
    seconds, regret = line.get_data()
    count = seconds / 0.08
    for m, found in zip(count.round().astype(int), regret, strict=True):
        from itertools import combinations

        regrets = sorted(means[-1] - max(chosen) for chosen in combinations(means, m))
        assert found == pytest.approx(regrets[(len(regrets) - 1) // 2])


def many(made_up, count):
    """Make a comparison of many scores out of one of two, without the time it would take."""
    sample = made_up(seeds=3)
    analysis = analysed(sample)
    names = [f"score-{place}[with=option-{place}]" for place in range(count - 2)]
    between = analysis["between"]
    at = between["names"].index("nwot")
    for name in names:
        sample.values[name] = sample.values["nwot"]
        sample.goals[name] = "max"
        sample.seconds[name] = sample.seconds["nwot"]
        analysis["scores"][name] = copy.deepcopy(analysis["scores"]["nwot"])
        between["names"].append(name)
        between["spearman"] = [[*row, row[at]] for row in between["spearman"]]
        between["spearman"].append(list(between["spearman"][at]))
    return analysis, sample


def boxes(figure):
    """Give the name and the place of every text that is seen, in pixels."""
    from matplotlib.text import Text

    figure.draw_without_rendering()
    renderer = figure._get_renderer()
    hidden = [
        label
        for axes in figure.axes
        for axis in (axes.xaxis, axes.yaxis)
        for tick in (*axis.get_major_ticks(), *axis.get_minor_ticks())
        for label in (tick.label1, tick.label2)
        if not min(axis.get_view_interval()) <= tick.get_loc() <= max(axis.get_view_interval())
    ]
    found = [one for one in figure.findobj(Text) if one.get_visible() and one not in hidden]
    return [
        (one.get_text(), Text.get_window_extent(one, renderer)) for one in found if one.get_text()
    ]


@pytest.mark.parametrize("count", [2, 25])
def test_labels_do_not_overlap(made_up, count):
    analysis, sample = many(made_up, count)
    for drawn in draw_figures(analysis, sample):
        if drawn.name == "between":
            continue  # its slanted labels overlap as boxes, not as text
        placed = boxes(drawn.figure)
        for place, (text, box) in enumerate(placed):
            for other, beside in placed[place + 1 :]:
                wide = min(box.x1, beside.x1) - max(box.x0, beside.x0)
                high = min(box.y1, beside.y1) - max(box.y0, beside.y0)
                assert wide <= 2 or high <= 3, (drawn.name, text, other)


def test_with_many_scores_only_the_first_are_named(made_up):
    analysis, sample = many(made_up, 25)
    regret = {one.name: one for one in draw_figures(analysis, sample)}["regret"]
    assert "Grey lines without a name are the other scores." in regret.caption
    assert len(texts(regret)) < 30


def test_a_long_name_keeps_both_its_ends():
    assert (
        cut("rdm[metric=manhattan,feature=rate]", 20)
        == "rdm[metric\N{HORIZONTAL ELLIPSIS}ure=rate]"
    )
    assert cut("rdm", 20) == "rdm"
