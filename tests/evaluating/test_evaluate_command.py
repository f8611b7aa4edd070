"""``evo evaluate``: its table, its folder, and one line for each mistake."""

from __future__ import annotations

import json

import pytest

FAST = ("--samples", "30", "--repeats", "1", "--quiet")


def test_the_table_has_a_line_for_each_network_and_condition(cli, trainings, tmp_path):
    wide, narrow = trainings["wide"].folder, trainings["narrow"].folder
    done = cli("evaluate", wide, narrow, *FAST, "--noise", "gaussian:0.2", "--out", tmp_path / "e")
    assert done.code == 0
    rows = [line for line in done.out.splitlines() if line.startswith(("clean", "gaussian 0.2"))]
    assert len(rows) == 4
    assert "epoch 3 of" in done.out
    assert "spikesim is not available: No supported Conv2d" in done.out
    assert "30 test samples of digits, 1 draws" in done.out
    written = json.loads((tmp_path / "e" / "evaluation.json").read_text())
    assert [one["checkpoint"] for one in written["checkpoints"]] == [str(wide), str(narrow)]


def test_json_is_what_is_written(cli, trainings, tmp_path):
    flags = (*FAST, "--energy", "none", "--out", tmp_path / "e", "--json")
    done = cli("evaluate", trainings["wide"].folder, *flags)
    written = json.loads((tmp_path / "e" / "evaluation.json").read_text())
    assert done.json == {"folder": str(tmp_path / "e"), **written}
    assert list(written["checkpoints"][0]["energy_models"]) == ["evo"]


def test_without_out_it_is_kept_below_runs(cli, trainings, in_empty_folder):
    done = cli("evaluate", trainings["wide"].folder, *FAST, "--energy", "none", "--json")
    assert done.json["folder"].startswith("runs/evaluate-digits-")
    assert (in_empty_folder / done.json["folder"] / "evaluation.csv").is_file()


def test_initial_weights_are_said_to_be_such(cli, tmp_path):
    done = cli("evaluate", "reference:2fc[hidden=9]", *FAST, "--seed", "3", "--out", tmp_path / "e")
    assert "NOT TRAINED: initial weights, seed 3" in done.out


def test_progress_is_told_on_stderr(cli, trainings, tmp_path):
    flags = (*FAST[:-1], "--energy", "none", "--timesteps", "1", "--out", tmp_path / "e")
    done = cli("evaluate", trainings["narrow"].folder, *flags)
    assert done.code == 0
    lines = done.err.splitlines()
    assert lines[0] == "1 network on 30 samples"
    assert [line.split(":")[0] for line in lines[1:]] == ["clean", "T = 1"]


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (("--noise", "gausian:0.1"), "no noise 'gausian'; did you mean 'gaussian'?"),
        (("--noise", "gaussian"), "noise 'gaussian' has no level; write e.g. gaussian:0.1,0.2"),
        (("--noise", "gaussian:-0.1"), "noise gaussian has the level -0.1; take one from 0 to 10"),
        (("--noise", "gaussian:nan"), "noise gaussian has the level nan; take one from"),
        (("--noise", "salt-pepper:1.5"), "salt-pepper has the level 1.5; take one from 0 to 1"),
        (("--noise", "shot:0.1,x"), "noise shot has the level 'x', which is not a number"),
        (("--drop-events", "2"), "drop-events has the level 2; take one from 0 to 1"),
        (("--drop-events", "0.2"), "is shown images as they are; take --noise"),
        (("--timesteps", "0"), "timesteps has 0; a network is shown 1 time step or more"),
        (("--timesteps", "2.5"), "timesteps has '2.5', which is not a whole number"),
        (("--energy", "simpl"), "no energy model 'simpl'; did you mean 'simple'?"),
        (("--split", "tests"), "no split 'tests'; did you mean 'test'?"),
        (("--repeats", "0"), "repeats is 0; take 1 or more"),
        (("--samples", "0"), "samples is 0; take 1 or more"),
    ],
)
def test_a_mistake_gets_one_line_and_writes_nothing(cli, trainings, tmp_path, flags, said):
    refused(cli, tmp_path, trainings["wide"].folder, *flags, said=said)


def test_other_data_than_a_network_is_for_are_refused(cli, trainings, tmp_path):
    import numpy as np

    images = np.zeros((80, 1, 5, 5), np.float32)
    np.savez(tmp_path / "small.npz", images=images, labels=np.arange(80) % 4)
    flags = ("--data", "folder", "--data-root", tmp_path / "small.npz")
    said = "is for input (1, 8, 8) and 10 classes, but folder has (1, 5, 5) and 4"
    refused(cli, tmp_path, trainings["wide"].folder, *flags, said=said)


def test_networks_for_different_data_are_not_compared(cli, trainings, tmp_path):
    wide = trainings["wide"].folder
    refused(cli, tmp_path, wide, wide, said="is named twice")
    refused(cli, tmp_path, wide, "runs/none", said="there is no such training or run folder")


def test_a_folder_that_is_full_is_left_alone(cli, trainings, tmp_path):
    (tmp_path / "e").mkdir()
    (tmp_path / "e" / "mine.txt").write_text("mine")
    done = cli("evaluate", trainings["wide"].folder, *FAST, "--out", tmp_path / "e")
    assert done.code == 2
    assert "exists and is not empty; choose another --out" in done.err
    assert [path.name for path in (tmp_path / "e").iterdir()] == ["mine.txt"]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"noise": ["gaussian:0.1"]}, "is for images, but the data are events; take --drop-events"),
        ({"timesteps": [5]}, "timesteps has 5, but the events come in 4 frames"),
    ],
)
def test_what_makes_no_sense_for_events_is_refused(of_events, asked, said):
    from evo_core import EvoError, evaluate

    from .conftest import EVENTS

    with pytest.raises(EvoError, match=said):
        evaluate(of_events, data=EVENTS, **asked)


def test_frames_that_are_no_counts_lose_no_events():
    import numpy as np

    from evo_core import EvoError, array_dataset, evaluate

    data = array_dataset("half", np.full((80, 3, 1, 4, 4), 0.5), np.arange(80) % 2)
    with pytest.raises(EvoError, match="frames that count events, but these hold other numbers"):
        evaluate("reference:2fc[hidden=4]", data=data, drop_events=[0.5])


def refused(cli, tmp_path, *arguments, said):
    done = cli("evaluate", *FAST, *arguments, "--out", tmp_path / "e")
    assert done.code == 2
    assert said in done.err
    assert done.err.count("\n") == 1
    assert not (tmp_path / "e").exists()
