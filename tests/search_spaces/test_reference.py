"""The space ``reference``: shapes and counts by hand, and what plain SpikingJelly layers give."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest
import torch
from spikingjelly.activation_based import layer, neuron, surrogate
from torch import nn

from evo_core.architecture import Task
from evo_core.binding import Binder
from evo_core.cli import main
from evo_core.components import NeuronModel, SearchSpace, load
from evo_core.config import from_layers
from evo_core.drawing import draw_network
from evo_core.errors import EvoError
from evo_core.plan import Job, make_plan
from evo_core.primitives import BatchNorm, Conv, Linear, Pool
from evo_core.registry import installed
from evo_core.snn.network import SpikingNetwork
from evo_core.snn.scoring import untrained_pass
from evo_core.snn.weights import Weights
from evo_core.targets import resolve
from evo_reference.networks import NETWORKS

CIFAR = Task((3, 32, 32), 10, 4)
MNIST = Task((1, 28, 28), 10, 4)
SMALL = {"channels": 4, "hidden": 20}
# untrained, the published thresholds leave the classes silent; these let every layer fire
LIVELY = SMALL | {"conv_neuron": "plif[threshold=0.6]", "fc_neuron": "lif[threshold=0.02]"}
TASKS = [
    Task((1, 8, 8), 3, 4),
    Task((2, 13, 9), 5, 3),
    Task((3, 1, 1), 2, 2),
    Task((1, 5, 16), 4, 1),
]


def network(name, task, **options):
    binder = Binder(installed(), {"reference": options})
    bound = binder.bind(SearchSpace, "reference")
    space = load(bound.record.build)(bound.options, binder.bind)
    return space.decode((space.genes[0].choices.index(name),), task)


def weights_of(architecture, kind):
    """Count the weights of layers of a kind, without biases."""
    operations = [op for edge in architecture.edges for op in edge.operations]
    return [
        op.fan_in * op.outputs if kind is Conv else op.inputs * op.outputs
        for op in operations
        if isinstance(op, kind)
    ]


def test_6conv2fc_has_the_published_numbers_of_weights():
    built = network("6conv2fc", CIFAR)
    convs, (fc, classifier) = weights_of(built, Conv), weights_of(built, Linear)
    assert convs == [3456, 147_456, 294_912, 589_824, 1_179_648, 2_359_296]
    assert fc == 512 * 8 * 8 * 512 == 16_777_216
    assert sum(convs) + fc == 21_351_808  # what the published method may prune, 21.35 M
    assert classifier == 5120
    norms, biases = 2 * (2 * 128 + 2 * 256 + 2 * 512), 512 + 10
    assert built.parameters == 21_351_808 + 5120 + norms + biases


def test_6conv2fc_makes_the_multiply_accumulates_of_its_layers():
    built = network("6conv2fc", CIFAR)
    pixels = [32**2, 32**2, 16**2, 16**2, 8**2, 8**2]
    convs = sum(n * pixel for n, pixel in zip(weights_of(built, Conv), pixels, strict=True))
    assert built.macs == convs + 16_777_216 + 5120 == 624_301_056


def test_2fc_is_784_800_10_on_mnist():
    built = network("2fc", MNIST)
    assert [edge.target for edge in built.edges] == ["fc1", "fc2", "logits"]
    assert built.shapes["fc1"] == (800,)
    assert built.macs == 784 * 800 + 800 * 10
    assert built.parameters == built.macs + 800 + 10


def test_2conv2fc_halves_mnist_twice():
    built = network("2conv2fc", MNIST)
    assert built.shapes["conv1"] == (32, 28, 28)
    assert built.shapes["conv2"] == (64, 14, 14)
    assert weights_of(built, Linear) == [64 * 7 * 7 * 128, 1280]
    assert built.macs == 9 * 32 * 28**2 + 9 * 32 * 64 * 14**2 + 64 * 7 * 7 * 128 + 1280


def test_widths_can_be_chosen_and_keep_their_proportion():
    built = network("6conv2fc", CIFAR, **SMALL)
    assert [built.shapes[f"conv{i}"][0] for i in range(1, 7)] == [4, 4, 8, 8, 16, 16]
    assert built.shapes["fc1"] == (20,)


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("task", [*TASKS, MNIST, CIFAR])
def test_every_network_takes_every_task(name, task):
    built = network(name, task, **SMALL)
    assert built.task == task
    assert built.shapes["logits"] == (task.classes,)
    assert built == network(name, task, **SMALL)


def neurons_as_published(name):
    if name == "conv":
        return neuron.ParametricLIFNode(
            init_tau=2.0, decay_input=True, v_threshold=1.0, v_reset=0.0, detach_reset=True,
            surrogate_function=surrogate.ATan(alpha=2.0), step_mode="m",
        )  # fmt: skip
    return neuron.LIFNode(
        tau=2.0, decay_input=True, v_threshold=0.5, v_reset=0.0, detach_reset=True,
        surrogate_function=surrogate.PiecewiseQuadratic(alpha=2.0), step_mode="m",
    )  # fmt: skip


def by_hand(widths, hidden):
    """Build 6conv2fc for 3x16x16 and 10 classes as its code lists it, after SpikingJelly's ways."""
    modules, before = [], 3
    for number, width in enumerate(widths, 1):
        modules += [
            layer.Conv2d(before, width, 3, padding=1, bias=False, step_mode="m"),
            layer.BatchNorm2d(width, step_mode="m"),
            neurons_as_published("conv"),
        ]
        modules += [layer.MaxPool2d(2, step_mode="m")] if number in (2, 4) else []
        before = width
    sizes = [before * 4 * 4, hidden, 10]
    modules.append(layer.Flatten(step_mode="m"))
    for given, wanted in pairwise(sizes):
        modules += [layer.Linear(given, wanted, step_mode="m"), neurons_as_published("fc")]
    return nn.Sequential(*modules).double()


def test_6conv2fc_computes_what_the_listed_layers_compute_gradients_included():
    task = Task((3, 16, 16), 10, 6)
    architecture = network("6conv2fc", task, channels=8, hidden=40)
    records = installed().all(NeuronModel)
    ours = SpikingNetwork(architecture, records, Weights(0, dtype=torch.float64))
    theirs = by_hand((8, 8, 16, 16, 32, 32), 40)
    generator = torch.Generator().manual_seed(1)
    learnt = [name for name, _ in theirs.named_parameters() if not name.endswith(".w")]
    mine = [one for name, one in ours.named_parameters() if not name.endswith(".w")]
    with torch.no_grad():
        for name, one in zip(learnt, mine, strict=True):
            one.mul_(4)  # so that the classes fire too
            theirs.get_parameter(name).copy_(one)
    frames = torch.rand((6, 4, 3, 16, 16), generator=generator, dtype=torch.float64)
    given, expected = ours(frames), theirs(frames)
    assert 0 < float(expected.detach().mean()) < 1
    assert torch.equal(given, expected)
    for logits in (given, expected):
        logits.mean(0).square().sum().backward()
    for name, one in zip(learnt, mine, strict=True):
        assert torch.allclose(one.grad, theirs.get_parameter(name).grad), name
    assert sum(float(one.grad.abs().sum()) for one in mine) > 0


def passes(architecture, statistics):
    """Give logits and spikes of both executors, float64."""
    records = installed().all(NeuronModel)
    weights = Weights(3, dtype=torch.float64)
    generator = torch.Generator().manual_seed(0)
    task, spikes, seen = architecture.task, {}, {}
    frames = torch.rand((task.steps, 3, *task.shape), generator=generator, dtype=torch.float64)
    logits = untrained_pass(
        architecture, frames, neurons=records, weights=weights, statistics=statistics,
        on_spikes=lambda name, step, fired: spikes.setdefault(name, []).extend(fired),
    )  # fmt: skip
    module = SpikingNetwork(architecture, records, weights)
    for name, one in module.populations.items():
        one.register_forward_hook(
            lambda _, given, fired, name=name: seen.setdefault(name, []).extend(fired)
        )
    with torch.no_grad():
        pieces = frames.split(1 if statistics == "step" else task.steps)
        return (logits, spikes), (torch.cat([module(piece) for piece in pieces]), seen)


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("statistics", ["step", "sequence"])
def test_both_executors_agree_spike_for_spike(name, task, statistics):
    architecture = network(name, task, **LIVELY)
    (logits, spikes), (expected, seen) = passes(architecture, statistics)
    assert torch.equal(logits, expected)
    assert set(logits.unique().tolist()) <= {0.0, 1.0}
    for population, fired in spikes.items():
        assert torch.equal(torch.stack(fired), torch.stack(seen[population.replace(".", "_")]))
    assert float(torch.stack(spikes[next(reversed(spikes))]).mean()) > 0 or task.shape == (3, 1, 1)


def test_without_spiking_output_the_logits_are_currents():
    architecture = network("2conv2fc", TASKS[0], **LIVELY, spiking_output=False)
    assert architecture.nodes[-1].name == "logits"
    assert isinstance(architecture.edges[-1].operations[-1], Linear)
    (logits, _), (expected, _) = passes(architecture, "step")
    assert torch.allclose(logits, expected, rtol=1e-12, atol=1e-14)
    assert len(logits.unique()) > 2


def test_spikes_may_be_pooled_by_their_average():
    text = "reference:2conv2fc[channels=4,hidden=20{}]"
    pools = [
        [op for edge in network.edges for op in edge.operations if isinstance(op, Pool)]
        for network in (
            resolve(text.format(more)).architecture for more in ("", ",pool=max", ",pool=average")
        )
    ]
    most, average = [Pool("max", 2, 2)] * 2, [Pool("average", 2, 2)] * 2
    assert pools == [most, most, average]


def test_only_convolutions_are_normalised():
    built = network("6conv2fc", CIFAR)
    for edge in built.edges:
        kinds = [type(op) for op in edge.operations]
        assert (BatchNorm in kinds) == (Conv in kinds)


@pytest.mark.parametrize("name", NETWORKS)
def test_a_target_names_a_network(name):
    found = resolve(f"reference:{name}")
    assert found.genome == (list(NETWORKS).index(name),)
    assert found.architecture == network(name, found.plan.task)
    assert resolve(f"reference:{found.genome[0]}").architecture == found.architecture


def test_a_target_may_carry_options_of_its_space():
    found = resolve("reference:2fc[hidden=30,spiking_output=false]")
    assert found.architecture == network("2fc", found.plan.task, hidden=30, spiking_output=False)
    table = [{"reference": {"hidden": 30}}]
    assert resolve("reference:2fc", table).architecture.shapes["fc1"] == (30,)
    assert resolve("mse:" + ",".join(["0"] * 19) + "[cells=2]").plan.space.genes


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("reference:6conv", "no network '6conv'; did you mean '6conv2fc'"),
        ("reference:", "no network ''; known: 2conv2fc, 2fc, 6conv2fc"),
        ("reference:3", r"gene 0 \(network\) is 3; it can be 0 = 2fc"),
        ("reference:2fc[hiden=3]", "no option reference.hiden; did you mean 'hidden'"),
        ("reference:2fc[hidden=0]", "reference.hidden is 0; input should be greater than or equal"),
        ("reference:2fc[hidden=3", "lacks its closing bracket"),
        ("reference:2fc[fc_neuron=liff]", "did you mean 'lif'"),
        ("mse:FE", "a genome is whole numbers with commas between, not 'FE'"),
    ],
)
def test_a_network_that_does_not_exist_is_refused_with_the_reason(text, reason):
    with pytest.raises(EvoError, match=reason):
        resolve(text)


def printed(capsys, *arguments):
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    assert ended.value.code == 0
    return capsys.readouterr().out


def test_show_lists_every_layer_and_score_scores(capsys):
    shown = printed(capsys, "show", "reference:6conv2fc", "--set", "reference.channels=8")
    assert "conv2 -- plif+max2/2+conv3--> conv3    16x4x4" in shown
    assert "fc2 -- lif----------------> logits   10" in shown
    target = "reference:2conv2fc[channels=4,spiking_output=false]"
    scored = json.loads(printed(capsys, "score", target, "--fitness", "rdm,params,macs", "--json"))
    assert scored["status"] == "ok"
    assert {one["status"] for one in scored["scores"].values()} == {"ok"}


@pytest.mark.parametrize("name", NETWORKS)
def test_no_two_texts_of_the_drawing_overlap(name):
    figure = draw_network(network(name, CIFAR), title=f"reference:{name}")
    figure.draw_without_rendering()
    boxes = [
        (one.get_text(), one.get_window_extent())
        for one in figure.findobj(lambda artist: hasattr(artist, "get_text"))
        if one.get_text().strip()
    ]
    assert {"fc1", "logits"} <= {text for text, _ in boxes}
    for index, (one, box) in enumerate(boxes):
        for other, second in boxes[index + 1 :]:
            assert not box.overlaps(second), f"{one!r} covers {other!r}"


def test_a_run_takes_the_space_as_any_other():
    plan = make_plan(Job(from_layers({"space": "reference[channels=4]", "fitness": ["params"]})))
    sizes = {plan.decode((value,)).parameters for value in plan.space.genes[0].values}
    assert len(sizes) == 3
