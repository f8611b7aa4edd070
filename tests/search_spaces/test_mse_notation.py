"""Motifs of one's own, as records and as TOML templates, and what is said of wrong ones."""

from __future__ import annotations

import pytest

from evo_core.components import Motif
from evo_core.errors import EvoError


def template(*nodes, output=("a",), feedback=()):
    return {"T": {"nodes": list(nodes), "output": list(output), "feedback": list(feedback)}}


def decoded(space, genome_with, task, motif, k):
    genome = genome_with(space, {".motif": motif, "inputs": str(k)})
    edges = space.decode(genome, task).edges
    inside = [e for e in edges if e.source.startswith("cell1/") and e.target.startswith("cell1/")]
    return [(e.source[6:], e.target[6:], e.sign, e.stage) for e in inside]


def test_a_template_is_added_to_the_motifs_to_choose_from(make_space, genome_with, digits_task):
    nodes = ("a = +(xeven)", "b = -(xodd)", "c = -(a) +(b) + id(x1) + id(a)")
    space = make_space(motifs=["FE"], templates=template(*nodes, output=("c", "a")))
    assert space.genes[0].choices == ("FE", "T")
    assert decoded(space, genome_with, digits_task, "T", 3) == [
        ("x0", "a", 1, "forward"),
        ("x2", "a", 1, "forward"),
        ("x1", "b", -1, "forward"),
        ("a", "c", -1, "forward"),
        ("b", "c", 1, "forward"),
        ("x1", "c", 0, "forward"),
        ("a", "c", 0, "forward"),
        ("c", "out", 0, "forward"),
        ("a", "out", 0, "forward"),
    ]


@pytest.mark.parametrize("feedback", ["next-step", "same-step"])
def test_a_motif_record_of_a_plugin_means_the_same_as_a_template(
    make_space, genome_with, digits_task, feedback
):
    text = {"nodes": ("a = +(x*)", "b = +(a)"), "output": ("b",), "feedback": ("a <- -(b)",)}
    record = Motif(name="T", summary="mine", **text)
    by_record = make_space(record, motifs=["FE", "T"], feedback=feedback)
    by_text = make_space(motifs=["FE"], templates={"T": text}, feedback=feedback)
    genome = genome_with(by_record, {".motif": "T", "inputs": "4"})
    assert by_record.genes == by_text.genes
    assert by_record.decode(genome, digits_task) == by_text.decode(genome, digits_task)


def test_a_state_may_feed_back_on_itself(make_space, genome_with, digits_task):
    loop = template("a = +(x*)", feedback=("a <- -(a)",))
    next_step = make_space(motifs=["FE"], templates=loop)
    assert ("a", "a", -1, "next-step") in decoded(next_step, genome_with, digits_task, "T", 2)
    same_step = make_space(motifs=["FE"], templates=loop, feedback="same-step")
    edges = decoded(same_step, genome_with, digits_task, "T", 2)
    assert ("a", "a_after", -1, "same-step") in edges
    assert ("a_after", "out", 0, "forward") in edges


def test_nodes_that_stand_before_the_last_source_read_the_state_before_feedback(
    make_space, genome_with, digits_task
):
    nodes = ("a = +(x*)", "b = +(a)", "c = +(b)", "d = +(a)")
    feedback = ("a <- -(c)", "a <- +(b)")
    templates = template(*nodes, output=("a", "d"), feedback=feedback)
    space = make_space(motifs=["FE"], templates=templates, feedback="same-step")
    edges = decoded(space, genome_with, digits_task, "T", 2)
    assert edges[2:] == [
        ("a", "b", 1, "forward"),
        ("b", "c", 1, "forward"),
        ("a", "a_after", 0, "forward"),
        ("c", "a_after", -1, "same-step"),
        ("b", "a_after", 1, "same-step"),
        ("a_after", "d", 1, "forward"),
        ("a_after", "out", 0, "forward"),
        ("d", "out", 0, "forward"),
    ]


def test_an_input_that_is_read_twice_has_a_gene_for_each_edge(make_space, genome_with, digits_task):
    nodes = ("a = +(x*)", "b = +(x*)")
    space = make_space(motifs=["FE"], templates=template(*nodes, output=("a", "b")), cells=1)
    assert [gene.name for gene in space.genes][1:] == [
        *(f"cell1.in{i}" for i in range(4)),
        *(f"cell1.edge{i}" for i in range(1, 5)),
        "inputs",
    ]
    for k in (2, 3, 4):
        genome = genome_with(space, {".motif": "T", "inputs": str(k)})
        assert sum(space.active(genome)) == 2 + 2 * k


NODES = ("a = +(x*)", "b = +(a) + id(x0)")
WRONG = {
    "a wrong term": (("a = *(x0)",), ("a",), (), "'*(x0)' is no term such as +(a), -(a), id(a)"),
    "a node without terms": (("a = ",), ("a",), (), "'nothing' is no term"),
    "a line without equals sign": (("a +(x0)",), ("a",), (), "a node line is 'name = terms'"),
    "a node named like an input": (("x9 = +(x0)",), ("x9",), (), "none with x"),
    "a node twice": ((*NODES, "a = +(b)"), ("a",), (), "each name once"),
    "a name with a dash": (("a-b = +(x0)",), ("a-b",), (), "a node line is 'name = terms'"),
    "a node that is not there": (("a = +(bb)",), ("a",), (), "'bb' is not there yet"),
    "a node read too early": (("a = +(b)", "b = +(x0)"), ("a",), (), "'b' is not there yet"),
    "an input beyond the smallest k": (
        ("a = +(x3)",),
        ("a",),
        (),
        "a cell may have only 2 inputs, from x0",
    ),
    "no output": (NODES, (), (), "motif 'T' has no output node"),
    "an output that is not there": (NODES, ("c",), (), "motif 'T': output 'c'"),
    "an input as output": (NODES, ("x0",), (), "motif 'T': output 'x0'"),
    "feedback to no node": (NODES, ("a",), ("c <- -(b)",), "nodes: ['a', 'b']"),
    "feedback to an input": (NODES, ("a",), ("x0 <- -(b)",), "nodes: ['a', 'b']"),
    "feedback without arrow": (NODES, ("a",), ("a = -(b)",), "'node <- terms'"),
    "feedback from no node": (NODES, ("a",), ("a <- -(c)",), "'c' is not there yet"),
    "feedback without sign": (NODES, ("a",), ("a <- id(b)",), "with a sign, + or -"),
    "feedback without terms": (NODES, ("a",), ("a <- ",), "is no term"),
}


@pytest.mark.parametrize("case", WRONG, ids=list(WRONG))
def test_a_wrong_motif_is_refused_with_one_line_that_names_it(make_space, case):
    nodes, output, feedback, message = WRONG[case]
    with pytest.raises(EvoError) as caught:
        make_space(templates=template(*nodes, output=output, feedback=feedback))
    text = str(caught.value)
    assert message in text
    assert text.startswith("motif 'T'")
    assert "\n" not in text


def test_a_wrong_node_name_comes_with_the_closest_names(make_space):
    with pytest.raises(EvoError, match="did you mean 'gate'"):
        make_space(templates=template("gate = +(x*)", "a = +(gat)"))


def test_the_wrong_line_is_quoted(make_space):
    with pytest.raises(EvoError, match=r"motif 'T', in 'b = \?\(a\)'"):
        make_space(templates=template("a = +(x*)", "b = ?(a)"))


WRONG_OPTIONS = {
    "k of 1": ({"inputs": [1, 2]}, "inputs holds 1; a cell has 2 to 8 inputs"),
    "k of 9": ({"inputs": [9]}, "inputs holds 9; a cell has 2 to 8 inputs"),
    "an unknown operation": ({"operations": ["conv4"]}, "no operation 'conv4'; did you mean"),
    "as many reductions as cells": ({"cells": 3, "reductions": 3}, "3 reductions need"),
    "a repeated choice": ({"motifs": ["FE", "FE"]}, "a choice repeats in ['FE', 'FE']"),
    "an unknown motif": ({"motifs": ["FF"]}, "no motif 'FF'"),
    "an unknown neuron": ({"neurons": ["lif", "lef"]}, "no neuron 'lef'; did you mean 'lif'"),
    "no motif": ({"motifs": []}, "mse.motifs is []"),
    "an unknown feedback": ({"feedback": "later"}, 'mse.feedback is "later"'),
    "an unknown key in a template": (
        {"templates": {"T": {"nodes": ["a = +(x*)"], "output": ["a"], "feedbak": []}}},
        "mse.templates.T.feedbak",
    ),
}


@pytest.mark.parametrize("case", WRONG_OPTIONS, ids=list(WRONG_OPTIONS))
def test_a_wrong_option_is_refused_with_one_line(make_space, case):
    options, message = WRONG_OPTIONS[case]
    with pytest.raises(EvoError) as caught:
        make_space(**options)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


REFUSED = {
    "feedback from an input": (("a = +(x*)",), ("a",), ("a <- -(x0)",)),
    "feedback to a later node": (("a = +(x*)", "b = +(x0)"), ("b",), ("b <- -(a)",)),
    "a node named out": (("out = +(x*)",), ("out",), ()),
    "a node named like a state after feedback": (
        ("a = +(x*)", "a_after = +(a)"),
        ("a",),
        ("a <- -(a_after)",),
    ),
    "an input with leading zeros": (("a = +(x00)",), ("a",), ()),
    "stray plus signs": (("a = + + +(x0)",), ("a",), ()),
    "a plus sign at the end": (("a = +(x0) +",), ("a",), ()),
    "an output named twice": (("a = +(x0)",), ("a", "a"), ()),
}


@pytest.mark.parametrize("feedback_stage", ["next-step", "same-step"])
@pytest.mark.parametrize("case", REFUSED, ids=list(REFUSED))
def test_a_motif_that_could_not_be_decoded_is_refused(make_space, case, feedback_stage):
    nodes, output, feedback = REFUSED[case]
    templates = template(*nodes, output=output, feedback=feedback)
    with pytest.raises(EvoError, match="motif 'T'"):
        make_space(motifs=["FE"], templates=templates, feedback=feedback_stage)
