"""Small data sets in the exact formats of their publishers."""

from __future__ import annotations

import gzip
import struct
import zipfile

import numpy as np
import pytest

from evo_data.sets import CIFAR10, CIFAR100, MNIST

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


@pytest.fixture
def own_cache(tmp_path, monkeypatch):
    """Keep prepared files in the folder of the test."""
    monkeypatch.setenv("EVO_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


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
                write_files(folder, files)
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
        write_files(folder, files)
        return folder

    return write


@pytest.fixture(scope="session")
def write_cifar10_dvs(stream, aedat2_bytes):
    """Give ``write_cifar10_dvs(folder, count=, classes=)``: so many recordings of each class."""

    def write(folder, *, count=11, classes=CIFAR10_DVS):
        write_files(folder, {
            f"{name}/cifar10_{name}_{i}.aedat": aedat2_bytes(*stream(60 + i, 128, i))
            for name in classes
            for i in range(count)
        })  # fmt: skip
        return folder

    return write


def idx_bytes(array):
    """Write an array of bytes as an idx file."""
    head = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    return head + array.tobytes()


class Python2Pickle:
    """Writes a dictionary as Python 2's cPickle does, memo and all: the format of CIFAR."""

    def __init__(self):
        self.out, self.memo = [b"\x80\x02"], 0

    def dump(self, items):
        self.out += [b"}", self.put(), b"("]
        for key, value in items.items():
            self.text(key)
            self.any(value)
        return b"".join([*self.out, b"u."])

    def put(self):
        self.memo += 1
        small = self.memo < 256
        return b"q" + bytes([self.memo]) if small else b"r" + struct.pack("<I", self.memo)

    def text(self, text, memo=True):
        self.out += [b"U", bytes([len(text)]), text.encode("latin-1"), self.put() if memo else b""]

    def any(self, value):
        if isinstance(value, str):
            self.text(value)
        elif isinstance(value, list):
            self.out += [b"]", self.put()]
            for begin in range(0, len(value), 1000):
                self.out.append(b"(")
                for item in value[begin : begin + 1000]:
                    self.any(item)
                self.out.append(b"e")
        elif isinstance(value, np.ndarray):
            self.array(value)
        else:
            self.out.append(self.number(value))

    def number(self, value):
        if 0 <= value < 256:
            return b"K" + bytes([value])
        return (
            b"M" + struct.pack("<H", value)
            if 0 <= value < 65536
            else b"J" + struct.pack("<i", value)
        )

    def array(self, array):
        name = b"cnumpy.core.multiarray\n_reconstruct\n"
        self.out += [name, self.put(), b"cnumpy\nndarray\n", self.put(), b"K\x00\x85"]
        self.text("b", memo=False)
        self.out += [b"\x87R", self.put(), b"(K\x01", *map(self.number, array.shape), b"\x86"]
        self.out += [b"cnumpy\ndtype\n", self.put()]
        self.text("u1", memo=False)
        self.out += [b"K\x00K\x01\x87R", self.put(), b"(K\x03"]
        self.text("|", memo=False)
        self.out += [b"NNN", self.number(-1), self.number(-1), b"K\x00tb\x89T"]
        self.out += [struct.pack("<i", array.nbytes), array.tobytes(), b"tb"]


def pickle_bytes(items):
    return Python2Pickle().dump(items)


def drawn(count, shape, classes, seed=0):
    """Draw images, and labels of which every class has some."""
    rng = np.random.default_rng((count, seed))
    images = rng.integers(0, 256, (count, *shape)).astype(np.uint8)
    return images, rng.permutation(np.arange(count) % classes)


def write_files(root, files):
    for path, content in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content)
    return root


@pytest.fixture
def small_mnist(tmp_path):
    """Write MNIST with 200 and 50 digits, and give the data root."""
    paths = iter(MNIST.files)
    files = {}
    for count in (200, 50):
        for array in drawn(count, (28, 28), 10):
            files[next(paths)] = gzip.compress(idx_bytes(array.astype(np.uint8)), mtime=0)
    return write_files(tmp_path / "data", files)


def cifar_batch(count, classes, seed=0):
    images, labels = drawn(count, (3, 32, 32), classes, seed)
    names = [f"thing_s_{number:06}.png" for number in range(count)]
    return images.reshape(count, -1), labels.tolist(), names


@pytest.fixture
def small_cifar10(tmp_path):
    """Write CIFAR-10 with 30 images in each batch, and give the data root."""
    files = {}
    for seed, path in enumerate(CIFAR10.files):
        if path.endswith("meta"):
            content = {
                "num_cases_per_batch": 30,
                "label_names": [f"class{number}" for number in range(10)],
                "num_vis": 3072,
            }
        else:
            data, labels, names = cifar_batch(30, 10, seed)
            content = {"batch_label": path, "labels": labels, "data": data, "filenames": names}
        files[path] = pickle_bytes(content)
    return write_files(tmp_path / "data", files)


@pytest.fixture
def small_cifar100(tmp_path):
    """Write CIFAR-100 with 300 and 100 images in its original layout, and give the data root."""
    files = {}
    for path, count in zip(CIFAR100.files, (300, 100, 0), strict=True):
        if not count:
            content = {
                "fine_label_names": [f"fine{number}" for number in range(100)],
                "coarse_label_names": [f"coarse{number}" for number in range(20)],
            }
        else:
            data, labels, names = cifar_batch(count, 100)
            content = {
                "filenames": names,
                "batch_label": "training batch 1 of 1",
                "fine_labels": labels,
                "coarse_labels": [label // 5 for label in labels],
                "data": data,
            }
        files[path] = pickle_bytes(content)
    return write_files(tmp_path / "data", files)


@pytest.fixture
def pickled():
    """Give the writer of pickles of Python 2."""
    return pickle_bytes
