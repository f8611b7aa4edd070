"""Every released motif at every k, edge by edge, against the published tables written out by hand.

``+3(a)`` is an excitatory 3x3 edge from a, ``-`` an inhibitory one, ``id`` the identity and ``0``
zero; ``n2'`` is the state n2 after feedback, whose edge from the source has a ``!`` before it.
"""

from __future__ import annotations

import re

import pytest

from evo_core.architecture import Task
from evo_core.primitives import BatchNorm, Clip, Conv, Zero

MOTIFS = ("empty", "FE", "FI", "FbI", "LI", "MI")
TERM = re.compile(r"(!?)(\+3|\+5|-3|-5|id|0)\((\w+'?)\)")

# the genes that give the kernels of the tables (0: 3x3, 1: 5x5), the nodes, the output
GOLDEN = {
    (2, 0): ([], "n2=0(x0)0(x1)", "n2"),
    (2, 1): ([0, 1, 0, 1], "n2=+3(x0)+5(x1); n3=id(x0)+5(n2)", "n2 n3"),
    (2, 2): (
        [1, 1, 0, 1, 1, 0],
        "n2=+5(x0)+5(x1); n3=id(x0)-5(n2); n4=+5(n2)-3(n3)",
        "n2 n3 n4",
    ),
    (2, 3): (
        [0, 1, 0, 1, 0, 1, 0, 0],
        "n2=+3(x0)+5(x1); n3=id(x0)-5(n2); n2'=id(n2)!id(n3); n4=id(x0)+5(n3); n3'=id(n3)!+3(n4)",
        "n2' n3' n4",
    ),
    (2, 4): (
        [0, 1, 0, 0, 1, 1, 0, 0, 0, 0],
        "n2=+3(x0)+5(x1); n3=+3(x0)+3(x1); n4=+5(n2)+5(n3); n5=id(x0)+3(n4); n6=id(x0)+3(n4)",
        "n2 n3 n4 n5 n6",
    ),
    (2, 5): ([0, 1, 0, 1], "n2=+3(x0)+5(x1); n3=id(x0)+5(n2); n2'=id(n2)!id(n3)", "n2' n3"),
    (3, 0): ([], "n3=0(x0)0(x1)0(x2)", "n3"),
    (3, 1): ([0, 1, 1, 0, 1], "n3=+3(x0)+5(x1)+5(x2); n4=+5(n3)", "n3 n4"),
    (3, 2): (
        [1, 1, 1, 0, 1, 0, 1, 0],
        "n3=+5(x0)+5(x1)+5(x2); n4=-5(n3); n5=+5(n3)-3(n4)",
        "n3 n4 n5",
    ),
    # the template says -3 for the feedback; within the released bounds it can only be +3 or +5
    (3, 3): (
        [0, 1, 0, 0, 1, 0, 0, 1, 0, 0, 0],
        "n3=+3(x0)+5(x1)+3(x2); n4=+5(n3); n3'=id(n3)!+3(n4); n5=+5(n3')",
        "n3' n4 n5",
    ),
    (3, 4): (
        [0, 1, 1, 0, 0, 1, 0, 1, 1, 0, 0, 0, 0, 0, 0],
        "n3=+3(x0)+5(x1)+5(x2); n4=+3(x0)+3(x1)+5(x2); n5=+5(n3)+5(n4); n6=+3(n3)-3(n5); "
        "n7=+3(n4)-3(n5)",
        "n3 n4 n5 n6 n7",
    ),
    (3, 5): (
        [0, 1, 1, 0, 0, 1],
        "n3=+3(x0)+5(x1)+5(x2); n4=-5(n3); n3'=id(n3)!id(n4)",
        "n3' n4",
    ),
    (4, 1): (
        [0, 1, 1, 1, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1],
        "n4=+3(x0)+5(x1)+5(x2)+5(x3); n5=+5(n4); n6=+5(n5); n7=+5(n5)",
        "n4 n5 n6 n7",
    ),
    (4, 2): (
        [1, 1, 1, 1, 0, 1, 0, 0, 1, 0],
        "n4=+5(x0)+5(x1)+5(x2)+5(x3); n5=-5(n4); n6=+5(n4)-3(n5)",
        "n4 n5 n6",
    ),
    # as executed: the 13 entries leave n5 without an edge
    (4, 3): (
        [0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1],
        "n4=+3(x0)+5(x1)+3(x2)+3(x3); n5=0(x0)0(x2)0(x1)0(x3); n4'=id(n4)!+3(n5); "
        "n6=+3(n4')+5(n4')",
        "n4' n5 n6",
    ),
    (4, 4): (
        [0, 1, 1, 1, 1, 0, 1, 0, 0, 1, 1],
        "n4=+3(x0)+5(x1)+5(x2)+5(x3); n5=+5(x0)-5(n4); n6=+5(x3)-5(n4)",
        "n4 n5 n6",
    ),
    (4, 5): (
        [0, 1, 1, 1, 0, 0, 0, 1, 0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 2],
        "n4=+3(x0)+5(x1)+5(x2)+5(x3); n5=-5(n4); n4'=id(n4)!-3(n5); n6=-5(n4')-5(n5); "
        "n7=-5(n4')-5(n5)",
        "n4' n5 n6 n7",
    ),
}
# where the gene of all convolutional feedback stands, and its template sign
FEEDBACK_GENES = {(2, 3): 8, (3, 3): 11, (4, 3): 15, (4, 5): 19}
CASES = [pytest.param(k, motif, id=f"{MOTIFS[motif]}-k{k}") for k, motif in GOLDEN]


@pytest.fixture(scope="module")
def cell_of(make_released, released_genome):
    """Give ``cell(k, motif, genes)``: a network of cells that all have that motif."""
    space = make_released(channels=2)

    def cell(k, motif, genes):
        return space.decode(released_genome(motif, k, genes), Task((1, 8, 8), 10, 4))

    return cell


def short(name):
    return name.removeprefix("cell1/").replace("_after", "'")


def operation(edge):
    if not edge.operations:
        return "id"
    if edge.operations == (Zero(),):
        return "0"
    neuron, conv, norm, clip = edge.operations
    assert neuron.model == "lif"
    assert (conv, norm) == (Conv(2, 2, conv.kernel), BatchNorm(2))
    assert clip == Clip(edge.sign)
    return f"{'+' if edge.sign > 0 else '-'}{conv.kernel}"


def nodes_of(architecture):
    """Give ``{node: [(feedback mark, operation, source), ...]}`` of the first cell."""
    inside = [n.name for n in architecture.nodes if re.match(r"cell1/n\d", n.name)]
    return {
        short(name): [
            ("!" if edge.stage == "same-step" else "", operation(edge), short(edge.source))
            for _, edge in architecture.incoming[name]
        ]
        for name in inside
    }


def output_of(architecture):
    return " ".join(short(edge.source) for _, edge in architecture.incoming["cell1/out"])


@pytest.mark.parametrize(("k", "motif"), CASES)
def test_a_cell_has_exactly_the_edges_of_the_published_table(cell_of, k, motif):
    genes, nodes, output = GOLDEN[k, motif]
    architecture = cell_of(k, motif, genes)
    expected = {}
    for part in nodes.split("; "):
        node, _, text = part.partition("=")
        expected[node] = TERM.findall(text)
    assert list(nodes_of(architecture).items()) == list(expected.items())
    assert output_of(architecture) == output


@pytest.mark.parametrize(("k", "motif"), CASES)
def test_inputs_are_preprocessed_states_oldest_first(cell_of, k, motif):
    architecture = cell_of(k, motif, [])
    inputs = [n.name for n in architecture.nodes if re.match(r"cell1/x\d$", n.name)]
    assert inputs == [f"cell1/x{i}" for i in range(k)]
    for name in inputs:
        ((_, edge),) = architecture.incoming[name]
        assert edge.source == "stem"
        assert edge.operations[1:] == (Conv(6, 2, 1), BatchNorm(2))
        assert edge.neuron is not None


@pytest.mark.parametrize(("k", "motif"), FEEDBACK_GENES)
def test_one_gene_sets_sign_and_kernel_of_the_feedback(cell_of, k, motif):
    offset = FEEDBACK_GENES[k, motif]
    found = []
    for value in range(4):
        genes = [0] * 19
        genes[offset - 1] = value
        architecture = cell_of(k, motif, genes)
        terms = [term for node in nodes_of(architecture).values() for term in node]
        found.append([op for mark, op, _ in terms if mark and op != "id"])
    assert found == [["+3"], ["+5"], ["-3"], ["-5"]]


def test_two_inputs_leave_lateral_and_mutual_inhibition_without_inhibition(cell_of):
    for motif in (4, 5):
        signs = {edge.sign for edge in cell_of(2, motif, []).edges}
        assert signs == {0, 1}


def test_the_feedback_of_the_released_bounds_never_inhibits(cell_of):
    for k in (2, 3):
        for value in (0, 1):
            architecture = cell_of(k, 3, [value] * 19)
            assert all(edge.sign >= 0 for edge in architecture.edges if edge.stage == "same-step")
