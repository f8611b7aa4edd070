"""The figures of an evaluation show what was found."""

from __future__ import annotations

import pytest

from evo_core import evaluate
from evo_core.evaluating.drawing import draw_evaluation, over_time
from evo_core.evaluating.labels import short_names


def found(trainings, steps):
    folders = [trainings[name].folder for name in ("wide", "narrow")]
    return evaluate(folders, timesteps=steps, samples=40, repeats=1, energy=())


@pytest.mark.parametrize(("steps", "shown"), [([1, 8], [1, 4, 8]), ([2, 4], [2, 4]), ([6], [4, 6])])
def test_accuracy_over_time_has_the_steps_of_the_training_once(trainings, steps, shown):
    result = found(trainings, steps)
    axes = over_time(result).figure.axes[0]
    assert axes.get_xticks().tolist() == shown
    lines = {line.get_label(): line for line in axes.get_lines()}
    for one in result.checkpoints:
        line = lines[one.checkpoint]
        assert list(line.get_xdata()) == shown
        assert line.get_ydata()[shown.index(4)] == one.clean.accuracy.value


def test_figures_have_short_names_and_say_what_their_shades_are(trainings):
    drawn = {one.name: one for one in draw_evaluation(found(trainings, [2]))}
    assert drawn["timesteps"].alt.startswith("Accuracy against time steps: wide ")
    legend = drawn["timesteps"].figure.legends[0].get_texts()
    assert [text.get_text() for text in legend] == ["wide", "narrow"]
    *matrices, bar = drawn["confusion"].figure.axes
    assert [axes.get_title("left").split(":")[0] for axes in matrices] == ["wide", "narrow"]
    assert bar.get_ylabel() == "share of the true class (row); numbers: samples"


@pytest.mark.parametrize(
    ("texts", "names"),
    [
        (["../w/runs/conv", "runs/linear/"], ["conv", "linear"]),
        (["r/a/seed-0", "r/b/seed-0", "reference:2fc"], ["a/seed-0", "b/seed-0", "reference:2fc"]),
        (["runs/conv/epoch-7", "runs/conv/epoch-9"], ["epoch-7", "epoch-9"]),
        (["runs/conv", "conv"], ["runs/conv", "conv"]),
        ([".", "runs/first:7"], [".", "first:7"]),
        (["/a/b"], ["b"]),
    ],
)
def test_names_are_the_fewest_parts_that_tell_paths_apart(texts, names):
    assert short_names(texts) == names
