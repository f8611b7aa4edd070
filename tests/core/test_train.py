"""Training in full, from Python: what is learnt, what is measured, and that it repeats."""

from __future__ import annotations

import csv
import json
import math
import os
import signal

import numpy as np
import pytest
import torch
from spikingjelly.activation_based import functional

import evo_core
from evo_core import EvoError, RunFailedError, array_dataset
from evo_core.binding import Binder
from evo_core.components import Dataset, NeuronModel, load
from evo_core.config import from_layers
from evo_core.plan import Job, make_plan
from evo_core.recipe import Recipe, read_recipe, recipes
from evo_core.registry import installed
from evo_core.snn import checkpoint
from evo_core.snn.drop_path import droppable
from evo_core.snn.optimising import learning_rate, loss_of
from evo_core.snn.training import Trainer, subset
from evo_core.targets import Target
from evo_core.train_session import go_on
from evo_core.train_watch import CsvLog
from evo_core.training import fill, job_of

SHORT = read_recipe("quick", {"epochs": 2, "samples": 200, "batch": 50})


@pytest.fixture(scope="session")
def digits():
    bound = Binder(installed(), {}).bind(Dataset, "digits")
    return load(bound.record.load)(bound.options, None)


@pytest.fixture
def trainer(chain, digits):
    def build(recipe=SHORT, seed=0, **more):
        return Trainer(chain(), digits, installed().all(NeuronModel), recipe, seed, **more)

    return build


def test_a_gradient_reaches_every_parameter(trainer):
    one = trainer()
    one.make_step()
    for name, parameter in one.network.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0, name


def test_the_quick_recipe_learns_digits(chain, tmp_path):
    result = evo_core.train(chain(), recipe=read_recipe("quick", {"epochs": 6}), out=tmp_path / "t")
    assert result.test.accuracy > 0.6
    assert result.last.validation.accuracy > 0.6


@pytest.mark.parametrize("loss", ["ce", "mse", "tet"])
@pytest.mark.parametrize("optimiser", ["adamw", "sgd"])
def test_every_loss_falls_under_every_optimiser(trainer, loss, optimiser):
    settings = {"loss": loss, "optimiser": optimiser, "epochs": 3, "batch": 50, "samples": 500}
    one = trainer(read_recipe("quick", settings | {"lr": 5e-3 if optimiser == "adamw" else 0.05}))
    losses = []
    for _ in range(3):
        while one.step < one.steps:
            one.make_step()
        losses.append(one.end_epoch().train.loss)
    assert losses[-1] < losses[0]


def test_tet_is_that_of_spikingjelly():
    logits, labels = torch.randn(3, 5, 4), torch.tensor([0, 1, 2, 3, 0])
    expected = functional.temporal_efficient_training_cross_entropy(logits, labels)
    assert torch.allclose(loss_of(Recipe(loss="tet"), logits, labels), expected)


@pytest.mark.parametrize("loss", ["ce", "mse", "tet"])
def test_shares_of_classes_may_stand_for_classes(loss):
    logits, labels = torch.randn(3, 5, 4), torch.tensor([0, 1, 2, 3, 0])
    recipe = Recipe(loss=loss, label_smoothing=0.1)
    shares = torch.nn.functional.one_hot(labels, 4).float()
    assert torch.allclose(loss_of(recipe, logits, labels), loss_of(recipe, logits, shares))


def test_the_learning_rate_rises_and_falls():
    recipe = read_recipe("paper")
    assert learning_rate(recipe, 0) == recipe.warmup_lr
    assert learning_rate(recipe, recipe.warmup_epochs) == recipe.lr
    assert learning_rate(recipe, recipe.epochs) == pytest.approx(recipe.min_lr)
    rates = [learning_rate(recipe, epoch) for epoch in range(recipe.warmup_epochs, 601)]
    assert rates == sorted(rates, reverse=True)


def test_every_recipe_can_be_read_and_cut_short():
    for name in recipes():
        assert read_recipe(name, {"epochs": 1}).warmup_epochs == 0
    assert read_recipe("paper").lr == 5e-3 * 128 / 1024


def test_a_subset_has_all_classes_in_proportion(digits):
    labels = digits.train.labels
    rows = subset(labels, 100, seed=3)
    assert len(set(rows)) == 100
    counts = np.bincount(labels[rows], minlength=10)
    assert np.abs(counts - np.bincount(labels) * 100 / len(labels)).max() <= 1
    assert list(rows) == list(subset(labels, 100, seed=3))
    assert list(rows) != list(subset(labels, 100, seed=4))


def test_drop_path_leaves_out_parallel_ways_only_and_keeps_the_mean(chain, trainer):
    assert droppable(chain()) == ["a->b", "a->b#2"]
    one = trainer()
    edge, drop_path = one.network.edge("a->b"), one.drop_path
    spikes = torch.rand(4, 3000, 8, 4, 4).round()
    with torch.no_grad():
        whole = edge(spikes)
        drop_path.draw(3000, 0.3, torch.Generator().manual_seed(1))
        some = edge(spikes)
        drop_path.rest()
        assert torch.equal(edge(spikes), whole)
    left = (some != 0).flatten(2).any(2)
    assert (left == left[0]).all()  # all time steps of a sample together
    assert 0.65 < left.float().mean() < 0.75
    assert some.mean() == pytest.approx(float(whole.mean()), rel=0.05)


def test_augmentation_draws_anew_at_every_step_and_repeats(trainer, monkeypatch):
    seen = []

    def augmented(frames, labels, texts, classes, generator):
        assert (texts, classes) == (("crop", "erasing"), 10)
        seen.append(float(torch.rand(1, generator=generator)))
        return frames * 0, labels

    monkeypatch.setattr("evo_core.snn.training.augmented", augmented)
    for _ in range(2):
        one = trainer(read_recipe("quick", {"augment": ["crop", "erasing"]}))
        one.make_step()
        one.make_step()
    assert seen[0] != seen[1]
    assert seen[:2] == seen[2:]


@pytest.mark.parametrize("loss", ["ce", "mse", "tet"])
def test_mixed_targets_are_learnt_and_answers_counted_by_the_true_classes(chain, loss):
    rng = np.random.default_rng(0)
    bright = np.arange(60) % 2
    frames = (rng.random((60, 4, 1, 8, 8)) < 0.1 + 0.6 * bright[:, None, None, None, None]) * 1.0
    splits = array_dataset("flashes", frames, bright).load(None, None)
    settings = {"augment": ["event-mix"], "loss": loss, "label_smoothing": 0.1, "batch": 12}
    recipe = read_recipe("quick", settings | {"epochs": 8, "lr": 0.02})
    one = Trainer(chain((1, 8, 8), 2, 4), splits, installed().all(NeuronModel), recipe, 0)
    accuracies = []
    for _ in range(8):
        while one.step < one.steps:
            one.make_step()
        metrics = one.end_epoch()
        assert (metrics.train.accuracy * 36) % 1 == pytest.approx(0, abs=1e-6)
        accuracies.append(metrics.validation.accuracy)
    assert max(accuracies) > 0.9


def test_the_recipe_of_the_paper_augments_each_data_set_as_its_loaders_do():
    assert read_recipe("paper").augment == read_recipe("paper", data="mnist").augment == ()
    assert "flip" in read_recipe("paper", data="cifar10").augment
    assert read_recipe("paper", data="dvs128-gesture").augment == ("crop",)
    given = read_recipe("paper", {"augment": ["flip"]}, data="cifar10")
    assert given.augment == ("flip",)
    assert read_recipe("quick", data="cifar10").augment == ()


def test_a_training_that_diverges_ends_with_one_line(trainer):
    one = trainer()
    with torch.no_grad():
        one.network.edge("b->out")[1].bias.fill_(float("nan"))
    with pytest.raises(RunFailedError, match=r"the loss is nan in step 1 of epoch 1; lower"):
        one.make_step()


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_training_whose_last_step_breaks_the_weights_ends_with_one_line(trainer, value):
    one = trainer()
    one.make_step()
    one.network.edge("b->out")[1].bias.data[0] = value
    with pytest.raises(RunFailedError, match=r"b->out\.2\.bias is not finite after epoch 1; lower"):
        one.end_epoch()


def test_clipping_shortens_the_gradient(trainer):
    one = trainer(read_recipe("quick", {"clip_gradient": 1e-3}))
    one.make_step()
    norm = torch.cat([one.grad.flatten() for one in one.network.parameters()]).norm()
    assert norm == pytest.approx(1e-3, rel=1e-3)


def test_bfloat16_trains_too(trainer):
    one = trainer(read_recipe("quick", {"amp": True}))
    one.make_step()
    assert one.sums.seen == 64


def test_what_a_training_leaves_behind(chain, tmp_path):
    result = evo_core.train(chain(), recipe=SHORT, out=tmp_path / "t", seed=4)
    written = json.loads((result.folder / "result.json").read_text())
    assert written == result.to_json(timings=False)
    assert written["test"]["weights"] == "last"
    rows = list(csv.DictReader((result.folder / "log.csv").read_text().splitlines()))
    assert [row["epoch"] for row in rows] == ["1", "2"]
    assert float(rows[-1]["validation_accuracy"]) == result.last.validation.accuracy
    assert (result.folder / "figures" / "curves.svg").is_file()
    kept = {path.name for path in result.folder.glob("epoch-*")}
    assert kept == {f"epoch-{result.best.epoch}", "epoch-2"}


def test_an_interrupt_keeps_the_step_and_what_comes_out_is_the_same(chain, tmp_path):
    whole = evo_core.train(chain(), recipe=SHORT, out=tmp_path / "whole")

    class Interrupting(CsvLog):
        def stepped(self, epoch, step, steps):
            if (epoch, step) == (2, 3):
                os.kill(os.getpid(), signal.SIGINT)

    target = Target("architecture", make_plan(Job(from_layers())), chain())
    folder = fill(tmp_path / "cut", {"": job_of(target, SHORT)}, target.plan)
    cut = go_on(folder, watchers=[Interrupting()])
    assert (cut.status, cut.test, len(cut.history)) == ("interrupted", None, 1)
    assert checkpoint.latest(folder).name == "epoch-1-step-3"
    done = go_on(folder)
    assert (done.history, done.test) == (whole.history, whole.test)
    for path in whole.folder.glob("epoch-*/*"):
        assert (folder / path.relative_to(whole.folder)).read_bytes() == path.read_bytes()


def test_data_in_memory_of_any_shape(chain, tmp_path):
    rng = np.random.default_rng(0)
    for shape, name in [((1, 28, 28), "grey"), ((3, 16, 16), "rgb")]:
        mine = array_dataset(name, rng.random((90, *shape)), np.arange(90) % 3)
        network = chain(shape, 3, 4)
        recipe = read_recipe("quick", {"epochs": 1, "batch": 20})
        result = evo_core.train(network, data=mine, recipe=recipe, out=tmp_path / name)
        assert result.test.loss > 0


def test_a_network_of_a_space_is_decoded_for_other_data(finished_run, tmp_path):
    rng = np.random.default_rng(0)
    recipe = read_recipe("quick", {"epochs": 1, "batch": 4, "samples": 8})
    for shape, name in [((1, 28, 28), "grey"), ((3, 16, 16), "rgb")]:
        mine = array_dataset(name, rng.random((60, *shape)), np.arange(60) % 3)
        result = evo_core.train(finished_run, data=mine, recipe=recipe, out=tmp_path / name)
        assert result.job.architecture.task.shape == shape
        assert result.job.architecture.task.classes == 3


def test_a_network_given_as_it_is_has_to_fit_the_data(chain, tmp_path):
    with pytest.raises(
        EvoError, match=r"is for input \(3, 8, 8\) and 10 classes, but the data has"
    ):
        evo_core.train(chain((3, 8, 8)), out=tmp_path / "t")
    assert not (tmp_path / "t").exists()
