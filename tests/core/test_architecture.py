"""Architectures: identity, checks, segments, populations and JSON."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest

from evo_core.architecture import INPUT, Architecture, Cell, Edge, Node, Task, population
from evo_core.architecture_json import from_json, read, to_json
from evo_core.errors import EvoError
from evo_core.primitives import BatchNorm, Clip, Conv, GlobalAveragePool, Linear, Neuron

LIF = Neuron("lif", (("tau", 2.0), ("threshold", 0.5)))
SLOW = Neuron("lif", (("tau", 4.0), ("threshold", 0.5)))
TASK = Task((1, 8, 8), 3, 4)
NODES = (Node("a"), Node("b"), Node("c", "concat"), Node("logits"))
EDGES = (
    Edge(INPUT, "a", (Conv(1, 2, 3), BatchNorm(2))),
    Edge("a", "b", (LIF, Conv(2, 2, 3), BatchNorm(2), Clip(1))),
    Edge("b", "a", (LIF, Conv(2, 2, 3), BatchNorm(2), Clip(-1)), "next-step"),
    Edge("a", "c"),
    Edge("b", "c"),
    Edge("c", "logits", (LIF, GlobalAveragePool(), Linear(4, 3))),
)
CELLS = (Cell("cell1", "FE", ("a",), "c", reduction=True),)
NETWORK = Architecture(TASK, NODES, EDGES, "logits", CELLS)


def chain(*edges, nodes=3):
    """Make a network of nodes n0, n1, ... in a row, and further edges."""
    names = [f"n{i}" for i in range(nodes)]
    row = [Edge(source, target) for source, target in zip([INPUT, *names[:-1]], names, strict=True)]
    head = Edge(names[-1], "logits", (GlobalAveragePool(), Linear(1, 3)))
    given = (*row, *edges, head)
    return Architecture(TASK, tuple(map(Node, [*names, "logits"])), given, "logits")


def delayed(source, target):
    return Edge(source, target, (), "next-step")


def runs(architecture):
    return [("".join(n.name[-1] for n in s.nodes), s.recurrent) for s in architecture.segments]


def test_labels_are_no_part_of_the_identity():
    bare = replace(NETWORK, cells=())
    assert bare == NETWORK
    assert bare.hash == NETWORK.hash


def test_the_hash_is_the_same_in_every_process_and_version():
    assert chain(nodes=1).hash == "8072e63826b5e066743daff9be2cf084"
    assert len(NETWORK.hash) == 32
    assert int(NETWORK.hash, 16) >= 0


def changed_edges():
    stronger = replace(EDGES[1], operations=(SLOW, *EDGES[1].operations[1:]))
    wider = (LIF, Conv(2, 2, 5), BatchNorm(2), Clip(1))
    signed = (*EDGES[1].operations[:-1], Clip(-1))
    return {
        "neuron": (*EDGES[:1], stronger, *EDGES[2:]),
        "kernel": (*EDGES[:1], replace(EDGES[1], operations=wider), *EDGES[2:]),
        "sign": (*EDGES[:1], replace(EDGES[1], operations=signed), *EDGES[2:]),
        "stage": (*EDGES[:1], replace(EDGES[1], stage="same-step"), *EDGES[2:]),
        "order": (EDGES[0], EDGES[2], EDGES[1], *EDGES[3:]),
        "one more": (*EDGES, Edge("a", "b")),
        "one less": (*EDGES[:2], *EDGES[3:]),
    }


@pytest.mark.parametrize("change", list(changed_edges()))
def test_the_hash_depends_on_the_edges(change):
    assert replace(NETWORK, edges=changed_edges()[change]).hash != NETWORK.hash


def test_the_hash_depends_on_the_task():
    assert replace(NETWORK, task=replace(TASK, steps=5)).hash != NETWORK.hash


ERRORS = {
    "a backward edge": ({"edges": (*EDGES, Edge("b", "a"))}, "edge b -> a runs backward"),
    "an edge to itself": ({"edges": (*EDGES, Edge("b", "b"))}, "edge b -> b runs backward"),
    "an edge into the input": ({"edges": (*EDGES, Edge("b", INPUT))}, "b -> input runs backward"),
    "repeated names": ({"nodes": (*NODES, Node("a"))}, "node names repeat"),
    "a node named input": ({"nodes": (Node(INPUT), *NODES)}, "node names repeat"),
    "an unknown end": ({"edges": (*EDGES, Edge("a", "z"))}, "edge a -> z has an unknown end"),
    "an unknown source": ({"edges": (*EDGES, Edge("z", "b"))}, "edge z -> b has an unknown end"),
    "another class count": ({"task": replace(TASK, classes=4)}, "is not one logit per class"),
    "no such output": ({"output": "z"}, "the output 'z' is not one logit per class"),
    "maps as output": ({"output": "c"}, "the output 'c' is not one logit per class"),
    "wrong channels": (
        {"edges": (*EDGES, Edge("c", "logits", (Conv(3, 3, 1),)))},
        "can not take an input of shape (4, 8, 8)",
    ),
    "a linear layer on maps": (
        {"edges": (*EDGES, Edge("c", "logits", (Linear(4, 3),)))},
        "can not take an input of shape (4, 8, 8)",
    ),
    "sums of unlike shapes": ({"edges": (*EDGES, Edge(INPUT, "b"))}, "node 'b' can not join"),
    "maps of unlike size side by side": (
        {"edges": (*EDGES, Edge("a", "c", (Conv(2, 2, 1, 2),)))},
        "node 'c' can not join",
    ),
    "a node that nothing enters": ({"nodes": (*NODES, Node("d"))}, "node 'd' can not join"),
    "feedback of another shape": (
        {"edges": (*EDGES, delayed("c", "a"))},
        "feedback c -> a brings (4, 8, 8)",
    ),
}


@pytest.mark.parametrize("case", ERRORS)
def test_a_graph_that_can_not_run_is_refused(case):
    fields, message = ERRORS[case]
    with pytest.raises(ValueError, match=re.escape(message)):
        replace(NETWORK, **fields)


def test_shapes_follow_the_operations():
    assert NETWORK.shapes == {
        INPUT: (1, 8, 8),
        "a": (2, 8, 8),
        "b": (2, 8, 8),
        "c": (4, 8, 8),
        "logits": (3,),
    }


def test_parameters_and_macs_are_summed_over_all_edges():
    assert NETWORK.parameters == (18 + 4) + 2 * (36 + 4) + (4 * 3 + 3)
    assert NETWORK.macs == 64 * 18 + 2 * 64 * 36 + 4 * 3


def test_paths_name_both_ends_tell_feedback_and_number_parallel_edges():
    network = replace(NETWORK, edges=(*EDGES, Edge("a", "b"), Edge("a", "b")))
    assert network.paths == (
        "input->a", "a->b", "b~>a", "a->c", "b->c", "c->logits", "a->b#2", "a->b#3",
    )  # fmt: skip


def test_edges_of_one_source_and_neuron_share_a_population_and_others_do_not():
    fast = Edge("a", "b", (LIF, Conv(2, 2, 1)))
    slow = Edge("a", "b", (SLOW, Conv(2, 2, 1)))
    populations = replace(NETWORK, edges=(*EDGES, fast, slow)).populations
    assert populations["a"] == {population("a", LIF): LIF, population("a", SLOW): SLOW}
    assert population("a", LIF) == "a:lif[tau=2.0,threshold=0.5]"
    assert populations["b"] == {population("b", LIF): LIF}
    assert populations[INPUT] == populations["logits"] == {}


def test_without_delay_a_network_is_one_segment_that_runs_layer_by_layer():
    assert runs(chain()) == [("012s", False)]


def test_a_next_step_edge_ties_its_ends_and_all_between_together():
    assert runs(chain(delayed("n3", "n1"), nodes=5)) == [("0", False), ("123", True), ("4s", False)]


def test_a_delay_that_runs_forward_ties_as_well():
    assert runs(chain(delayed("n1", "n2"), nodes=4)) == [("0", False), ("12", True), ("3s", False)]


def test_a_node_that_feeds_itself_is_a_segment():
    assert runs(chain(delayed("n1", "n1"))) == [("0", False), ("1", True), ("2s", False)]


def test_overlapping_loops_are_one_segment_and_separate_ones_two():
    overlapping = chain(delayed("n2", "n0"), delayed("n3", "n2"), nodes=5)
    assert runs(overlapping) == [("0123", True), ("4s", False)]
    nested = chain(delayed("n3", "n0"), delayed("n2", "n1"), nodes=4)
    assert runs(nested) == [("0123", True), ("s", False)]
    separate = chain(delayed("n1", "n0"), delayed("n3", "n2"), nodes=4)
    assert runs(separate) == [("01", True), ("23", True), ("s", False)]


def test_a_delayed_edge_can_not_come_from_the_input():
    with pytest.raises(ValueError, match="feedback can not come from the input"):
        chain(delayed(INPUT, "n0"))


def test_a_name_with_a_dot_is_refused():
    with pytest.raises(ValueError, match="can not hold a dot"):
        Architecture(NETWORK.task, (Node("a.b"),), (Edge(INPUT, "a.b"),), "a.b")


def test_json_gives_back_an_equal_network_with_its_labels():
    again = from_json(json.loads(json.dumps(to_json(NETWORK))))
    assert again == NETWORK
    assert again.hash == NETWORK.hash
    assert again.cells == NETWORK.cells


def broken(**fields):
    return {**to_json(NETWORK), **fields}


def edge_json(**fields):
    first = {**to_json(NETWORK)["edges"][0], **fields}
    return broken(edges=[first, *to_json(NETWORK)["edges"][1:]])


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (None, "a part is missing or of a wrong type"),
        ([], "a part is missing or of a wrong type"),
        ({}, "a part is missing or of a wrong type"),
        (broken(nodes=None), "a part is missing or of a wrong type"),
        (broken(nodes=[{"title": "a"}]), "no option node.title"),
        (broken(task={"shape": [8, 8], "classes": 3, "steps": 4}), "task.shape.2 is missing"),
        (broken(output="z"), "the output 'z' is not one logit per class"),
        (edge_json(operations=[{"op": "magic"}]), "unknown operation 'magic'"),
        (edge_json(operations=[{"op": "conv", "inputs": 1}]), "operation conv.outputs is missing"),
        (edge_json(operations=[{"inputs": 1}]), "unknown operation None"),
        (edge_json(operations=["conv"]), ""),
        (edge_json(source="z"), "edge z -> a has an unknown end"),
    ],
)
def test_json_that_is_no_architecture_is_a_value_error(data, message):
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        from_json(data)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    "data",
    [
        edge_json(stage="nextstep"),
        broken(nodes=[{"name": "a", "join": "sum"}, *to_json(NETWORK)["nodes"][1:]]),
    ],
)
def test_json_with_an_unknown_stage_or_join_is_a_value_error(data):
    with pytest.raises(ValueError, match=r"stage|join"):
        from_json(data)


def test_a_file_may_hold_the_architecture_itself_or_below_graph(tmp_path):
    for data in (to_json(NETWORK), {"graph": to_json(NETWORK)}):
        path = tmp_path / "network.json"
        path.write_text(json.dumps(data), encoding="utf-8")
        assert read(path) == NETWORK


@pytest.mark.parametrize("text", ["no json", "[]", "{}", "3"])
def test_a_file_that_is_no_architecture_is_one_line(tmp_path, text):
    path = tmp_path / "network.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(EvoError, match="is not an architecture"):
        read(path)
    with pytest.raises(EvoError, match="can not be read"):
        read(tmp_path / "missing.json")


def test_feedback_can_not_enter_a_node_that_concatenates():
    with pytest.raises(ValueError, match="feedback can not enter a, which concatenates"):
        Architecture(
            Task((4, 8, 8), 2, 2),
            (Node("a", "concat"), Node("out")),
            (
                Edge(INPUT, "a", (Conv(4, 4, 3),)),
                Edge("a", "a", (Conv(4, 4, 3),), "next-step"),
                Edge("a", "out", (GlobalAveragePool(), Linear(4, 2))),
            ),
            "out",
        )
