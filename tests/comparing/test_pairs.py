"""Which of two scores ranks better."""

import numpy as np
import pytest

from evo_core.comparing.pairs import compare, enough, holm, p_value, which_pairs
from evo_core.comparing.resampling import Bootstrap

BOOTSTRAP = Bootstrap(400, 0)


def test_holm_by_hand():
    # 0.005 x 4, 0.01 x 3, 0.03 x 2, and 0.04 x 1, which may not be less than the one before it
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([]) == []


@pytest.mark.parametrize(
    ("differences", "p"),
    [
        ([1, 1, 1], 0.5),
        ([1] * 99, 0.02),
        ([-1] * 4 + [1] * 95, 0.1),
        ([-1, 1], 1.0),
        ([0] * 9, 1.0),
    ],
)
def test_p_of_a_bootstrap_is_two_sided_and_never_0(differences, p):
    assert p_value(np.array(differences, dtype=float)) == pytest.approx(p)


def test_scores_meet_each_other_and_every_baseline():
    assert which_pairs(["a", "params", "b", "k"], ["params", "k"]) == [
        ("a", "b"), ("a", "params"), ("a", "k"), ("b", "params"), ("b", "k"),
    ]  # fmt: skip


@pytest.mark.parametrize("pairs", [1, 30, 372])
def test_resamples_are_enough_for_holm(pairs):
    smallest = p_value(np.ones(enough(1000, pairs)))
    assert smallest * pairs < 0.05


@pytest.fixture
def columns():
    rng = np.random.default_rng(3)
    y = rng.normal(size=50)
    noise = rng.normal(size=(4, 50))
    return y, {
        "good": y + 0.3 * noise[0], "reversed": -y - 0.3 * noise[0], "bad": 0.4 * y + noise[1],
        "none": noise[2], "constant": np.ones(50), "holes": np.where(noise[3] > 1, np.nan, y),
    }  # fmt: skip


def test_the_better_of_two_is_named_whatever_its_direction(columns):
    y, values = columns
    names = [("good", "bad"), ("bad", "reversed"), ("good", "reversed"), ("bad", "none")]
    found = compare(values, y, names, BOOTSTRAP)
    assert [pair["better"] for pair in found[:3]] == ["a", "b", None]
    assert found[0]["low"] > 0
    assert found[1]["difference"] == pytest.approx(-found[0]["difference"])
    assert (found[2]["difference"], found[2]["p"]) == (0, 1)
    for pair in found:
        assert pair["p_holm"] >= pair["p"]


def test_swapping_a_pair_turns_the_difference(columns):
    y, values = columns
    (one,), (other,) = (
        compare(values, y, [pair], BOOTSTRAP) for pair in (("good", "bad"), ("bad", "good"))
    )
    assert one["difference"] == -other["difference"]
    assert one["p"] == other["p"]
    assert one["low"] == pytest.approx(-other["high"])


def test_both_are_seen_where_both_are_defined(columns):
    y, values = columns
    both = np.isfinite(values["holes"])
    (found,) = compare(values, y, [("good", "holes")], BOOTSTRAP)
    alone = {name: column[both] for name, column in values.items()}
    assert compare(alone, y[both], [("good", "holes")], BOOTSTRAP) == [found]


def test_what_has_no_correlation_can_not_be_compared(columns):
    y, values = columns
    found = compare(values, y, [("good", "constant"), ("good", "bad")], BOOTSTRAP)
    assert found[0]["difference"] is None
    assert found[0]["p_holm"] is None
    assert found[0]["reason"] == "constant: all values of the score are equal"
    assert found[1]["p_holm"] == found[1]["p"]  # one test only


def test_a_reference_of_which_one_network_stands_out_tests_nothing(columns):
    _, values = columns
    y = np.zeros(len(values["good"]))
    y[0] = 1  # absent from 37 % of the resamples
    (found,) = compare(values, y, [("good", "bad")], BOOTSTRAP)
    assert found["reason"] == "undefined in more than a tenth of the resamples"
    assert [found[key] for key in ("difference", "low", "p", "p_holm", "better")] == [None] * 5
