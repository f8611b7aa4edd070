"""What can not be taken away gets one clear line, and nothing is written."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest

from evo_core import train
from evo_core.recipe import read_recipe
from evo_core.snn import checkpoint
from evo_core.snn.loaded import load_network

RECIPE = read_recipe("quick", {"epochs": 1, "samples": 32, "batch": 32})


@pytest.fixture(scope="module")
def training(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bad") / "trained"
    return train("reference:2fc[hidden=10]", recipe=RECIPE, out=folder).folder


@pytest.fixture
def copied(training, in_empty_folder):
    """Give a copy of the training in the current folder, to be spoilt."""
    shutil.copytree(training, in_empty_folder / "trained")
    return in_empty_folder / "trained"


@pytest.fixture
def refused(cli, in_empty_folder):
    """Export a target as torch, which must fail with one line and write nothing."""

    def call(target, *more):
        before = sorted(in_empty_folder.rglob("*"))
        done = cli("export", target, "--format", "torch", *more)
        assert done.code == 2
        assert (done.out, done.err.count("\n")) == ("", 1)
        assert sorted(in_empty_folder.rglob("*")) == before
        return done.err

    return call


def edit(folder, change):
    """Change the note of the last checkpoint."""
    note = folder / "epoch-1" / "checkpoint.json"
    data = json.loads(note.read_text())
    change(data)
    note.write_text(json.dumps(data))


def test_of_another_version(copied, refused):
    edit(copied, lambda data: data.update(format=99))
    assert "has the checkpoint format 99, but this evo reads 1; use the evo" in refused(copied)


@pytest.mark.parametrize("file", ["weights.safetensors", "checkpoint.json"])
def test_truncated(copied, refused, file):
    path = copied / "epoch-1" / file
    path.write_bytes(path.read_bytes()[:100])
    assert f"{file} is" in refused(copied)


@pytest.mark.parametrize("settings", [{"data": 3}, [], {"strange": 1}, "digits"])
def test_with_settings_that_are_none(copied, refused, settings):
    edit(copied, lambda data: data["job"].update(settings=settings))
    refused(copied)


def test_for_data_of_another_size(copied, refused, tmp_path):
    images = np.random.default_rng(0).integers(0, 255, (60, 6, 6), dtype=np.uint8)
    np.savez(tmp_path / "small.npz", images=images, labels=np.arange(60) % 3)
    told = refused(copied, "--data", "folder", "--data-root", tmp_path / "small.npz")
    assert "trained is for input (1, 8, 8) and 10 classes, but folder has (1, 6, 6) and 3" in told


def test_with_a_neuron_that_is_not_installed(copied, refused):
    def rename(data):
        text = json.dumps(data["job"]["architecture"])
        data["job"]["architecture"] = json.loads(text.replace('"lif"', '"my-lif"'))

    edit(copied, rename)
    assert "epoch-1 can not be loaded here: no neuron 'my-lif'; did you mean" in refused(copied)


def test_with_data_that_are_not_installed(copied, refused):
    edit(copied, lambda data: data["job"]["settings"].update(data="my-data"))
    assert "epoch-1 can not be loaded here: no data 'my-data'" in refused(copied)


def test_with_a_plugin_file_that_is_not_trusted_or_not_there(copied, refused):
    edit(copied, lambda data: data["job"]["settings"].update(plugins=["gone.py"]))
    assert "names plugin files, which are programs: " in refused(copied)
    assert "gone.py" in refused(copied, "--allow-plugins")


def test_a_folder_with_several_trainings(copied, refused):
    group = copied.parent / "group"
    for name in ("seed-0", "seed-1"):
        shutil.copytree(copied, group / name)
    (group / "trainings.json").write_text('["seed-0", "seed-1"]')
    assert "group holds several trainings; name one of them: seed-0, seed-1" in refused("group")


def test_a_training_that_has_not_begun(copied, refused):
    edit(copied, lambda data: data.update(epoch=0, files={}))
    (copied / "epoch-1").rename(copied / "epoch-0")
    assert "epoch-0 holds no weights: its training has not begun" in refused(copied)


def test_a_training_that_goes_on_while_it_is_read(copied, monkeypatch):
    looks, look = [], checkpoint.latest

    def just_before_it_is_replaced(folder):
        found = look(folder)
        if not looks:
            (copied / "epoch-1").rename(copied / "epoch-2")
        looks.append(found)
        return found

    monkeypatch.setattr(checkpoint, "latest", just_before_it_is_replaced)
    assert load_network(str(copied)).trained
    assert [path.name for path in looks] == ["epoch-1", "epoch-2", "epoch-2"]


def test_a_training_is_shown(copied, cli):
    found = cli("show", copied, "--json").json
    assert found["params"] == cli("show", "reference:2fc[hidden=10]", "--json").json["params"]
    assert "logits" in cli("show", copied).out


def test_what_is_nothing(refused, in_empty_folder):
    said = refused("nothing")
    assert "no such training or run folder; write TRAINING, TRAINING/epoch-7, RUN, " in said
    (in_empty_folder / "empty").mkdir()
    assert "empty is no run folder" in refused("empty")


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (("--seed", "7"), "trained is trained; leave out --seed"),
        (("--set", "scoring.steps=9"), "is for 4 time steps; leave out scoring.steps"),
        (("--out", "net.py"), "net.py will be a folder of network.py and weights.safetensors"),
        (("--out", "x" * 300), "can not be written: File name too long"),
    ],
)
def test_what_would_change_nothing_or_can_not_be_written(copied, refused, more, words):
    assert words in refused(copied, *more)


def test_an_epoch_that_is_not_there(copied, refused):
    assert "trained has epoch-1" in refused(copied / "epoch-9")


def test_a_target_too_long_for_a_path(refused):
    assert "55 genes, but 400 were given" in refused("mse:" + ",".join(["1"] * 400))


def test_a_training_is_no_table(copied, cli):
    done = cli("export", copied)
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert "is a training; export it with --format torch" in done.err
