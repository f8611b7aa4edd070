"""Combinations of scores by rank, and how they are written."""

import numpy as np
import pytest
from scipy.stats import rankdata

from evo_core import Combiner, EvoError
from evo_core.binding import Binder, split_commas
from evo_core.comparing.combiners import combination
from evo_core.registry import installed

A = np.array([1.0, 2, 2, 4, 5])
B = np.array([9.0, 7, 8, 1, 1])
GOALS = {"rdm": "max", "params": "min"}


def binder(*records):
    return Binder(installed(components=records), {})


def combined(how, a, b):
    found = combination(binder(), f"{how}[of=rdm+params]")
    columns = {"rdm": a, "params": b}
    values = {name: np.reshape(one, (len(one), -1)) for name, one in columns.items()}
    return found.values(values, GOALS).reshape(np.shape(a))


def test_mean_rank_and_log_rank_by_hand():
    ranks = np.array([[1, 2.5, 2.5, 4, 5], [1, 3, 2, 4.5, 4.5]]) / 5
    np.testing.assert_allclose(combined("mean-rank", A, B), ranks.mean(axis=0))
    np.testing.assert_allclose(combined("log-rank", A, B), np.log(ranks).sum(axis=0))


def test_where_one_part_is_undefined_so_is_the_combination():
    found = combined("mean-rank", A, np.array([9.0, np.nan, 8, 1, 1]))
    kept = [0, 2, 3, 4]
    assert np.isnan(found[1])
    expected = (rankdata(A[kept]) + rankdata(-B[kept])) / 2 / 4
    np.testing.assert_allclose(found[kept], expected)


def test_each_seed_is_ranked_by_itself():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 9, 3))
    a[2, 1] = np.nan
    b[:, 2] = np.nan
    for how in ("mean-rank", "log-rank"):
        found = combined(how, a, b)
        for seed in range(3):
            alone = combined(how, a[:, seed], b[:, seed])
            np.testing.assert_array_equal(found[:, seed], alone)
    assert np.isnan(found[:, 2]).all()


def test_only_the_order_counts():
    a, b = np.random.default_rng(1).normal(size=(2, 20))
    for how in ("mean-rank", "log-rank"):
        plain = combined(how, a, b)
        np.testing.assert_array_equal(plain, combined(how, np.exp(a), b**3))


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("mean-rank[of=rdm+nwot]", ("rdm", "nwot")),
        ("log-rank[of=rdm+nwot+sahd-snasnet]", ("rdm", "nwot", "sahd-snasnet")),
        ("mean-rank[of=rdm[metric=pearson]+nwot]", ("rdm[metric=pearson]", "nwot")),
        ("mean-rank[of=zico[parts=8]+rdm[metric=pearson,feature=rate]]",
         ("zico[parts=8]", "rdm[feature=rate,metric=pearson]")),
        (' mean-rank[ of = "rdm + nwot" ] ', ("rdm", "nwot")),
    ],
)  # fmt: skip
def test_reading_a_combination(text, parts):
    found = combination(binder(), text)
    assert found.parts == parts
    assert combination(binder(), found.bound.text) == found
    assert list(split_commas(f"params,{found.bound.text}")) == ["params", found.bound.text]


def test_a_score_is_no_combination():
    assert combination(binder(), "rdm[metric=pearson]") is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("mean-rank", "does not name two scores"),
        ("mean-rank[of=rdm]", "does not name two scores"),
        ("mean-rank[of=rdm+]", "does not name two scores"),
        ("mean-rank[of=rdm+rdm]", "names a score twice"),
        ("mean-rank[of=3]", "of is 3"),
        ("mean-rank[parts=rdm+nwot]", "no option mean-rank.parts"),
        ("mean-rank[of=rdm+nwot", "closing bracket"),
        ("mean-rank[of=rdm+nvot]", "did you mean"),
        ("log-rank[of=rdm+mean-rank[of=nwot+snip]]", "combines the ranks of many networks"),
    ],
)
def test_a_wrong_combination_gets_one_line(text, message):
    with pytest.raises(EvoError, match=message) as raised:
        combination(binder(), text)
    assert "\n" not in str(raised.value)


def test_a_search_refuses_a_combination(cli):
    ended = cli("run", "--fitness", "mean-rank[of=rdm+nwot]")
    assert ended.code == 2
    assert "mean-rank combines the ranks of many networks" in ended.err


def test_a_plugin_can_combine_in_its_own_way():
    worst = Combiner(name="worst-rank", summary="", combine=lambda ranks, options: ranks.min(0))
    found = combination(binder(worst), "worst-rank[of=rdm+params]")
    values = {"rdm": A[:, None], "params": B[:, None]}
    expected = np.minimum(rankdata(A), rankdata(-B)) / 5
    np.testing.assert_allclose(found.values(values, GOALS)[:, 0], expected)
