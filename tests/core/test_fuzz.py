"""Files that were damaged at random: a clear line or the right answer, never anything else."""

from __future__ import annotations

import random
import shutil
from contextlib import closing

import pytest

from evo_core import EvoError
from evo_core.config import from_layers, read_toml
from evo_core.plan import Job, make_plan
from evo_core.snn.tensors import read_tensors, write_tensors
from evo_core.store import Store
from evo_core.stored import config_of


def damaged(content: bytes, chance: random.Random) -> bytes:
    """Change some bytes, cut some out, repeat some, put some in, or cut the file off."""
    data = bytearray(content)
    for _ in range(chance.choice([1, 1, 2, 8])):
        place = chance.randrange(len(data) or 1)
        size = chance.choice([1, 1, 2, 4, 64])
        match chance.randrange(6):
            case 0 | 1:
                for index in range(place, min(place + size, len(data))):
                    data[index] = chance.randrange(256)
            case 2:
                data[place : place + 1] = bytes([data[place] ^ (1 << chance.randrange(8))])
            case 3:
                del data[place : place + size]
            case 4:
                data[place:place] = data[place : place + size] or b"x"
            case 5:
                data = data[: max(1, place)] if chance.random() < 0.2 else data
    return bytes(data)


def everything(folder):
    """Read all that a run folder holds."""
    with closing(Store.open(folder)) as store:
        facts = [store.fact(key) for key in ("versions", "objectives", "given", "lock", "started")]
        rest = (store.evaluated(), store.generations(), store.rescores(), store.result())
        return facts, config_of(store), *rest


@pytest.mark.slow
def test_a_damaged_database_is_refused_or_read_right(finished_run, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(finished_run, folder)
    content = (folder / "run.sqlite").read_bytes()
    expected = everything(folder)
    messages = []
    for seed in range(1000):
        (folder / "run.sqlite").write_bytes(damaged(content, random.Random(seed)))
        try:
            found = everything(folder)
        except EvoError as error:
            messages.append(str(error))
        else:
            assert found == expected, seed
    assert 300 < len(messages) < 1000  # many a byte is unused
    assert not [text for text in messages if len(text.splitlines()) != 1]


def test_a_damaged_configuration_is_refused_or_a_configuration(finished_run, tmp_path):
    path = tmp_path / "config.toml"
    content = (finished_run / "config.toml").read_bytes()
    messages = []
    for seed in range(600):
        path.write_bytes(damaged(content, random.Random(seed)))
        try:
            make_plan(Job(from_layers(read_toml(path))))
        except EvoError as error:
            messages.append(str(error))
    assert 100 < len(messages) < 600
    assert not [text for text in messages if len(text.splitlines()) != 1]


def test_damaged_tensors_are_refused_or_read_right(tmp_path):
    torch = pytest.importorskip("torch")
    path = tmp_path / "weights.safetensors"
    tensors = {
        "a.weight": torch.arange(12.0).reshape(3, 4),
        "b": torch.ones(2, dtype=torch.bool),
    }
    write_tensors(path, tensors, {"epoch": "3"})
    kept, facts = read_tensors(path)
    assert facts == {"epoch": "3"}
    assert all(torch.equal(kept[name], tensor) for name, tensor in tensors.items())
    content = path.read_bytes()
    messages = []
    for seed in range(600):
        path.write_bytes(damaged(content, random.Random(seed)))
        try:
            read_tensors(path)
        except EvoError as error:
            messages.append(str(error))
    assert len(messages) > 100
    assert not [text for text in messages if len(text.splitlines()) != 1]


def test_tensors_that_are_not_there_or_can_not_be_written_are_named(tmp_path):
    with pytest.raises(EvoError, match="there is no file"):
        read_tensors(tmp_path / "none.safetensors")
    with pytest.raises(EvoError, match=r"none/w\.safetensors can not be written: No such file"):
        write_tensors(tmp_path / "none" / "w.safetensors", {}, {})
