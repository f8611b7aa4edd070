"""Real data where it lies beside the project, and small files in the layouts of the publishers."""

from __future__ import annotations

import os
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest

CIFAR10_DVS = (
    "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
)  # fmt: skip
AEDAT2_HEADER = (
    b"#!AER-DAT2.0\r\n# This is a raw AE data file - do not edit\r\n"
    b"# Data format is int32 address, int32 timestamp (8 bytes total), repeated for each event\r\n"
    b"# Timestamps tick is 1 us\r\n#End Of ASCII Header\r\n"
)
AEDAT3_HEADER = (
    b"#!AER-DAT3.1\r\n#Format: RAW\r\n#Source 1: DVS128\r\n"
    b"#Start-Time: 2016-04-27 11:35:00 (TZ-0700)\r\n#!END-HEADER\r\n"
)


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    """Keep prepared files in the folder of the test."""
    monkeypatch.setenv("EVO_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture(scope="session")
def real_data():
    """Give the folder with real data, or skip the test."""
    folder = Path(os.environ.get("EVO_TEST_DATA") or Path(__file__).parents[3] / "shared/data")
    if not folder.is_dir():
        pytest.skip("needs real data; set EVO_TEST_DATA")
    return folder


@pytest.fixture(scope="session")
def stream():
    """Give ``stream(n, side, seed, length=)``: columns t, x, y, p of a made-up recording."""

    def make(n, side, seed=0, length=300_000):
        rng = np.random.default_rng(seed)
        t = np.sort(rng.integers(0, length, n))
        return t, rng.integers(0, side, n), rng.integers(0, side, n), rng.integers(0, 2, n)

    return make


@pytest.fixture(scope="session")
def nmnist_bytes():
    """Give ``nmnist_bytes(t, x, y, p)``: a recording of N-MNIST."""

    def make(t, x, y, p):
        high = np.asarray(p) << 7 | t >> 16
        columns = np.stack([x, y, high, t >> 8 & 255, t & 255], 1)
        return columns.astype(np.uint8).tobytes()

    return make


@pytest.fixture(scope="session")
def aedat2_bytes():
    """Give ``aedat2_bytes(t, x, y, p)``: a recording of CIFAR10-DVS, addresses as stored."""

    def make(t, x, y, p):
        words = np.stack([y << 8 | x << 1 | p, t], 1)
        return AEDAT2_HEADER + words.astype(">u4").tobytes()

    return make


@pytest.fixture(scope="session")
def aedat3_bytes():
    """Give ``aedat3_bytes(t, x, y, p, odd=)``: a recording of DVS128 Gesture.

    Between the packets of 1,000 events lie some of another kind; if ``odd``, the first event of
    each packet is not valid.
    """

    def make(t, x, y, p, odd=True):
        data = [AEDAT3_HEADER]
        for start in range(0, len(t), 1000):
            part = slice(start, start + 1000)
            words = np.stack([x[part] << 17 | y[part] << 2 | p[part] << 1 | 1, t[part]], 1)
            words = np.concatenate([[[0, t[start]]], words] if odd else [words])
            words = words.astype("<u4")
            late = int(t[start] >> 31)
            data.append(struct.pack("<hhiiiiii", 0, 1, 8, 4, 0, 1, 1, 1) + bytes(8))
            data.append(struct.pack("<hhiiiiii", 1, 1, 8, 4, late, len(words), len(words), 0))
            data.append(words.tobytes())
        return b"".join(data)

    return make


@pytest.fixture(scope="session")
def write_nmnist(stream, nmnist_bytes):
    """Give ``write_nmnist(folder, zipped=, train=, test=)``: N-MNIST, so many of each digit."""

    def write(folder, *, zipped=False, train=3, test=1):
        for half, count in (("Train", train), ("Test", test)):
            files = {
                f"{half}/{digit}/{digit + 10 * i + 1:05}.bin": nmnist_bytes(*stream(50, 34, i))
                for digit in range(10)
                for i in range(count)
            }
            if zipped:
                with zipfile.ZipFile(folder / f"{half}.zip", "w", zipfile.ZIP_DEFLATED) as archive:
                    for name, data in files.items():
                        archive.writestr(name, data)
            else:
                put(folder, files)
        return folder

    return write


@pytest.fixture(scope="session")
def write_gesture(stream, aedat3_bytes):
    """Give ``write_gesture(folder, train=, test=)``: recordings of 12 gestures of 10 ms each."""

    def write(folder, *, train=2, test=1):
        users = {"train": range(1, train + 1), "test": range(24, 24 + test)}
        files = {}
        for half, numbers in users.items():
            names = [f"user{number:02}_natural" for number in numbers]
            files[f"trials_to_{half}.txt"] = "".join(f"{name}.aedat\n" for name in names).encode()
            for seed, name in enumerate(names):
                files[f"{name}.aedat"] = aedat3_bytes(*stream(2400, 128, seed, 120_000))
                lines = [f"{i % 11 + 1},{i * 10_000},{(i + 1) * 10_000}" for i in range(12)]
                text = "\n".join(["class,startTime_usec,endTime_usec", *lines, ""])
                files[f"{name}_labels.csv"] = text.encode()
        put(folder, files)
        return folder

    return write


@pytest.fixture(scope="session")
def write_cifar10_dvs(stream, aedat2_bytes):
    """Give ``write_cifar10_dvs(folder, count=, classes=)``: so many recordings of each class."""

    def write(folder, *, count=11, classes=CIFAR10_DVS):
        put(folder, {
            f"{name}/cifar10_{name}_{i}.aedat": aedat2_bytes(*stream(60 + i, 128, i))
            for name in classes
            for i in range(count)
        })  # fmt: skip
        return folder

    return write


def put(folder, files):
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
