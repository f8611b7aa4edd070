"""The five motifs, edge by edge, against section 9 of the dossier written out by hand.

``a+b`` is an excitatory edge from a to b, ``-`` an inhibitory one, ``=`` the identity; ``~`` before
the target marks feedback that arrives one step later, ``!`` feedback within the step.
"""

from __future__ import annotations

import re

import pytest

from evo_core.primitives import BatchNorm, Clip, Conv, Neuron

EDGE = re.compile(r"(\w+)([+=-])([~!]?)(\w+)")
SIGNS = {"+": 1, "-": -1, "=": 0}
STAGES = {"": "forward", "~": "next-step", "!": "same-step"}

TO_A = {2: "x0+a x1+a", 3: "x0+a x1+a x2+a", 4: "x0+a x1+a x2+a x3+a"}
TO_P_AND_Q = {2: "x0+p x1+q", 3: "x0+p x2+p x1+q", 4: "x0+p x2+p x1+q x3+q"}

FEED_FORWARD = {
    "FE": (TO_A, "a+b x0=b", "a b"),
    "FI": (TO_A, "a+i a+b i-b x0=b", "a b"),
    "LI": (TO_P_AND_Q, "p+p2 q-p2 x0=p2 q+q2 p-q2 x1=q2", "p2 q2"),
}
NEXT_STEP = {
    "FbI": (TO_A, "i-~a a+b x0=b b+i", "a b"),
    "MI": (TO_P_AND_Q, "q-~p p-~q p+p2 x0=p2 q+q2 x1=q2", "p2 q2"),
}
# all sources are read before the feedback; what comes later, and the concat, reads the state after
SAME_STEP = {
    "FbI": (TO_A, "a+b x0=b b+i a=a_after i-!a_after", "a_after b"),
    "MI": (
        TO_P_AND_Q,
        "p=p_after q-!p_after q=q_after p-!q_after p_after+p2 x0=p2 q_after+q2 x1=q2",
        "p2 q2",
    ),
}
STATES = {
    "FE": "x a b",
    "FI": "x a i b",
    "FbI": "x a b i",
    "LI": "x p q p2 q2",
    "MI": "x p q p2 q2",
}
STATES_SAME_STEP = STATES | {"FbI": "x a b i a_after", "MI": "x p q p_after q_after p2 q2"}
GOLDEN = [
    pytest.param(feedback, motif, k, id=f"{motif}-k{k}-{feedback}")
    for feedback in ("next-step", "same-step")
    for motif in STATES
    for k in (2, 3, 4)
]


def golden(feedback, motif, k):
    table = FEED_FORWARD | (NEXT_STEP if feedback == "next-step" else SAME_STEP)
    inputs, inner, output = table[motif]
    edges = EDGE.findall(f"{inputs[k]} {inner}")
    return sorted((s, t, SIGNS[sign], STAGES[mark]) for s, sign, mark, t in edges), output.split()


@pytest.fixture(scope="module")
def cell_of(make_space, genome_with, digits_task):
    """Give ``cell(feedback, motif, k)``: an architecture whose cells all have that motif."""
    spaces = {
        feedback: make_space(cells=2, feedback=feedback) for feedback in ("next-step", "same-step")
    }

    def cell(feedback, motif, k):
        genome = genome_with(spaces[feedback], {".motif": motif, "inputs": str(k)})
        return spaces[feedback].decode(genome, digits_task)

    return cell


def local(name):
    return name.removeprefix("cell2/")


def edges_inside(architecture):
    """Give the edges between the states of cell 2, without those into its output."""
    return [
        edge
        for edge in architecture.edges
        if edge.source.startswith("cell2/") and edge.target.startswith("cell2/")
        if edge.target != "cell2/out"
    ]


@pytest.mark.parametrize(("feedback", "motif", "k"), GOLDEN)
def test_a_motif_has_exactly_the_edges_of_section_9(cell_of, feedback, motif, k):
    inside = edges_inside(cell_of(feedback, motif, k))
    found = sorted((local(e.source), local(e.target), e.sign, e.stage) for e in inside)
    assert found == golden(feedback, motif, k)[0]


@pytest.mark.parametrize(("feedback", "motif", "k"), GOLDEN)
def test_the_output_concatenates_the_principal_nodes_and_interneurons_stay_inside(
    cell_of, feedback, motif, k
):
    architecture = cell_of(feedback, motif, k)
    entering = [edge for _, edge in architecture.incoming["cell2/out"]]
    assert [local(edge.source) for edge in entering] == golden(feedback, motif, k)[1]
    assert all(edge.operations == () and edge.stage == "forward" for edge in entering)
    leaving = {e.source for e in architecture.edges if e.target in {"cell2/out", "logits"}}
    assert "cell2/i" not in leaving
    assert architecture.shapes["cell2/out"] == (2 * 16, 4, 4)


@pytest.mark.parametrize(("feedback", "motif", "k"), GOLDEN)
def test_a_motif_has_one_state_per_input_and_node_and_version(cell_of, feedback, motif, k):
    names = {
        local(node.name)
        for node in cell_of(feedback, motif, k).nodes
        if node.name.startswith("cell2/")
    }
    states = (STATES if feedback == "next-step" else STATES_SAME_STEP)[motif].split()
    inputs = {f"x{number}" for number in range(k)}
    assert names == (set(states) - {"x"}) | inputs | {"out"}


@pytest.mark.parametrize(("feedback", "motif", "k"), GOLDEN)
def test_a_signed_edge_is_neuron_convolution_batch_norm_and_clip(cell_of, feedback, motif, k):
    for edge in edges_inside(cell_of(feedback, motif, k)):
        if edge.sign == 0:
            assert edge.operations == ()
            continue
        neuron, conv, norm, clip = edge.operations
        assert isinstance(neuron, Neuron)
        assert neuron.model == "lif"
        assert conv == Conv(16, 16, 3, 1)
        assert norm == BatchNorm(16)
        assert clip == Clip(edge.sign)


@pytest.mark.parametrize(("feedback", "motif", "k"), GOLDEN)
def test_an_input_is_brought_by_neuron_one_by_one_convolution_and_batch_norm(
    cell_of, feedback, motif, k
):
    architecture = cell_of(feedback, motif, k)
    for number in range(k):
        ((_, edge),) = architecture.incoming[f"cell2/x{number}"]
        neuron, conv, norm = edge.operations
        assert isinstance(neuron, Neuron)
        assert (conv.kernel, conv.outputs) == (1, 16)
        assert norm == BatchNorm(16)
        assert edge.sign == 0


def test_a_state_fed_back_within_the_step_is_two_populations(cell_of):
    populations = cell_of("same-step", "MI", 2).populations
    before, after = populations["cell2/p"], populations["cell2/p_after"]
    assert len(before) == len(after) == 1
    assert set(before) != set(after)


@pytest.mark.parametrize("motif", ["FbI", "MI"])
def test_only_next_step_feedback_makes_a_cell_run_step_by_step(cell_of, motif):
    recurrent = [segment.recurrent for segment in cell_of("next-step", motif, 3).segments]
    assert recurrent.count(True) == 2
    assert not any(segment.recurrent for segment in cell_of("same-step", motif, 3).segments)
