"""References from a file."""

from __future__ import annotations

import pytest

from evo_core import EvoError
from evo_core.comparing.table import read_table


@pytest.fixture
def table(tmp_path):
    def write(text, name="known.csv"):
        path = tmp_path / name
        path.write_text(text)
        return f"table:{path}"

    return write


def test_repeats_of_a_network_are_kept_together_and_empty_cells_left_out(table):
    found = read_table(table('network,accuracy\n"1,0",0.5\n"0,1",0.25\n"1, 0",0.75\n"1,1",\n\n'))
    assert found.values == {"1,0": [0.5, 0.75], "0,1": [0.25]}
    assert (found.name, found.goal, found.by_genome) == ("accuracy", "max", True)


def test_a_genome_is_the_same_however_it_is_written(table):
    found = read_table(table('\ufeffgenome , x\n"01, 2",1\n"1,2",3\n'))
    assert (found.name, found.values) == ("x", {"1,2": [1.0, 3.0]})


@pytest.mark.parametrize(
    ("more", "name", "goal"),
    [(":error:min", "error", "min"), (":accuracy", "accuracy", "max"), (":error", "error", "max")],
)
def test_a_column_and_a_goal_can_be_named(table, more, name, goal):
    found = read_table(table("architecture,accuracy,error\nab,0.5,0.25\n") + more)
    assert (found.name, found.goal, found.by_genome) == (name, goal, False)
    assert found.values["ab"] == [0.5 if name == "accuracy" else 0.25]


def test_the_only_other_column_needs_no_name(table):
    assert read_table(table("genome,top-1\n1,0.5\n")).name == "top-1"


def test_a_file_name_may_hold_colons(table):
    assert read_table(table("genome,x\n1,2\n", "a:b:min.csv")).values == {"1": [2.0]}


@pytest.mark.parametrize(
    ("text", "more", "message"),
    [
        (None, "", "can not be read"),
        ("a,b\n1,2\n", "", "no column network, genome or architecture"),
        ("genome,a,b\n1,2,3\n", "", "several columns; say which"),
        ("genome,accuracy\n1,2\n", ":acuracy", "no column 'acuracy'; did you mean 'accuracy'"),
        ("genome,a\n1,x\n", "", "line 2: 'x' is no finite number"),
        ("genome,a\n1,inf\n", "", "line 2: 'inf' is no finite number"),
        ("genome,a\n1,2\n1\n", "", "line 3 has 1 columns, its first has 2"),
        ("genome,a\n1,0,2\n", "", "line 2 has 3 columns, its first has 2; a genome with commas"),
        ("genome,a\nx,2\n", "", "line 2: a genome is whole numbers"),
        ("genome,a,a\n1,2,3\n", ":a", "two columns 'a'; rename one"),
        ("genome;a\n1;2\n", "", "put commas between the columns"),
        ("genome,a\n1,2\n", "x" * 300, "can not be read: File name too long"),
        ("genome,a\n1,\0\n", "", "is no"),
        ("", "", "no column network"),
    ],
)
def test_what_is_wrong_with_a_table_is_said_in_a_line(table, tmp_path, text, more, message):
    name = table(text) if text is not None else f"table:{tmp_path / 'missing.csv'}"
    with pytest.raises(EvoError, match=message) as caught:
        read_table(name + more)
    assert "\n" not in str(caught.value)
