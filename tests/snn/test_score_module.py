"""``score_module``: any torch module is scored, and left exactly as it was."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest
import torch
from spikingjelly.activation_based import functional as sj
from spikingjelly.activation_based import layer, neuron
from torch import nn
from torch.nn import functional

from evo_core import EvoError, FitnessFunction, score_module
from evo_core.config import from_layers
from evo_core.evaluation import Candidate
from evo_core.genome import random_genome
from evo_core.plan import Job, make_plan
from evo_core.registry import installed
from evo_core.snn.network import SpikingNetwork
from evo_core.snn.weights import Weights
from evo_core.snn.worker import Evaluator

RECORDS = installed().all(FitnessFunction)
READABLE = [
    name
    for name, record in RECORDS.items()
    if not record.needs_with(record.options()) & {"graph", "trained"}
]
SPIKES = ["rdm", "rdm[feature=rate]", "nwot", "sahd", "jaccard", "firing-rate", "swap"]


class Relus(nn.Module):
    """A network with BatchNorm, dropout and ReLUs of all kinds, one of them in place."""

    def __init__(self):
        super().__init__()
        self.conv, self.norm = nn.Conv2d(1, 6, 3), nn.BatchNorm2d(6)
        self.drop, self.fc = nn.Dropout(0.2), nn.Linear(6, 20)
        self.prelu, self.head = nn.PReLU(), nn.Linear(20, 3)

    def forward(self, x):
        x = functional.relu(self.norm(self.conv(x)), inplace=True)
        x = self.fc(self.drop(x.mean((2, 3))))
        return self.head(functional.leaky_relu(self.prelu(x), 0.1))


def spiking(mode):
    net = nn.Sequential(
        layer.Conv2d(1, 4, 3), layer.BatchNorm2d(4), neuron.LIFNode(v_threshold=0.3),
        layer.Flatten(), layer.Linear(64, 12), neuron.ParametricLIFNode(v_threshold=0.2),
        layer.Linear(12, 3),
    )  # fmt: skip
    sj.set_step_mode(net, mode)
    return net


MODULES = {
    "relu": Relus,
    "relu in evaluation": lambda: Relus().eval(),
    "single-step": lambda: spiking("s"),
    "multi-step": lambda: spiking("m"),
}


def batch_for(module, batch=8):
    steps = (3,) if isinstance(module, nn.Sequential) else ()
    return torch.rand(*steps, batch, 1, 6, 6), torch.arange(batch) % 3


def made(kind):
    torch.manual_seed(0)
    module = MODULES[kind]()
    return module, *batch_for(module)


def used(module, inputs):
    """Leave traces of earlier use: hooks, gradients, and neurons in the midst of a sequence."""
    module.register_forward_hook(lambda *_: None)
    next(module.children()).register_forward_pre_hook(lambda *_: None)
    last = list(module.parameters())[-1]
    last.requires_grad_(False)
    module(inputs[0] if getattr(module[2], "step_mode", "") == "s" else inputs)[0].sum().backward()


def traces(module):
    """Tell all that must not change."""
    return {
        "state": {name: one.numpy().tobytes() for name, one in module.state_dict().items()},
        "modes": [one.training for one in module.modules()],
        "hooks": [
            (list(one._forward_hooks.items()), list(one._forward_pre_hooks.items()))
            for one in module.modules()
        ],
        "parameters": [(id(one), one.requires_grad, id(one.grad)) for one in module.parameters()],
        "memory": [id(one.v) for one in module.modules() if hasattr(one, "v")],
        "memorised": [
            one.v.tolist() if isinstance(one.v, torch.Tensor) else one.v
            for one in module.modules()
            if hasattr(one, "v")
        ],
        "random": (random.getstate(), np.random.get_state()[1].tolist()),
        "torch": torch.get_rng_state().tolist(),
        "gradients": torch.is_grad_enabled(),
    }


@pytest.mark.parametrize("kind", MODULES)
def test_every_score_leaves_a_module_as_it_was(kind):
    module, inputs, labels = made(kind)
    if kind.endswith("step"):
        used(module, inputs)
    before, given = traces(module), inputs.clone()
    for name in READABLE:
        scores = score_module(module, inputs, labels, [name])
        assert traces(module) == before, name
        assert scores[name].status in ("ok", "undefined")
    assert torch.equal(inputs, given)


@pytest.mark.parametrize("need", ["gram", "network", "gradients"])
def test_a_score_that_fails_leaves_a_module_as_it_was(need):
    def fail(view, options):
        torch.rand(1), np.random.rand(), random.random()
        if view.network is not None:
            view.run(view.network())
        raise ZeroDivisionError("on purpose")

    mine = FitnessFunction(name="mine", summary="", goal="max", needs=(need,), score=fail)
    module, inputs, labels = made("multi-step")
    used(module, inputs)
    before = traces(module)
    with pytest.raises(ZeroDivisionError, match="on purpose"):
        score_module(module, inputs, labels, ["mine"], components=[mine])
    assert traces(module) == before


@pytest.mark.parametrize("kind", ["relu", "single-step", "multi-step"])
def test_a_score_does_not_depend_on_the_others_nor_on_what_was_before(kind):
    module, inputs, labels = made(kind)
    together = score_module(module, inputs, labels, READABLE, seed=3)
    torch.rand(7)
    if kind.endswith("step"):
        used(module, inputs)
        list(module.parameters())[-1].requires_grad_(True)
    for name in READABLE[::-1]:
        alone = score_module(module, inputs, labels, [name], seed=3)[name]
        assert alone.value == together[name].value, name


def test_most_scores_are_defined_and_say_what_they_cost():
    for kind in MODULES:
        scores = score_module(*made(kind), READABLE)
        values = [name for name, score in scores.items() if score.status == "ok"]
        assert len(values) >= len(READABLE) - 2, kind
        for name, score in scores.items():
            assert score.goal == RECORDS[name].goal
            assert score.forwards >= 1


def by_hand(codes):
    """Give nwot of binary codes, a list of ``[B, D]``."""
    kernel = sum(c @ c.T + (1 - c) @ (1 - c).T for c in (one.double() for one in codes))
    return kernel.logdet().item()


def test_relus_are_seen_at_every_call_modules_and_functions_alike():
    module, inputs, labels = made("relu in evaluation")
    with torch.no_grad():
        maps = module.norm(module.conv(inputs))
        before = module.fc(maps.relu().mean((2, 3)))
        codes = [maps.flatten(1) > 0, before > 0, module.prelu(before) > 0]
    score = score_module(module, inputs, labels, ["nwot"])["nwot"]
    assert score.value == pytest.approx(by_hand(codes), rel=1e-9)


@pytest.mark.parametrize("act", [nn.ReLU(), nn.ReLU6(), nn.LeakyReLU(), nn.PReLU(), nn.RReLU()])
def test_a_module_that_is_reused_is_seen_each_time(act):
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(5, 30), act, nn.Linear(30, 30), act, nn.Linear(30, 2)).eval()
    inputs = torch.randn(6, 5)
    with torch.no_grad():
        first = net[0](inputs)
        codes = [first > 0, net[2](act(first)) > 0]
    found = score_module(net, inputs, fitness=["nwot", "swap"])
    assert found["nwot"].value == pytest.approx(by_hand(codes), rel=1e-9)
    columns = torch.cat(codes, 1).T.tolist()
    assert found["swap"].value == len({tuple(column) for column in columns})


def test_neither_neurons_nor_relus_leave_scores_of_spikes_undefined():
    net = nn.Sequential(nn.Linear(5, 9), nn.Tanh(), nn.Linear(9, 2))
    for name, score in score_module(net, torch.rand(6, 5), fitness=SPIKES).items():
        assert score.status == "undefined", name


@pytest.mark.parametrize("feedback", ["same-step", "next-step"])
def test_a_network_of_evo_scores_as_a_module_what_it_scores_in_a_run(feedback):
    names = [*SPIKES, "snip", "fisher", "jacob-cov", "synflow", "zico"]
    layers = {
        "fitness": names,
        "scoring": {"batch": 8, "steps": 2},
        "mse": {"cells": 2, "channels": 2, "feedback": feedback},
    }
    plan = make_plan(Job(from_layers(layers)))
    genome = random_genome(np.random.default_rng(0), plan.space.genes)
    evaluator = Evaluator(plan)
    expected = evaluator.evaluate(Candidate(0, genome, "")).scores
    batch, weights = evaluator._batches[0], Weights(plan.config.seed)
    module = Stepwise(SpikingNetwork(plan.decode(genome), plan.neurons, weights))
    found = score_module(module, batch.frames, batch.labels, names)
    for name in names:
        assert found[name].value == pytest.approx(expected[name].value, rel=1e-4), name


def test_a_network_of_evo_in_the_midst_of_a_sequence_stays_there():
    layers = {"mse": {"cells": 2, "channels": 2}, "scoring": {"batch": 4, "steps": 2}}
    plan = make_plan(Job(from_layers(layers)))
    for number in range(20):
        genome = random_genome(np.random.default_rng(number), plan.space.genes)
        if any(edge.stage == "next-step" for edge in plan.decode(genome).edges):
            break
    module = SpikingNetwork(plan.decode(genome), plan.neurons, Weights(0))
    frames = torch.rand(2, 4, 1, 8, 8)
    fresh = score_module(module, frames, [0, 1, 2, 3], ["rdm", "snip"])
    module(frames)
    held = {name: value.clone() for name, value in module.held.items()}
    again = score_module(module, frames, [0, 1, 2, 3], ["rdm", "snip"])
    assert {name: one.value for name, one in again.items()} == {
        name: one.value for name, one in fresh.items()
    }
    assert held
    assert all(torch.equal(module.held[name], value) for name, value in held.items())


class Stepwise(nn.Module):
    """Show a sequence step by step, as a run scores it: BatchNorm averages over each step."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, frames):
        return torch.cat([self.network(frame[None]) for frame in frames])


def test_single_and_multi_step_neurons_score_alike():
    found = []
    for mode in ("s", "m"):
        torch.manual_seed(0)
        module = nn.Sequential(*[one for i, one in enumerate(spiking(mode)) if i != 1]).double()
        torch.manual_seed(1)
        inputs, labels = batch_for(module)
        found.append(score_module(module, inputs, labels, READABLE))
    for name in READABLE:
        first, second = (scores[name].value for scores in found)
        assert first == pytest.approx(second, rel=1e-6), name


class Repeating(nn.Module):
    """A module that shows a frame to its neurons itself, as many published networks do."""

    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, x):
        return self.net(x[None].expand(3, *x.shape)).mean(0)


def test_a_module_that_repeats_frames_itself_is_scored_over_its_own_steps():
    module, inputs, labels = made("multi-step")
    shown = score_module(module, inputs[:1].expand_as(inputs), labels, SPIKES)
    itself = score_module(Repeating(module), inputs[0], labels, SPIKES)
    assert [one.value for one in itself.values()] == [one.value for one in shown.values()]


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("kind", ["relu in evaluation", "multi-step"])
def test_any_dtype_is_scored_and_half_precision_as_float32(kind, dtype):
    module, inputs, labels = made(kind)
    module.to(dtype)
    found = score_module(module, inputs, labels, READABLE)
    wide = torch.promote_types(dtype, torch.float32)
    expected = score_module(module.to(wide), inputs, labels, READABLE)
    assert [one.value for one in found.values()] == [one.value for one in expected.values()]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")
@pytest.mark.parametrize("kind", MODULES)
def test_a_module_on_a_gpu_scores_as_on_the_cpu(kind):
    module, inputs, labels = made(kind)
    expected = score_module(module.double(), inputs, labels, READABLE)
    found = score_module(module.cuda(), inputs, labels, READABLE)
    assert {one.device.type for one in module.parameters()} == {"cuda"}
    if kind == "relu":  # dropout draws other numbers there
        return
    for name, score in expected.items():
        assert found[name].value == pytest.approx(score.value, rel=1e-3), name


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_scoring_works_where_gradients_are_off(mode):
    module, inputs, labels = made("multi-step")
    expected = score_module(module, inputs, labels, ["snip", "rdm"])
    with mode():
        inside = inputs.clone()
        found = score_module(module, inside, labels, ["snip", "rdm"])
    assert [one.value for one in found.values()] == [one.value for one in expected.values()]


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_inputs_that_are_no_numbers_leave_no_score(bad):
    module, inputs, labels = made("multi-step")
    inputs[0, 2, 0, 1, 1] = bad
    for score in score_module(module, inputs, labels, READABLE).values():
        assert (score.value, score.details["reason"]) == (None, "the inputs are not all finite")


def test_logits_that_are_no_numbers_leave_no_score():
    module, inputs, labels = made("relu")
    nn.init.constant_(module.head.weight, math.inf)
    for score in score_module(module, inputs, labels, READABLE).values():
        assert (score.value, score.details["reason"]) == (None, "the logits are not all finite")


def test_names_may_be_one_text_with_commas():
    found = score_module(*made("relu"), "nwot, rdm[metric=cosine]")
    assert list(found) == ["nwot", "rdm[metric=cosine]"]


def test_time_is_told_by_the_labels_or_said():
    module, inputs, labels = made("multi-step")
    expected = score_module(module, inputs, labels, ["rdm"])["rdm"].value
    without = score_module(module, inputs, fitness=["rdm"], time_axis=True)["rdm"].value
    square = score_module(module, inputs[:, :3], labels[:3], ["rdm"])["rdm"]
    said = score_module(module, inputs[:, :3], labels[:3], ["rdm"], time_axis=True)["rdm"]
    assert (without, square.value) == (expected, said.value)


class Wrong(nn.Module):
    def __init__(self, answer):
        super().__init__()
        self.answer = answer

    def forward(self, x):
        return self.answer


class Triple(neuron.LIFNode):
    def forward(self, x):
        return 3 * super().forward(x)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"fitness": ["nwto"]}, "no fitness 'nwto'; did you mean 'nwot'?"),
        ({"fitness": ["zico[part=3]"]}, "no option zico.part; did you mean 'parts'?"),
        ({"fitness": ["params"]}, "'params' reads the graph of a network of evo's own"),
        ({"fitness": ["accuracy"]}, "'accuracy' trains networks of evo's own"),
        ({"fitness": ["snip"], "labels": None}, "'snip' needs labels"),
        ({"fitness": ["epe-nas"], "labels": None}, "'epe-nas' needs labels"),
        ({"labels": torch.zeros(5)}, r"inputs of shape \(8, 1, 6, 6\) do not hold 5 samples"),
        ({"labels": torch.arange(8)}, "labels go from 0 to 2 for the 3 logits"),
        ({"labels": torch.arange(8) - 6}, "labels go from 0 to 2 for the 3 logits"),
        ({"module": len}, "a builtin_function_or_method can not be scored"),
        ({"labels": torch.zeros(8, 3)}, r"labels have the shape \(8, 3\)"),
        ({"inputs": torch.tensor(1.0), "labels": None}, "are no batch"),
        ({"module": spiking("m"), "labels": None}, "say time_axis=True or time_axis=False"),
        ({"module": Wrong((1, 2))}, "the module gives a tuple"),
        ({"module": Wrong(torch.zeros(7, 3))}, r"the module gives \(7, 3\) for 8 samples"),
        ({"module": nn.Sequential(nn.Flatten(), Triple(v_threshold=0.1))}, "other values than 0"),
    ],
)
def test_what_can_not_be_scored_is_refused_in_one_line(arguments, message):
    module, inputs, labels = made("relu")
    given = {"module": module, "inputs": inputs, "labels": labels} | arguments
    with pytest.raises(EvoError, match=message) as raised:
        score_module(**given)
    assert "\n" not in str(raised.value)


def test_a_module_that_can_not_be_copied_and_a_computed_weight_are_refused():
    module, inputs, labels = made("relu")
    module.stream = (one for one in ())
    with pytest.raises(EvoError, match="can not be copied"):
        score_module(module, inputs, labels)
    module, inputs, labels = made("relu")
    nn.utils.parametrizations.weight_norm(module.head)
    with pytest.raises(EvoError, match=r"weight of layer 'module.head' is computed"):
        score_module(module, inputs, labels, ["snip"])


KERNELS = {"nwot", "nwot-normalised", "sahd", "sahd-snasnet", "jaccard"}
JACOBIANS = {"jacob-cov", "epe-nas"}
RDM = {"rdm"}
COSTS = {"energy", "synops"}
LOSS = {"snip", "grad-norm", "fisher", "grasp", "zico"}
THRESHOLDS = {"no spikes": 2.5, "no gradient": 1e6, "all spikes": -1e6}


def degenerate(case):
    """Give a spiking network without BatchNorm, and a batch, of which something is wrong."""
    torch.manual_seed(0)
    net = spiking("m")
    net[1] = nn.Identity()
    inputs, labels = batch_for(net)
    for one in net:
        if isinstance(one, neuron.BaseNode):
            one.v_threshold = THRESHOLDS.get(case, one.v_threshold)
    if case == "duplicate samples":
        inputs[:, 1] = inputs[:, 0]
    batch = 1 if case == "one sample" else len(labels)
    return net, inputs[:, :batch], labels[:batch]


@pytest.mark.parametrize(
    ("case", "undefined"),
    [
        ("nothing wrong", set()),
        ("no spikes", KERNELS | RDM | COSTS),
        ("no gradient", KERNELS | RDM | COSTS | JACOBIANS | LOSS),
        ("all spikes", KERNELS | JACOBIANS),
        ("duplicate samples", KERNELS | JACOBIANS),
        ("one sample", KERNELS | RDM | JACOBIANS | {"zico"}),
    ],
)
def test_what_is_undefined_is_what_the_docs_say(case, undefined):
    names = [name for name in READABLE if name != "zen"]  # which brings weights of its own
    scores = score_module(*degenerate(case), names)
    found = {name for name, score in scores.items() if score.status == "undefined"}
    assert found == undefined


@pytest.mark.parametrize(("case", "rate"), [("no spikes", 0), ("all spikes", 1)])
def test_activity_of_dead_and_saturated_networks_is_a_number(case, rate):
    names = ["firing-rate", "silent-share", "neuron-entropy", "swap"]
    values = [one.value for one in score_module(*degenerate(case), names).values()]
    assert values == [rate, 1 - rate, 0, 1]
