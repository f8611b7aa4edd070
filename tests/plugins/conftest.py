"""Small data sets in the exact formats of their publishers."""

from __future__ import annotations

import gzip
import struct

import numpy as np
import pytest

from evo_data.sets import CIFAR10, CIFAR100, MNIST


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


def write(root, files):
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
    return write(tmp_path / "data", files)


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
    return write(tmp_path / "data", files)


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
    return write(tmp_path / "data", files)


@pytest.fixture
def pickled():
    """Give the writer of pickles of Python 2."""
    return pickle_bytes
