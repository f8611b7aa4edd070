"""``evo train``: one network, several seeds, the best of a run; errors in one line."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from evo_core.interrupts import NOTED

SHORT = ("--epochs", "2", "--samples", "120", "--batch", "40", "--quiet")
KILL_POINTS = Path(__file__).parents[1] / "data" / "train_kill_points.py"


@pytest.fixture(scope="session")
def trained(tmp_path_factory, chain):
    """Give the folder of a finished training, to be read only."""
    import evo_core
    from evo_core.recipe import read_recipe

    folder = tmp_path_factory.mktemp("trainings") / "done"
    recipe = read_recipe("quick", {"epochs": 2, "samples": 120, "batch": 40})
    evo_core.train(chain(), recipe=recipe, out=folder)
    return folder


@pytest.fixture
def unfinished(trained, tmp_path):
    """Give a copy of a training whose result is not written."""
    shutil.copytree(trained, tmp_path / "unfinished")
    (tmp_path / "unfinished" / "result.json").unlink()
    return tmp_path / "unfinished"


def test_one_network_is_trained(cli, chain_file, tmp_path):
    done = cli("train", chain_file, *SHORT, "--out", tmp_path / "t", "--json")
    assert done.code == 0
    assert done.json["status"] == "done"
    assert done.json["recipe"]["samples"] == 120
    assert 0 <= done.json["test"]["accuracy"] <= 1


def test_settings_of_the_recipe_win_over_the_recipe(cli, chain_file, tmp_path):
    flags = ("--recipe", "paper", "--set", "recipe.lr=0.02", "--set", "recipe.loss=tet")
    done = cli("train", chain_file, *SHORT, *flags, "--out", tmp_path / "t", "--json")
    recipe = done.json["recipe"]
    assert (recipe["lr"], recipe["loss"], recipe["drop_path"]) == (0.02, "tet", 0.2)


def test_augmented_training_repeats_and_is_another_one(cli, chain_file, tmp_path):
    augment = ("--set", 'recipe.augment=["crop[padding=2]","erasing"]')
    one, two, plain = (
        cli("train", chain_file, *SHORT, *flags, "--out", tmp_path / name, "--json").json
        for name, flags in [("a", augment), ("b", augment), ("c", ())]
    )
    assert one["recipe"]["augment"] == ["crop[padding=2]", "erasing"]
    assert one["validation"] == two["validation"] != plain["validation"]


def test_several_seeds_make_one_table_with_mean_and_spread(cli, chain_file, tmp_path):
    done = cli("train", chain_file, *SHORT, "--seeds", "0-2", "--out", tmp_path / "t")
    lines = done.out.splitlines()
    assert [line.split()[0] for line in lines[1:4]] == ["seed-0", "seed-1", "seed-2"]
    assert "±" in lines[4]
    summary = json.loads((tmp_path / "t" / "summary.json").read_text())
    tests = [one["test"]["accuracy"] for one in summary["trainings"]]
    (spread,) = summary["summary"].values()
    assert spread["test"]["values"] == tests
    assert spread["test"]["mean"] == pytest.approx(sum(tests) / 3)


def test_the_best_of_a_front_are_trained(cli, finished_run, tmp_path):
    flags = ("--epochs", "1", "--samples", "8", "--batch", "4", "--quiet")
    out = tmp_path / "t"
    done = cli("train", finished_run, "--top", "2", *flags, "--out", out, "--json")
    assert done.code == 0
    front = json.loads((finished_run / "result.json").read_text())["front"]
    named = {one["name"] for one in done.json["trainings"]}
    assert len(named) == 2
    assert named & {f"candidate-{one['candidate']}" for one in front}
    again = cli("train", "--resume", out, "--quiet", "--json")
    assert [one["test"] for one in again.json["trainings"]] == [
        one["test"] for one in done.json["trainings"]
    ]


def test_progress_is_told_on_stderr(cli, chain_file, tmp_path):
    done = cli("train", chain_file, *SHORT[:-1], "--out", tmp_path / "t")
    assert "epoch 2/2: loss" in done.err
    assert "on digits, seed 0, from initial weights" in done.err


def test_tensorboard_is_written_when_asked_for(cli, chain_file, tmp_path):
    pytest.importorskip("tensorboard")
    cli("train", chain_file, *SHORT, "--tensorboard", "--out", tmp_path / "t")
    assert list((tmp_path / "t" / "tensorboard").glob("events.*"))


def test_without_tensorboard_one_line_says_so(cli, chain_file, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    done = cli("train", chain_file, *SHORT, "--tensorboard", "--out", tmp_path / "t")
    assert done.code == 2
    assert done.err.startswith("error: --tensorboard needs TensorBoard")
    assert not (tmp_path / "t").exists()


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (("--recipe", "papr"), "no recipe 'papr'; did you mean 'paper'?"),
        (("--set", "recipe.lr=-1"), "recipe.lr is -1; input should be greater than 0"),
        (("--set", "recipe.lr=inf"), "recipe.lr is Infinity; input should be less than"),
        (("--set", "recipe.rate=1"), "no option recipe.rate"),
        (("--set", "recipe=1"), "--set recipe=... is not of the form recipe.key=value"),
        (("--set", "recipe.warmup_epochs=2"), "take fewer than the 2 epochs"),
        (("--set", 'recipe.augment=["crp"]'), "no augmentation 'crp'; did you mean 'crop'?"),
        (("--set", "recipe.augment=crop"), 'recipe.augment is "crop"; input should be a valid'),
        (
            ("--set", 'recipe.augment=["crop", "roll[pixels=2]"]'),
            "'roll[pixels=2]', which is for events, but the data are images; take of crop, flip",
        ),
        (("--develop", "nothing"), "no development 'nothing'"),
        (
            ("--set", "sdsnn.pace=6"),
            "the development sdsnn, which is not used; add --develop sdsnn",
        ),
        (("--set", "sdsnn.pac=6"), "no option sdsnn.pac; did you mean 'pace'?"),
        (("--seeds", "0-1", "--seed", "3"), "--seeds does not go with --seed"),
        (("--resume", "x"), "name a TARGET to train, or a training to go on with"),
        (("--data", "digit"), "no data 'digit'; did you mean 'digits'?"),
    ],
)
def test_a_mistake_gets_one_line_and_writes_nothing(cli, chain_file, tmp_path, flags, said):
    done = cli("train", chain_file, *SHORT, *flags, "--out", tmp_path / "t")
    assert done.code == 2
    assert said in done.err
    assert done.err.count("\n") == 1
    assert not (tmp_path / "t").exists()


def test_what_is_no_training_can_not_go_on(cli, tmp_path, finished_run):
    for folder in (tmp_path, tmp_path / "none", finished_run):
        done = cli("train", "--resume", folder)
        assert done.code == 2
        assert "holds no training" in done.err


def test_going_on_takes_no_settings(cli, unfinished):
    done = cli("train", "--resume", unfinished, "--epochs", "9", "--data", "digits")
    assert done.err == "error: --resume goes on as it was started; leave out --epochs, --data\n"


def test_a_finished_training_is_read(cli, trained):
    done = cli("train", "--resume", trained, "--json")
    written = json.loads((trained / "result.json").read_text())
    assert {key: done.json[key] for key in written} == written


def refused(cli, folder):
    done = cli("train", "--resume", folder, "--quiet")
    assert done.code == 2
    assert done.err.startswith("error: ")
    assert done.err.count("\n") == 1
    return done.err


@pytest.mark.parametrize("name", ["weights.safetensors", "optimiser.safetensors"])
def test_a_truncated_checkpoint_is_refused(cli, unfinished, name):
    path = unfinished / "epoch-2" / name
    path.write_bytes(path.read_bytes()[:-10])
    assert f"{name} is missing or damaged" in refused(cli, unfinished)
    path.unlink()
    assert f"{name} is missing or damaged" in refused(cli, unfinished)
    shutil.rmtree(unfinished / "epoch-1", ignore_errors=True)  # kept if it is the best
    assert "it is the only checkpoint of its training" in refused(cli, unfinished)


def test_a_training_goes_on_without_its_damaged_checkpoint(
    cli, chain_file, trained, tmp_path, monkeypatch
):
    from evo_core.snn import checkpoint

    folder = tmp_path / "cut"
    newest, weights = folder / "epoch-2", "epoch-2/weights.safetensors"
    with monkeypatch.context() as patch:
        patch.setattr(checkpoint, "keep", lambda folder, best: None)  # as if epoch 1 were the best
        assert cli("train", chain_file, *SHORT, "--out", folder).code == 0
    (folder / "result.json").unlink()
    (folder / weights).write_bytes(b"")
    said = f"is missing or damaged; delete the folder {newest} to go on from {folder / 'epoch-1'}"
    assert said in refused(cli, folder)
    shutil.rmtree(newest)
    assert cli("train", "--resume", folder, "--quiet").code == 0
    assert (folder / weights).read_bytes() == (trained / weights).read_bytes()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda data: data | {"format": 9}, "has the checkpoint format 9, but this evo reads 1"),
        (lambda data: data | {"epoch": "two"}, "is damaged: checkpoint.epoch"),
        (lambda data: {}, "has the checkpoint format None"),
        (lambda data: [], "has the checkpoint format None"),
        (lambda data: data | {"job": {}}, "a training job is damaged"),
        (lambda data: data | {"files": {"../../x": ""}}, "is missing or damaged"),
        (lambda data: data | {"code": {}}, "was trained with other code"),
    ],
)
def test_a_changed_checkpoint_is_refused(cli, unfinished, change, said):
    path = unfinished / "epoch-2" / "checkpoint.json"
    path.write_text(json.dumps(change(json.loads(path.read_text()))))
    assert said in refused(cli, unfinished)


def test_a_checkpoint_that_is_no_json_is_refused(cli, unfinished):
    (unfinished / "epoch-2" / "checkpoint.json").write_text("{")
    assert "is damaged" in refused(cli, unfinished)


def test_a_checkpoint_of_another_network_is_refused(cli, unfinished, chain):
    from evo_core import architecture_json

    path = unfinished / "epoch-2" / "checkpoint.json"
    data = json.loads(path.read_text())
    data["job"]["architecture"] = architecture_json.to_json(chain(channels=4))
    path.write_text(json.dumps(data))
    assert "does not fit the network of its job" in refused(cli, unfinished)


def test_a_training_whose_optimiser_remembers_nothing_goes_on(cli, chain_file, tmp_path):
    """The file of its moments holds none."""
    plain = ("--set", "recipe.optimiser=sgd", "--set", "recipe.momentum=0")
    whole = cli("train", chain_file, *SHORT, *plain, "--out", tmp_path / "t", "--json").json
    (tmp_path / "t" / "result.json").unlink()
    again = cli("train", "--resume", tmp_path / "t", "--quiet", "--json")
    assert (again.code, again.json["test"]) == (0, whole["test"])


def test_other_code_goes_on_when_told_so(cli, unfinished, trained):
    path = unfinished / "epoch-2" / "checkpoint.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"code": {}}))
    done = cli("train", "--resume", unfinished, "--accept-changes", "--quiet")
    assert done.code == 0
    assert (unfinished / "result.json").read_bytes() == (trained / "result.json").read_bytes()


def test_plugin_files_that_only_the_folder_names_are_not_loaded(cli, unfinished):
    path = unfinished / "epoch-2" / "checkpoint.json"
    data = json.loads(path.read_text())
    data["job"]["settings"]["plugins"] = ["evil.py"]
    path.write_text(json.dumps(data))
    assert "names plugin files, which are programs" in refused(cli, unfinished)


@pytest.mark.parametrize("where", ["restore", "costs"])
def test_ctrl_c_before_the_first_step_or_after_the_last_names_the_command_too(
    cli, chain_file, trained, tmp_path, monkeypatch, where
):
    from evo_core.snn import checkpoint
    from evo_core.snn.training import Trainer

    def press(*arguments):
        raise KeyboardInterrupt

    folder = tmp_path / "cut"
    with monkeypatch.context() as patch:
        patch.setattr(checkpoint if where == "restore" else Trainer, where, press)
        done = cli("train", chain_file, *SHORT, "--out", folder)
    assert (done.code, done.err) == (130, f"interrupted; go on: evo train --resume {folder}\n")
    assert cli("train", "--resume", folder, "--quiet").code == 0
    for name in ("epoch-2/weights.safetensors", "epoch-2/optimiser.safetensors"):
        assert (folder / name).read_bytes() == (trained / name).read_bytes()


@pytest.mark.slow
def test_ctrl_c_finishes_the_step_and_the_command_it_tells_goes_on(
    evo_binary, evo, chain_file, tmp_path
):
    flags = ("--epochs", "3", "--batch", "8", "--samples", "200", "--quiet")
    command = [evo_binary, "train", chain_file, *flags, "--out", "cut"]
    process = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    until = time.monotonic() + 60
    while not (tmp_path / "cut" / "epoch-1").exists() and time.monotonic() < until:
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGINT)
    _, said = process.communicate()
    assert process.returncode == 130
    assert said == f"{NOTED}\ninterrupted; go on: evo train --resume cut\n"
    assert evo("train", "--resume", "cut", "--quiet").code == 0
    assert evo("train", chain_file, *flags, "--out", "whole").code == 0
    for name in ("result.json", "epoch-3/weights.safetensors", "epoch-3/optimiser.safetensors"):
        assert (tmp_path / "cut" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("epochs", "every", "kills", "more"),
    [
        (2, 7, 8, ("--set", 'recipe.augment=["crop", "erasing"]', "--set", "recipe.drop_path=0.2")),
        (5, 40, 3, ("--develop", "sdsnn[neurons=0.6,fc_rate=20.0,conv_rate=20.0]")),
    ],
    ids=["augmented", "developing"],
)
def test_trained_twice_or_killed_anywhere_the_checkpoints_have_the_same_bytes(
    chain_file, tmp_path, epochs, every, kills, more
):
    flags = [str(chain_file), "--epochs", str(epochs), "--samples", "60", "--batch", "30", *more]
    done = subprocess.run(
        [sys.executable, KILL_POINTS, tmp_path, str(every), *flags],
        capture_output=True, text=True, check=True, timeout=280,
    )  # fmt: skip
    found = json.loads(done.stdout)
    assert found["twice"]
    assert found["wrong"] == {}
    assert found["kills"] >= kills


def test_developments_are_compared_with_the_dense_network(cli, chain_file, tmp_path):
    ways = ("--develop", "none", "--develop", "set[density=0.5]")
    done = cli("train", chain_file, *SHORT, *ways, "--out", tmp_path / "t")
    head, dense, sparse = (line.split() for line in done.out.splitlines()[:3])
    assert head[:2] == ["training", "params"]
    assert (dense[0], sparse[0]) == ("none", "set-density=0.5")
    assert ("0.0%" in dense, "0.0%" in sparse) == (True, True)  # no neuron is gone in either
    summary = json.loads((tmp_path / "t" / "summary.json").read_text())
    costs = [one["costs"] for one in summary["trainings"]]
    assert costs[0]["pruned_weights"] == 0
    assert costs[1]["pruned_weights"] == pytest.approx(0.5, abs=0.15)  # but for what is read
    assert costs[1]["macs"] < costs[0]["macs"]
    assert [name.rpartition(", ")[2] for name in summary["summary"]] == ["none", "set[density=0.5]"]


def test_the_same_development_twice_is_refused(cli, chain_file, tmp_path):
    ways = ("--develop", "set", "--develop", "set")
    done = cli("train", chain_file, *SHORT, *ways, "--out", tmp_path / "t")
    assert done.code == 2
    assert "twice" in done.err
    assert not (tmp_path / "t").exists()


def test_the_numbers_of_a_development_are_shown_after_each_epoch(cli, chain_file, tmp_path):
    flags = [flag for flag in SHORT if flag != "--quiet"]
    done = cli("train", chain_file, *flags, "--develop", "set", "--out", tmp_path / "t")
    told = [line for line in done.err.splitlines() if line.startswith("  density ")]
    assert len(told) == 2
    assert (tmp_path / "t" / "figures" / "development.svg").is_file()
