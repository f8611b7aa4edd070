"""What may be asked of networks: a value alone is a list of one, and each mistake is named."""

from __future__ import annotations

import numpy as np
import pytest

from evo_core import EvoError, array_dataset, evaluate
from evo_core.evaluating.question import ask
from evo_core.evaluating.subjects import load_subjects


def test_a_value_alone_is_a_list_of_one():
    alone = ask(noise="gaussian:0.1", drop_events=0.5, timesteps=4, energy="simple")
    assert alone == ask(noise=["gaussian:0.1"], drop_events=[0.5], timesteps=[4], energy=["simple"])
    assert [str(one) for one in alone.conditions] == [
        "clean", "gaussian 0.1", "drop-events 0.5", "T = 4"
    ]  # fmt: skip
    assert ask(drop_events="0.5", timesteps="4").conditions[1:] == alone.conditions[2:]


def test_what_is_named_twice_is_asked_once():
    found = ask(
        noise=["shot:0.2,0.2", "gaussian:0.1", "shot:0.20,0.1"],
        drop_events=np.array([0.5, 0.5]),
        timesteps=[2, "2", 2.0, np.int64(2)],
        energy=["simple", "simple"],
    )
    assert [str(one) for one in found.conditions] == [
        "clean", "shot 0.1", "shot 0.2", "gaussian 0.1", "drop-events 0.5", "T = 2"
    ]  # fmt: skip
    assert found.energy == ("simple",)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"timesteps": [2.7]}, "timesteps has 2.7, which is not a whole number"),
        ({"timesteps": True}, "timesteps has True, which is not a whole number"),
        ({"timesteps": [float("inf")]}, "timesteps has inf, which is not a whole number"),
        ({"timesteps": [None]}, "timesteps has None, which is not a whole number"),
        ({"timesteps": -1}, "timesteps has -1; a network is shown 1 time step or more"),
        ({"noise": 0.1}, "noise has 0.1, which is not a text"),
        ({"noise": "gaussian:inf"}, "noise gaussian has the level inf; take one from 0 to 10"),
        ({"noise": "shot:-1"}, "noise shot has the level -1; take one from 0.001 to 10"),
        ({"drop_events": float("nan")}, "drop-events has the level nan; take one from 0 to 1"),
        ({"drop_events": [1.1]}, "drop-events has the level 1.1; take one from 0 to 1"),
        ({"drop_events": -0.1}, "drop-events has the level -0.1; take one from 0 to 1"),
        ({"drop_events": [True]}, "drop-events has the level True, which is not a number"),
        ({"drop_events": [[0.1]]}, r"drop-events has the level \[0.1\], which is not a number"),
        ({"energy": None}, "energy has None, which is not a text"),
        ({"split": None}, "no split 'None'; known: test, validation"),
        ({"repeats": 0}, "repeats is 0; take 1 or more"),
        ({"repeats": None}, "repeats is None, which is not a whole number"),
        ({"repeats": 1.5}, "repeats is 1.5, which is not a whole number"),
        ({"samples": 0}, "samples is 0; take 1 or more"),
        ({"samples": True}, "samples is True, which is not a whole number"),
        ({"seed": -1}, "seed is -1; take 0 or more"),
        ({"seed": "x"}, "seed is 'x', which is not a whole number"),
        ({"checkpoints": []}, "name a checkpoint, e.g. a training folder"),
        ({"checkpoints": None}, "None is no checkpoint; name a training folder or a target"),
    ],
)
def test_a_mistake_is_named_and_nothing_is_loaded(tmp_path, asked, said):
    given = {"checkpoints": tmp_path / "none"} | asked
    with pytest.raises(EvoError, match=f"^{said}$"):
        evaluate(given.pop("checkpoints"), **given)


@pytest.mark.parametrize(
    ("shape", "said"),
    [
        ((1, 8, 8), "makes spikes of values from 0 to 1, but the data go from 0 to 16"),
        ((4, 1, 8, 8), "but the data are events already"),
    ],
)
def test_an_encoding_is_checked_for_every_network(trainings, shape, said):
    """The second takes over the data of the first, which is shown images as they are."""
    inputs = np.zeros((100, *shape), np.float32)
    inputs[::2] = 16
    data = array_dataset("loud", inputs, np.arange(100) % 10)
    names = [str(trainings[name].folder) for name in ("wide", "spikes")]
    assert len(load_subjects(names, [{"data": "loud"}], components=[data])) == 2
    with pytest.raises(EvoError, match=f"^{names[1]} can not be shown these data: .*{said}"):
        evaluate(names, data=data)
