"""Recipes: the losses they name, and several of them compared."""

from __future__ import annotations

import json

import pytest
import torch
from spikingjelly.activation_based.functional import temporal_efficient_training_cross_entropy
from torch.nn import functional

from evo_core.errors import EvoError
from evo_core.recipe import Recipe, cut_down, read_recipe
from evo_core.snn.optimising import loss_of

SHORT = ("--epochs", "1", "--samples", "60", "--batch", "30", "--quiet")


@pytest.fixture(scope="module")
def outputs():
    rng = torch.Generator().manual_seed(0)
    logits = 2 * torch.randn((4, 5, 3), generator=rng, dtype=torch.float64)
    return logits, torch.tensor([0, 2, 1, 1, 0])


def test_without_lambda_tet_is_that_of_spikingjelly(outputs):
    ours = loss_of(read_recipe("tet", {"tet_lambda": 0.0}), *outputs)
    assert ours.allclose(temporal_efficient_training_cross_entropy(*outputs))


def test_tet_adds_the_squared_distance_from_the_threshold(outputs):
    """Equation 13 of the paper, step by step."""
    logits, targets = outputs
    entropy = sum(functional.cross_entropy(one, targets) for one in logits) / len(logits)
    apart = sum(functional.mse_loss(one, torch.ones_like(one)) for one in logits) / len(logits)
    assert loss_of(read_recipe("tet"), *outputs).allclose(0.95 * entropy + 0.05 * apart)
    assert loss_of(read_recipe("tet", {"tet_lambda": 1.0}), *outputs).allclose(apart)


def test_tet_takes_mixed_labels(outputs):
    logits, targets = outputs
    shares = functional.one_hot(targets, 3).to(logits)
    assert loss_of(read_recipe("tet"), logits, shares).allclose(
        loss_of(read_recipe("tet"), *outputs)
    )


def test_lambda_without_tet_is_refused():
    with pytest.raises(EvoError, match="tet_lambda is for the loss tet; with the loss ce set it"):
        read_recipe("quick", {"tet_lambda": 0.1})


def test_recipes_and_developments_are_compared_in_one_table(cli, chain_file, tmp_path):
    ways = ("--recipe", "sgd", "--recipe", "tet", "--develop", "none", "--develop", "set")
    done = cli("train", chain_file, *SHORT, *ways, "--out", tmp_path / "t")
    assert done.code == 0
    names = ["sgd-none", "sgd-set", "tet-none", "tet-set"]
    assert [line.split()[0] for line in done.out.splitlines()[1:5]] == names
    summary = json.loads((tmp_path / "t" / "summary.json").read_text())
    assert [one["recipe_name"] for one in summary["trainings"]] == ["sgd", "sgd", "tet", "tet"]
    assert [one["recipe"]["loss"] for one in summary["trainings"]] == ["ce", "ce", "tet", "tet"]
    told = [name.split(", ")[1:] for name in summary["summary"]]
    assert told == [name.split("-") for name in names]


def test_recipes_have_folders_and_spreads_of_their_own(cli, chain_file, tmp_path):
    ways = ("--recipe", "quick", "--recipe", "tet", "--seeds", "0-1")
    done = cli("train", chain_file, *SHORT, *ways, "--out", tmp_path / "t", "--json")
    names = ["quick-seed-0", "quick-seed-1", "tet-seed-0", "tet-seed-1"]
    assert [one["name"] for one in done.json["trainings"]] == names
    assert all((tmp_path / "t" / name / "result.json").is_file() for name in names)
    assert [name.rpartition(", ")[2] for name in done.json["summary"]] == ["quick", "tet"]


@pytest.mark.parametrize(
    ("ways", "said"),
    [
        (("--recipe", "tet", "--recipe", "tet"), "--recipe names the same thing twice"),
        (("--recipe", "tet", "--recipe", "ted"), "no recipe 'ted'; did you mean 'tet'?"),
        (
            ("--recipe", "tet", "--recipe", "sgd", "--set", "recipe.loss=mse"),
            "tet_lambda is for the loss tet; with the loss mse set it to 0",
        ),
    ],
)
def test_a_mistake_among_recipes_gets_one_line(cli, chain_file, tmp_path, ways, said):
    done = cli("train", chain_file, *SHORT, *ways, "--out", tmp_path / "t")
    assert done.code == 2
    assert said in done.err
    assert done.err.count("\n") == 1
    assert not (tmp_path / "t").exists()


@pytest.mark.parametrize(
    ("samples", "batch", "line"),
    [
        (10, 64, "batch 10 instead of 64, for want of training samples"),
        (None, 1000, "batch 100 instead of 1000, for want of training samples"),
        (200, 50, "samples 100 instead of 200, for want of training samples"),
        (100, 100, ""),
        (None, 50, ""),
    ],
)
def test_what_a_recipe_does_not_get_is_said(samples, batch, line):
    assert cut_down(Recipe(samples=samples, batch=batch), 100) == line
