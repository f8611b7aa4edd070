"""Failures: what is counted, and which gene choices are named."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evo_core.evaluation import Candidate, Evaluation, Objective, Score
from evo_core.failures import (
    explain,
    failure,
    failure_table,
    first_reason,
    listing,
    tally,
    upper_tail,
    worst,
)
from evo_core.genome import Gene
from evo_core.results import Counts

OBJECTIVES = (Objective("rdm", "max"), Objective("params", "min"))
FINE = {"rdm": Score.of(0.5), "params": Score.of(9.0)}
UNDEFINED = {"rdm": Score.of(None), "params": Score.of(9.0)}


@dataclass(frozen=True)
class Toy:
    """A space whose last gene says nothing while the first has its first choice."""

    genes: tuple[Gene, ...] = (
        Gene("motif", "motif", ("FE", "MI", "LI")),
        Gene("kernel", "neuron", ("3", "5"), first=3),
        Gene("back", "motif", ("yes", "no")),
    )

    def active(self, genome):
        return (True, True, genome[0] != 0)


SPACE = Toy()
GENOMES = st.tuples(st.integers(0, 2), st.integers(3, 4), st.integers(0, 1))
EVALUATIONS = st.sampled_from(
    [
        Evaluation(0, "ok", FINE),
        Evaluation(0, "ok", UNDEFINED),
        Evaluation(0, "silent", FINE),
        Evaluation(0, "error", error="Traceback\n  line 1\nValueError: odd"),
        Evaluation(0, "infeasible", error="params is 9, not < 2", stage="constraint"),
        Evaluation(0, "silent", copied_from=0, stage="duplicate"),
        Evaluation(0, "ok", FINE, copied_from=0, stage="duplicate"),
    ]
)


def pairs_of(rows):
    return [(Candidate(i, genome, str(i)), one) for i, (genome, one) in enumerate(rows)]


def told(rows):
    pairs = pairs_of(rows)
    return explain(pairs, failure_table(pairs, SPACE, OBJECTIVES), OBJECTIVES)


PAIRS = st.lists(st.tuples(GENOMES, EVALUATIONS), max_size=40).map(pairs_of)


@given(PAIRS)
def test_the_table_sums_to_the_evaluated_and_failed_candidates_of_each_active_gene(pairs):
    table = failure_table(pairs, SPACE, OBJECTIVES)
    counts = Counts()
    for _, one in pairs:
        counts = counts.plus(one, OBJECTIVES)
    for place, gene in enumerate(SPACE.genes):
        rows = [one for one in table if one.gene == gene.name]
        own = [
            (candidate, one)
            for candidate, one in pairs
            if one.copied_from is None
            and one.status != "infeasible"
            and SPACE.active(candidate.genome)[place]
        ]
        failed = [one for _, one in own if one.values(OBJECTIVES) is None]
        assert sum(row.candidates for row in rows) == len(own)
        assert sum(row.failed for row in rows) == len(failed)
        kinds = sum((Counter(row.statuses) for row in rows), Counter())
        assert kinds == Counter(failure(one, OBJECTIVES) for one in failed)
        assert all(0 < row.candidates >= row.failed and 0 <= row.rate <= 1 for row in rows)
        if gene.name == "motif":
            assert (len(own), len(failed)) == (counts.evaluated, counts.failed)


@given(PAIRS, st.randoms())
def test_nothing_depends_on_the_order_in_which_candidates_finished(pairs, random):
    table = failure_table(pairs, SPACE, OBJECTIVES)
    mixed = random.sample(pairs, len(pairs))
    assert failure_table(mixed, SPACE, OBJECTIVES) == table
    assert explain(mixed, table, OBJECTIVES) == explain(pairs, table, OBJECTIVES)
    assert first_reason(mixed, OBJECTIVES) == first_reason(pairs, OBJECTIVES)


@given(PAIRS)
def test_an_explanation_is_one_line_and_names_at_most_three_choices(pairs):
    table = failure_table(pairs, SPACE, OBJECTIVES)
    assert "\n" not in explain(pairs, table, OBJECTIVES)
    assert len(worst(table)) <= 3
    assert all(one.failed for one in worst(table))


@given(st.integers(1, 7), st.data())
def test_the_tail_is_what_counting_all_draws_gives(total, data):
    tried, bad = data.draw(st.integers(0, total)), data.draw(st.integers(0, total))
    least = data.draw(st.integers(0, min(tried, bad)))
    draws = list(combinations([True] * bad + [False] * (total - bad), tried))
    expected = sum(sum(draw) >= least for draw in draws) / len(draws)
    assert upper_tail(least, tried, bad, total) == pytest.approx(expected)


def test_failures_are_called_by_their_status_or_by_what_is_undefined():
    assert failure(Evaluation(0, "ok", FINE), OBJECTIVES) is None
    assert failure(Evaluation(0, "silent", FINE), OBJECTIVES) == "silent"
    assert failure(Evaluation(0, "ok", UNDEFINED), OBJECTIVES) == "undefined rdm"
    assert failure(Evaluation(0, "ok"), OBJECTIVES) == "undefined rdm and params"
    assert tally({"silent": 6, "undefined rdm": 2, "error": 12, "nan": 2}) == (
        "error 12, silent 6, nan 2, undefined rdm 2"
    )


def test_a_choice_that_always_fails_is_named_and_one_that_is_like_the_others_is_not():
    error = Evaluation(0, "error", error="Traceback\nZeroDivisionError: by zero\n")
    rows = [((i % 3, 3 + i % 2, 0), error if i % 3 == 1 else FINE_ONE) for i in range(30)]
    rows[0] = (rows[0][0], Evaluation(0, "silent"))
    assert told(rows) == (
        "11 of 30 candidates failed (error 10, silent 1); more often than by chance: "
        "motif=MI 10 of 10; first error: ZeroDivisionError: by zero"
    )
    lines = listing(failure_table(pairs_of(rows), SPACE, OBJECTIVES)).splitlines()
    assert lines[:3] == ["motif=FE 1 of 10 (silent 1)", "motif=MI 10 of 10 (error 10)",
                         "motif=LI 0 of 10"]  # fmt: skip


FINE_ONE = Evaluation(0, "ok", FINE)


def test_where_everything_fails_no_choice_is_blamed():
    rows = [((i % 3, 3 + i % 2, 0), Evaluation(0, "silent")) for i in range(30)]
    assert told(rows) == "30 of 30 candidates failed (silent 30)"


def test_few_candidates_are_no_ground_to_blame_a_choice():
    rows = [((1, 3, 0), Evaluation(0, "silent")), ((0, 3, 0), FINE_ONE), ((2, 4, 0), FINE_ONE)]
    assert told(rows) == "1 of 3 candidates failed (silent 1)"


def test_a_gene_is_judged_among_the_candidates_in_which_it_is_active():
    rows = [((1, 3, i % 2), Evaluation(0, "silent")) for i in range(20)]
    rows += [((0, 3, i % 2), FINE_ONE) for i in range(20)]
    table = failure_table(pairs_of(rows), SPACE, OBJECTIVES)
    assert [str(one) for one in worst(table)] == ["motif=MI 20 of 20"]
    assert {one.candidates for one in table if one.gene == "back"} == {10}
