"""Mistakes of the user: one clear line with a suggestion, exit status 2, nothing written."""

from __future__ import annotations

from pathlib import Path

import pytest

from evo_core import EvoError, tables
from evo_core.errors import did_you_mean

ZEROS = "mse:" + ",".join(["0"] * 19)
SET = "--set"
WRONG = [  # the arguments, and what the line must say
    # names
    (["run", "--space", "mes"], "no space 'mes'; did you mean 'mse'?"),
    (["run", "--fitness", "rmd"], "no fitness 'rmd'; did you mean 'rdm'"),
    (["run", "--fitness", "rdm,parms"], "no fitness 'parms'; did you mean 'params'"),
    (["run", "--fitness", "rdm,rdm"], "the fitness rdm is named twice"),
    (["run", "--fitness", ""], "a run needs at least one fitness function"),
    (["run", "--data", "digit"], "no data 'digit'; did you mean 'digits'?"),
    (["run", "--strategy", "nsga"], "no strategy 'nsga'; did you mean 'nsga2'"),
    (["run", "--executor", "seriel"], "no executor 'seriel'; did you mean 'serial'"),
    (["run", "--preset", "papr"], "no preset 'papr'; did you mean 'paper'?"),
    (["run", SET, "operators.two-pont=1.0"], "no operator 'two-pont'; did you mean 'two-point'?"),
    (["run", SET, 'observers=["progres"]'], "no observer 'progres'; did you mean 'progress'?"),
    (["run", SET, 'mse.motifs=["FbX"]'], "no motif 'FbX'; did you mean 'FbI'"),
    (["run", SET, 'mse.neurons=["liff"]'], "did you mean 'lif'"),
    (["run", SET, 'mse.operations=["conv4"]'], "no operation 'conv4'; did you mean 'conv"),
    # options in brackets
    (["run", "--fitness", "rdm[metrc=hamming]"], "no option rdm.metrc; did you mean 'metric'?"),
    (["run", "--fitness", "rdm[metric=haming]"], 'rdm.metric is "haming"; input should be'),
    (["run", "--fitness", "rdm[metric"], "lacks its closing bracket"),
    (["run", "--fitness", "params[x=1]"], "no option params.x; params has no options"),
    (["run", "--inherit", "lamark"], "or 'lamarck'; did you mean 'lamarck'?"),
    (["run", "--develop", "sdsnn", "--develop", "set"], "a search has one development; leave out"),
    (["run", SET, "sdsnn.pace=6"], "sdsnn.pace is for the development sdsnn, which is not used"),
    # keys and values
    (["run", SET, "popluation=4"], "no setting 'popluation'; did you mean 'population'?"),
    (["run", SET, "mse.cels=4"], "no option mse.cels; did you mean 'cells'"),
    (["run", SET, "scoring.step=4"], "no option scoring.step; did you mean 'steps'?"),
    (["run", SET, "mes.cells=4"], "no component has the table [mes]; did you mean 'mse'?"),
    (["run", SET, "mse.cells=four"], 'mse.cells is "four"; input should be a valid integer'),
    (["run", SET, "mse.cells=2.5"], "mse.cells is 2.5; input should be a valid integer"),
    (["run", SET, "mse.cells=0"], "mse.cells is 0; input should be greater than or equal to 1"),
    (["run", SET, "mse.inputs=[9]"], "mse: inputs holds 9; a cell has 2 to 8 inputs"),
    (["run", SET, "lif.tau=1.0"], "lif.tau is 1.0; input should be greater than 1"),
    (["run", SET, "lif.surrogate=atn"], 'lif.surrogate is "atn"; input should be'),
    (["run", SET, "population"], "--set 'population' is not of the form table.key=value"),
    (["run", SET, "=4"], "--set '=4' is not of the form table.key=value"),
    (["run", SET, "operators.two-point=2.0"], "operators.two-point is 2.0; input should be less"),
    (["run", SET, "mse.motifs=[]"], "mse.motifs is []; "),
    (["run", "--population", "1"], "population is 1; input should be greater than or equal to 2"),
    (["run", "--population", "ten"], "'ten' is not a valid integer; see evo run --help"),
    (["run", "--generations", "0"], "generations is 0; "),
    (["run", "--max-evaluations", "0"], "max_evaluations is 0; "),
    (["run", "--max-seconds", "0"], "max_seconds is 0"),
    (["run", "--target", "high"], "'high' is not a valid float"),
    (["run", "--seed", "-1"], "seed is -1; "),
    (["run", "--workers", "-1"], "workers is -1; "),
    (["run", SET, "scoring.batch=99999"], "scoring.batch is 99999, but the data has 1079"),
    (["run", SET, "mse.templates.X.nods=['a']"], "did you mean 'nodes'"),
    (["export", "reference:2fc", SET, "lif.tau=inf", "--format", "json"], "lif.tau is Infinity; "),
    # things outside
    (["run", "--device", "gpu"], "no device 'gpu'; take cpu, cuda or cuda:N"),
    (["run", "--device", "cuda:77"], "device 'cuda:77' is not there"),
    (["run", "--data-root", "nowhere"], "nowhere is no folder"),
    (["run", "--plugin", "nowhere.py"], "nowhere.py does not exist"),
    (["run", "--plugin", "broken.py"], "broken.py can not be used: SyntaxError"),
    (["run", "nowhere.toml"], "nowhere.toml can not be read: No such file or directory"),
    (["run", "broken.toml"], "broken.toml is not valid TOML"),
    (["run", "wrong.toml"], "no setting 'sede'; did you mean 'seed'"),
    (["run", "."], ". can not be read"),
    (["run", "--out", "."], ". exists and is not empty; choose another --out"),
    # targets
    (["show", "nowhere"], "no target 'nowhere'"),
    (["show", "mes:0,1"], "did you mean 'mse'?"),
    (["show", ZEROS], "a genome of mse has 55 genes, but 19 were given"),
    (["show", ZEROS.replace(":0", ":7"), SET, "mse.cells=2"], "gene 0 (cell1.motif) is 7"),
    (["show", "mse:a,b"], "a genome is whole numbers"),
    (["show", "."], ". is no run folder"),
    (["show", "nowhere.json"], "nowhere.json can not be read"),
    (["show", "broken.json"], "broken.json is not an architecture"),
    (["score", "mse:1"], "a genome of mse has"),
    (["score", ZEROS, SET, "mse.cells=2", "--fitness", "rmd"], "did you mean 'rdm'"),
    (["show", ZEROS, SET, "mse.cells=2", "--out", "n.bmp"], "bmp"),
    (["show", ZEROS, SET, "mse.cells=2", "--out", "nowhere/n.svg"], "nowhere"),
    # commands and flags
    (["rnu"], "no command 'rnu'; did you mean 'run'"),
    (["list", "spaces"], "no kind 'spaces'; did you mean 'space'?"),
    (["list", "fitness", "rdn"], "no fitness 'rdn'; did you mean 'rdm'?"),
    (["train", "reference:2fc", "--set", "lr=3"], "no setting 'lr'; did you mean 'recipe.lr'?"),
    (["train", "reference:2fc", "--set", "sed=3"], "no setting 'sed'; did you mean 'seed'?"),
    (["train", "reference:2fc", "--set", "zzz=3"], "no setting 'zzz'; known: recipe.epochs, "),
    (["runs", "nowhere"], "there is no folder nowhere"),
    (["plugin", "lits"], "did you mean 'list'?"),
    (["run", "--poplation", "4"], "'--population'"),
    (["show"], "missing argument 'TARGET'; see evo show --help"),
    (["run", "a.toml", "b.toml"], "unexpected extra argument"),
    (["init", "nowhere/evo.toml"], "nowhere/evo.toml can not be written"),
    (["init", "broken.toml"], "broken.toml exists; take another name, or --force"),
]


@pytest.fixture
def folder(in_empty_folder):
    """Fill a folder with broken files."""
    Path("broken.toml").write_text("seed = = 3")
    Path("wrong.toml").write_text("sede = 3")
    Path("broken.json").write_text("{}")
    Path("broken.py").write_text("def (")
    return in_empty_folder


@pytest.mark.parametrize(("arguments", "words"), WRONG, ids=[" ".join(one) for one, _ in WRONG])
def test_a_mistake_is_one_line_that_says_what_is_wrong(cli, folder, arguments, words):
    before = sorted(folder.rglob("*"))
    ended = cli(*arguments)
    assert ended.code == 2
    assert ended.out == ""
    assert ended.err.startswith("error: ")
    assert ended.err.count("\n") == 1
    assert words.casefold() in ended.err.casefold()
    assert sorted(folder.rglob("*")) == before


def test_an_interrupt_is_one_line(cli, monkeypatch):
    def press(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(tables, "show_table", press)
    ended = cli("list")
    assert (ended.code, ended.out, ended.err) == (130, "", "error: interrupted\n")


@pytest.mark.parametrize(
    "arguments",
    [
        ["run", "--space", "mes"],
        ["run", "--population", "ten"],
        ["score", "mse:1"],
        ["show", "nowhere"],
        ["runs", "nowhere"],
        ["list", "spaces"],
        ["init", "broken.toml"],
        ["plugin", "list", "--plugin", "nowhere.py"],
    ],
    ids=" ".join,
)
def test_with_json_a_mistake_is_also_one_json_document_on_stdout(cli, folder, arguments):
    ended = cli(*arguments, "--json")
    assert ended.code == 2
    assert list(ended.json) == ["error"]
    assert ended.err == f"error: {ended.json['error']}\n"


@pytest.mark.parametrize("arguments", [[], ["plugin"]], ids=["evo", "evo plugin"])
def test_no_command_at_all_shows_the_help_as_it_is_meant_to_be_read(cli, arguments):
    shown = cli(*arguments)
    text = shown.out + shown.err
    assert "error" not in text
    assert "Usage: evo" in text
    assert text.count("\n") > 5


@pytest.mark.parametrize(
    "arguments", [["run", "--space", "mes"], ["rnu"], ["show", "mse:1"]], ids=" ".join
)
def test_a_process_ends_with_status_2_and_no_traceback(evo, tmp_path, arguments):
    ended = evo(*arguments)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith("error: ")
    assert ended.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_network_for_other_data_is_not_scored(cli, in_empty_folder, monkeypatch):
    import json

    shown = cli("show", ZEROS, SET, "mse.cells=2", "--json").json
    text = json.dumps(shown["graph"]).replace('"shape": [1, 8, 8]', '"shape": [1, 9, 9]')
    Path("n.json").write_text(text)
    ended = cli("score", "n.json")
    assert ended.code == 2
    assert "n.json is for input (1, 9, 9) and 10 classes, but the data has (1, 8, 8)" in ended.err


def test_a_score_that_can_not_be_computed_fails_with_status_1(cli, plugin_file):
    path = plugin_file("""
        from evo_core import FitnessFunction, hookimpl

        def score(view, options):
            raise ValueError("no luck")

        @hookimpl
        def evo_components():
            yield FitnessFunction(name="f", summary="", goal="max", needs=("graph",), score=score)
        """)
    flags = (SET, "mse.cells=2", "--plugin", path, "--fitness", "f", "--json")
    ended = cli("score", ZEROS, *flags)
    assert (ended.code, ended.json["status"]) == (1, "error")
    assert "no luck" in ended.json["error"]


def test_a_bug_keeps_its_traceback(monkeypatch, in_empty_folder):
    from evo_core import cli, summaries

    def broken(folder):
        raise RuntimeError("a bug")

    monkeypatch.setattr(summaries, "summaries", broken)
    with pytest.raises(RuntimeError, match="a bug"):
        cli.main(["runs", "."])


@pytest.mark.parametrize(
    ("name", "known", "hint"),
    [
        ("mes", ["mse", "other"], "did you mean 'mse'?"),
        ("RDM", ["rdm"], "did you mean 'rdm'?"),
        ("runn", ["run", "runs", "list"], "did you mean 'run' or 'runs'?"),
        ("zzz", ["b", "a"], "known: a, b"),
        ("x", [], "none is known"),
    ],
)
def test_a_suggestion_names_what_is_close_or_all_there_is(name, known, hint):
    assert did_you_mean(name, known) == hint


def test_an_error_of_evo_is_an_exception_a_program_can_catch(quick_run):
    with pytest.raises(EvoError, match="did you mean 'mse'"):
        quick_run(space="mes")
