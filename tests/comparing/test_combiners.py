"""Combinations of scores by rank, and how they are written."""

import numpy as np
import pytest
from scipy.stats import rankdata

from evo_core.binding import split_commas
from evo_core.comparing.combiners import Combination, combination, combine
from evo_core.errors import EvoError

A = np.array([1.0, 2, 2, 4, 5])
B = np.array([9.0, 7, 8, 1, 1])
GOALS = {"a": "max", "b": "min"}


def test_mean_rank_and_log_rank_by_hand():
    ranks = np.array([[1, 2.5, 2.5, 4, 5], [1, 3, 2, 4.5, 4.5]]) / 5
    values = {"a": A, "b": B}
    np.testing.assert_allclose(combine(values, GOALS, "mean-rank"), ranks.mean(axis=0))
    np.testing.assert_allclose(combine(values, GOALS, "log-rank"), np.log(ranks).sum(axis=0))


def test_where_one_part_is_undefined_so_is_the_combination():
    b = np.array([9.0, np.nan, 8, 1, 1])
    found = combine({"a": A, "b": b}, GOALS, "mean-rank")
    kept = [0, 2, 3, 4]
    assert np.isnan(found[1])
    expected = (rankdata(A[kept]) + rankdata(-b[kept])) / 2 / 4
    np.testing.assert_allclose(found[kept], expected)


def test_each_seed_is_ranked_by_itself():
    rng = np.random.default_rng(0)
    values = {"a": rng.normal(size=(9, 3)), "b": rng.normal(size=(9, 3))}
    values["a"][2, 1] = np.nan
    values["b"][:, 2] = np.nan
    for how in ("mean-rank", "log-rank"):
        found = combine(values, GOALS, how)
        for seed in range(3):
            alone = combine({name: one[:, seed] for name, one in values.items()}, GOALS, how)
            np.testing.assert_array_equal(found[:, seed], alone)
    assert np.isnan(found[:, 2]).all()


def test_only_the_order_counts():
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=(2, 20))
    for how in ("mean-rank", "log-rank"):
        plain = combine({"a": a, "b": b}, GOALS, how)
        np.testing.assert_array_equal(plain, combine({"a": np.exp(a), "b": b**3}, GOALS, how))


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("mean-rank[of=rdm+nwot]", ("rdm", "nwot")),
        ("log-rank[of=rdm+nwot+sahd-snasnet]", ("rdm", "nwot", "sahd-snasnet")),
        ("mean-rank[of=rdm[metric=pearson]+nwot]", ("rdm[metric=pearson]", "nwot")),
        (
            "mean-rank[of=zico[parts=4,b=[1,2]]+rdm[a=1e+3]]",
            ("zico[parts=4,b=[1,2]]", "rdm[a=1e+3]"),
        ),
        (' mean-rank[ of = "rdm + nwot" ] ', ("rdm", "nwot")),
    ],
)
def test_reading_and_writing_a_combination(text, parts):
    found = combination(text)
    assert found.parts == parts
    assert combination(found.text) == found
    assert list(split_commas(f"params,{found.text}")) == ["params", found.text]


def test_canonical_parts_make_a_canonical_text():
    assert Combination("mean-rank", ("rdm[metric=pearson]", "nwot")).text == (
        "mean-rank[of=rdm[metric=pearson]+nwot]"
    )


@pytest.mark.parametrize("text", ["rdm", "rdm[metric=pearson]", "mean-ranks[of=rdm+nwot]"])
def test_other_scores_are_no_combinations(text):
    assert combination(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "mean-rank", "mean-rank[of=rdm]", "mean-rank[of=rdm+rdm]", "mean-rank[of=rdm+]",
        "mean-rank[of=3]", "mean-rank[parts=rdm+nwot]", "mean-rank[of=rdm+nwot,x=1]",
        "mean-rank[of=rdm+nwot", "log-rank[of=rdm+mean-rank[of=nwot+snip]]",
    ],
)  # fmt: skip
def test_a_wrong_combination_gets_one_line(text):
    with pytest.raises(EvoError) as raised:
        combination(text)
    assert "\n" not in str(raised.value)
    assert text in str(raised.value)
