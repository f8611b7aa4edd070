"""Pictures hold what they promise: every cell, both kinds of edges, the same bytes every time."""

from __future__ import annotations

import re

import numpy as np
import pytest

from evo_core.config import from_layers
from evo_core.drawing import draw_network, fitness_chart, numbers_chart, save, share_chart
from evo_core.errors import EvoError
from evo_core.genome import random_genome
from evo_core.plan import Job, make_plan

CONFIGURATIONS = [
    {},
    {"mse": {"cells": 1, "motifs": ["FE"]}},
    {"mse": {"cells": 12, "inputs": [4]}},
    {"mse": {"feedback": "same-step", "motifs": ["FbI", "MI"]}},
    {"mse": {"templates": {"T": {"nodes": ["a = +(x*) -(x0)"], "output": ["a"]}}}},
]


def network(settings, seed=0):
    plan = make_plan(Job(from_layers({"fitness": ["params"]}, settings)))
    return plan.decode(random_genome(np.random.default_rng(seed), plan.space.genes))


def texts(figure):
    return [text.get_text() for text in figure.findobj(lambda artist: hasattr(artist, "get_text"))]


@pytest.mark.parametrize("settings", CONFIGURATIONS, ids=str)
def test_a_drawing_names_every_cell_and_its_motif(settings):
    architecture = network(settings)
    shown = texts(draw_network(architecture, title="a network"))
    assert "a network" in shown
    for number, cell in enumerate(architecture.cells, 1):
        assert str(number) in shown
        assert cell.motif in shown


def test_the_legend_tells_signs_and_feedback_apart():
    shown = " ".join(texts(draw_network(network({"mse": {"motifs": ["FbI", "MI"]}}))))
    assert "excitatory" in shown
    assert "inhibitory feedback" in shown
    assert "feedback" not in " ".join(
        texts(draw_network(network({"mse": {"motifs": ["FE", "LI"]}})))
    )


def test_no_two_texts_of_a_drawing_overlap():
    for settings in CONFIGURATIONS[:3]:
        figure = draw_network(network(settings, seed=3))
        figure.draw_without_rendering()
        boxes = [
            (artist.get_text(), artist.get_window_extent())
            for artist in figure.findobj(lambda one: hasattr(one, "get_text"))
            if artist.get_text().strip()
        ]
        for index, (one, box) in enumerate(boxes):
            for other, second in boxes[index + 1 :]:
                assert not box.shrunk(0.9, 0.9).overlaps(second), f"{one!r} covers {other!r}"


def test_a_network_without_cell_labels_is_drawn_as_a_graph():
    architecture = network({"mse": {"cells": 2}})
    bare = type(architecture)(
        architecture.task, architecture.nodes, architecture.edges, architecture.output
    )
    assert any("stem" in text for text in texts(draw_network(bare)))


def test_the_same_figure_has_the_same_bytes(tmp_path):
    for name in ("one.svg", "two.svg"):
        save(draw_network(network({"mse": {"cells": 2}})), tmp_path / name)
    one, two = ((tmp_path / name).read_bytes() for name in ("one.svg", "two.svg"))
    assert one == two
    assert not re.search(rb"<dc:date>", one)


def test_png_and_svg_are_written_and_nothing_else(tmp_path):
    figure = fitness_chart([1], [0.3], [0.2], [0.1], [0.3], "rdm", "max")
    save(figure, tmp_path / "a.png")
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(EvoError, match=r"\.svg or \.png"):
        save(figure, tmp_path / "a.gif")
    with pytest.raises(EvoError, match="can not write"):
        save(figure, tmp_path / "no" / "a.png")


def test_between_generations_no_line_of_a_fitness_is_above_the_best():
    axes = fitness_chart([1, 2, 3], [1, 2, 5], [0, 2, 4], [0, 1, 3], [1, 2, 5], "r", "max").axes[0]
    median, best = axes.get_lines()
    assert {line.get_drawstyle() for line in (median, best)} == {"default"}
    assert axes.get_xlim()[1] > 3


def test_shares_of_a_development_have_the_same_axis_in_all_panels():
    shares = {"density a": [1.0, 0.9], "neurons a": [1.0, 0.7], "pruned x": [0.0, 0.1]}
    spans = {axes.get_ylim() for axes in numbers_chart([1, 2], shares, "t").axes}
    assert len(spans) == 1
    low, high = numbers_chart([1, 2], shares | {"size a": [30.0, 20.0]}, "t").axes[3].get_ylim()
    assert low > 1
    assert high > 30


def test_charts_name_what_they_show():
    figure = fitness_chart([1, 2], [3, 2], [4, 3], [3, 2], [5, 4], "params", "min")
    assert any("lower is better" in text for text in texts(figure))
    shares = {"FE": [0.2, 0.9], "LI": [0.8, 0.1]}
    assert {"FE", "LI"} <= set(texts(share_chart([1, 2], shares, "Motifs", "share")))
