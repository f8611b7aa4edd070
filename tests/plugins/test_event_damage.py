"""Recordings that were damaged at random: one line that names the file, or events in range."""

from __future__ import annotations

import random
import zipfile

import numpy as np
import pytest

from evo_core import EvoError
from evo_data import nmnist
from evo_data.aedat import read_aedat2, read_aedat3
from evo_data.dvs128_gesture import find as find_gestures

CASES = 500


def damaged(content: bytes, chance: random.Random) -> bytes:
    """Change some bytes, cut some out, repeat some, or cut the file off; mostly near the start."""
    data = bytearray(content)
    for _ in range(chance.choice([1, 1, 2, 8])):
        near = chance.random() < 0.5
        place = chance.randrange(min(len(data), 400) if near and data else len(data) or 1)
        size = chance.choice([1, 1, 2, 4, 5, 8, 64])
        match chance.randrange(5):
            case 0 | 1:
                for index in range(place, min(place + size, len(data))):
                    data[index] = chance.choice([0, 255, chance.randrange(256)])
            case 2:
                del data[place : place + size]
            case 3:
                data[place:place] = data[place : place + size] or b"x"
            case 4:
                data = data[:place] if chance.random() < 0.3 else data
    return bytes(data)


def outcomes(content, read, path, side=None):
    """Damage a file again and again, and say what came of it.

    It is refused with one line that names it, or read, with events in range.
    """
    found = set()
    for case in range(CASES):
        path.write_bytes(damaged(content, random.Random(case)))
        try:
            read_events = read(path)
        except EvoError as error:
            message = str(error)
            named = path.name in message and "\n" not in message
            found.add("refused" if named else message)
            continue
        for events in read_events:
            in_range(events, side)
        found.add("read")
    return found


def in_range(events, side):
    assert len(events)
    assert (np.diff(events.t) >= 0).all()
    assert events.x.min() >= 0 <= events.y.min()
    assert max(events.x.max(), events.y.max()) < side
    assert events.p.max() <= 1


def test_damaged_bin_files(stream, nmnist_bytes, tmp_path):
    def read(path):
        return [nmnist.decode(path.read_bytes(), str(path))]

    content = nmnist_bytes(*stream(300, 34))
    assert outcomes(content, read, tmp_path / "one.bin", 34) == {"refused", "read"}


@pytest.mark.parametrize("version", [2, 3])
def test_damaged_aedat_files(version, stream, aedat2_bytes, aedat3_bytes, tmp_path):
    content = {2: aedat2_bytes, 3: aedat3_bytes}[version](*stream(2500, 128))
    reader = {2: read_aedat2, 3: read_aedat3}[version]
    found = outcomes(content, lambda path: [reader(path)], tmp_path / "one.aedat", 128)
    assert found == {"refused", "read"}


def test_damaged_zips(write_nmnist, tmp_path):
    path = write_nmnist(tmp_path, zipped=True, train=1) / "Train.zip"

    def read(path):
        return list(nmnist.find(tmp_path).train.read())

    assert outcomes(path.read_bytes(), read, path, 34) == {"refused", "read"}


def test_an_entry_that_claims_to_be_huge_is_refused_before_it_is_unpacked(write_nmnist, tmp_path):
    write_nmnist(tmp_path, zipped=True)
    with zipfile.ZipFile(tmp_path / "Train.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("Train/0/00001.bin", bytes(2**26))
    with pytest.raises(EvoError, match=r"Train.zip is damaged: odd entry 'Train/0/00001.bin'"):
        nmnist.find(tmp_path)


@pytest.mark.parametrize("name", ["user01_natural_labels.csv", "trials_to_train.txt"])
def test_damaged_labels_and_lists(name, write_gesture, tmp_path):
    path = write_gesture(tmp_path, train=2) / name

    def read(path):
        files = find_gestures(tmp_path)
        assert set(files.train.labels) <= set(range(11))
        return []

    assert outcomes(path.read_bytes(), read, path) == {"refused", "read"}
