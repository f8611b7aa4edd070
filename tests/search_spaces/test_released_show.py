"""Published genomes read, drawn and scored from the command line."""

from __future__ import annotations

import json

import pytest

from evo_core.cli import main

OPERATIONS = {"conv_3x3_p", "conv_5x5_p", "conv_3x3_n", "conv_5x5_n", "skip", "skip_connect"}


@pytest.fixture
def evo(capsys):
    """Give ``evo(*arguments)``, which runs a command and gives its status, output and errors."""

    def run(*arguments):
        with pytest.raises(SystemExit) as ended:
            main(list(arguments))
        out, err = capsys.readouterr()
        return ended.value.code or 0, out, err

    return run


def target(genome):
    return "mse-released:" + ",".join(map(str, genome))


def test_the_sample_genome_is_read_without_any_option(evo, sample_genome):
    status, out, _ = evo("show", target(sample_genome), "--json")
    shown = json.loads(out)
    assert status == 0
    assert shown["genome"] == list(sample_genome)
    cells = shown["cells"]
    assert [cell["name"] for cell in cells] == [f"cell{i}" for i in range(1, 7)]
    assert [cell["reduction"] for cell in cells] == [False, True, False, True, True, False]
    assert {(cell["motif"], cell["template"]) for cell in cells} == {("LI", "m4")}
    assert all(cell["concat"] == [3, 4, 5, 6, 7] for cell in cells)
    assert cells[0]["edges"] == [
        ["conv_3x3_p", 0], ["conv_3x3_p", 1], ["conv_5x5_p", 2],
        ["conv_5x5_p", 0], ["conv_5x5_p", 1], ["conv_3x3_p", 2],
        ["skip", 0], ["conv_3x3_p", 3], ["conv_5x5_p", 4],
        ["skip", 0], ["conv_3x3_p", 3], ["conv_3x3_n", 5],
        ["skip", 0], ["conv_3x3_p", 4], ["conv_5x5_n", 5],
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("k", "motif", "back", "concat"),
    [
        (2, 3, [["skip_connect_back", 2], ["conv_5x5_p_back", 3]], [2, 3, 4]),
        (2, 5, [["skip_connect_back", 2]], [2, 3]),
        (3, 3, [["conv_5x5_p_back", 3], ["skip_back", 2]], [3, 4, 5]),
        (3, 5, [["skip_connect_back", 3]], [3, 4]),
        (4, 3, [["conv_5x5_p_back", 4], ["skip_back", 4]], [4, 5, 6]),
        (4, 5, [["conv_5x5_p_back", 4], ["skip_back", 4], ["skip_back", 5]], [4, 5, 6, 7]),
        (3, 0, [], [3]),
    ],
)
def test_feedback_stands_last_under_its_released_name(
    make_released, released_genome, k, motif, back, concat
):
    for cell in make_released().describe(released_genome(motif, k, [1] * 19)):
        assert [edge for edge in cell["edges"] if edge[0].endswith("_back")] == back
        forward = cell["edges"][: len(cell["edges"]) - len(back)]
        assert {name for name, _ in forward} <= OPERATIONS
        assert cell["concat"] == concat
    assert len(forward) == {(4, 3): 13, (3, 0): 3}.get((k, motif), len(forward))


def test_a_missing_template_is_one_clear_line(evo, released_genome):
    status, out, err = evo("show", target(released_genome(0, 4)))
    assert (status, out) == (2, "")
    assert err.strip().endswith("the released code has no template t0")
    assert len(err.strip().splitlines()) == 1


def test_a_genome_of_another_length_is_refused(evo, released_genome):
    status, _, err = evo("show", target(released_genome(1, 2, cells=5)))
    assert status == 2
    assert "has 121 genes, but 101 were given" in err


def test_it_is_drawn_and_written_as_text(evo, released_genome, tmp_path):
    picture = tmp_path / "released.png"
    genome = released_genome([3, 1, 0, 1, 1, 5], 3, [1] * 19)
    status, out, _ = evo("show", target(genome), "--out", str(picture))
    assert status == 0
    assert picture.stat().st_size > 10_000
    assert "n4 --+conv5----> n3_after   feedback, same step" in out
    assert "zero" in out


def test_it_is_scored_like_any_network(evo, sample_genome):
    status, out, _ = evo("score", target(sample_genome), "--fitness", "rdm,params", "--json")
    assert status == 0
    scored = json.loads(out)
    assert scored["status"] in {"ok", "silent"}
    assert scored["scores"]["params"]["value"] > 1e6
