"""Damaged, hostile and enormous files: one line that names the file, or samples in range."""

from __future__ import annotations

import gzip
import io
import os
import pickle
import struct
import tracemalloc
import zipfile
import zlib

import numpy as np
import pytest
from PIL import Image

from evo_core import EvoError
from evo_data import sets
from evo_data.cifar import read_batch, read_names
from evo_data.folder import load, read_image
from evo_data.idx import read_idx, read_images
from evo_data.options import FolderOptions, PublishedOptions

CASES = 500
LITTLE = 64 * 2**20  # bytes that a reader may take for a small file, whatever it claims


def damaged(content, rng):
    """Damage bytes as disks, transfers and fuzzers do; half of the time near an end."""
    content = bytearray(content)
    edge = int(rng.integers(min(400, len(content))))
    at = (edge, len(content) - 1 - edge, int(rng.integers(len(content))))[int(rng.integers(3))]
    size = int(rng.integers(1, 20))
    match int(rng.integers(6)):
        case 0:
            del content[at:]
        case 1:
            content[at] ^= 1 << int(rng.integers(8))
        case 2:
            content[at : at + size] = rng.bytes(size)
        case 3:
            content[at:at] = rng.bytes(size)
        case 4:
            del content[at : at + size]
        case 5:
            content[at : at + size] = b"\xff" * size
    return bytes(content)


def refusals(path, content, read, seed):
    """Read many damaged versions of a file; count those refused, each in one line that names it."""
    reasons = []
    for case in range(CASES):
        path.write_bytes(damaged(content, np.random.default_rng((seed, case))))
        try:
            read()
        except EvoError as error:
            reasons.append(str(error))
    assert [reason for reason in reasons if str(path) not in reason or "\n" in reason] == []
    return len(reasons)


@pytest.mark.parametrize("outside", [True, False], ids=["file", "content"])
def test_damaged_idx_files(small_mnist, outside):
    """Inside the archive, where no checksum of gzip guards, what is no longer idx is refused."""
    paths = [small_mnist / path for path in list(sets.MNIST.files)[:2]]
    content = paths[1].read_bytes()

    def read():
        if not outside:
            paths[1].write_bytes(gzip.compress(paths[1].read_bytes(), mtime=0))
        images, labels = read_images(paths, (1, 28, 28), 60_000)
        assert images.shape == (200, 1, 28, 28)
        assert labels.shape == (200,)

    start = content if outside else gzip.decompress(content)
    assert refusals(paths[1], start, read, 1) > CASES / 4


def test_damaged_pickles_of_cifar(small_cifar10):
    path = small_cifar10 / "cifar-10-batches-py/data_batch_2"

    def read():
        splits = sets.CIFAR10.load(PublishedOptions(), small_cifar10)
        for part in (splits.train, splits.validation, splits.test):
            assert part.inputs.dtype == np.uint8
            assert part.inputs.shape[1:] == (3, 32, 32)
            assert 0 <= part.labels.min() <= part.labels.max() < 10

    assert refusals(path, path.read_bytes(), read, 2) > CASES / 4


def test_damaged_names_of_cifar(small_cifar100):
    path = small_cifar100 / "cifar-100-python/meta"

    def read():
        assert all(isinstance(name, str) for name in read_names(path, "fine_label_names"))

    assert refusals(path, path.read_bytes(), read, 3) > CASES / 4


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_damaged_archives_of_arrays(tmp_path, save):
    path = tmp_path / "mine.npz"
    images = np.random.default_rng(0).integers(0, 256, (40, 6, 5)).astype(np.uint8)
    save(path, images=images, labels=np.arange(40) % 4)

    def read():
        splits = load(FolderOptions(), path)
        assert splits.train.labels.min() >= 0
        assert splits.train.labels.max() < splits.classes
        assert splits.train.inputs.dtype in (np.uint8, np.float32)

    assert refusals(path, path.read_bytes(), read, 4) > CASES / 4


@pytest.mark.parametrize("suffix", ["png", "jpg", "gif", "bmp", "webp"])
def test_damaged_images(tmp_path, suffix):
    path = tmp_path / f"one.{suffix}"
    pixels = np.random.default_rng(0).integers(0, 256, (20, 30, 3)).astype(np.uint8)
    Image.fromarray(pixels).save(path)

    def read():
        assert read_image(path, FolderOptions(size=16)).shape == (3, 16, 16)

    assert refusals(path, path.read_bytes(), read, 5) > 0


class Bomb:
    """Runs a command when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.system, (f"touch {self.path}",)


@pytest.mark.parametrize("protocol", range(2, 6))
def test_a_pickle_that_would_run_code_is_refused_and_does_not(tmp_path, protocol):
    path, trace = tmp_path / "data_batch_1", tmp_path / "it-ran"
    path.write_bytes(pickle.dumps({"data": Bomb(trace), "labels": []}, protocol))
    with pytest.raises(EvoError, match=r"data_batch_1 is no pickle of plain data: it would call"):
        read_batch([path], (3, 32, 32), 10, "labels")
    assert not trace.exists()


@pytest.mark.parametrize(
    "value",
    [
        np.array([print], dtype=object),
        {"a": {1: 2}},
        np.dtype([("a", "u1")]),
        np.zeros(3, "c16"),
        np.zeros(3, ">i4"),
        1.5,
        [[]],
        ["1"],
    ],
    ids=repr,
)
def test_other_things_in_a_pickle_are_refused(tmp_path, value):
    path = tmp_path / "test_batch"
    path.write_bytes(pickle.dumps({"data": value, "labels": value}, 4))
    with pytest.raises(EvoError, match="test_batch"):
        read_batch([path], (3, 32, 32), 10, "labels")


def expect_little(read, match):
    """Expect a refusal that takes little memory."""
    tracemalloc.start()
    try:
        with pytest.raises(EvoError, match=match):
            read()
        assert tracemalloc.get_traced_memory()[1] < LITTLE
    finally:
        tracemalloc.stop()


def test_an_idx_file_that_claims_or_unpacks_to_too_much_is_refused(tmp_path):
    path = tmp_path / "train-images-idx3-ubyte.gz"
    path.write_bytes(gzip.compress(bytes([0, 0, 8, 3]) + struct.pack(">3I", 10**4, 10**4, 10**4)))
    expect_little(lambda: read_idx(path, (28, 28), 60_000), r"train-images.* it claims 10000x")
    path.write_bytes(gzip.compress(bytes([0, 0, 8, 3]) + struct.pack(">3I", 2**32 - 1, 28, 28)))
    expect_little(lambda: read_idx(path, (28, 28), 60_000), r"train-images.* it claims 4294967295x")
    head = bytes([0, 0, 8, 3]) + struct.pack(">3I", 10, 28, 28)
    path.write_bytes(gzip.compress(head + bytes(2**28), 1))
    expect_little(lambda: read_idx(path, (28, 28), 60_000), "does not hold the 7,840 numbers")


def test_a_pickle_that_claims_too_much_is_refused(tmp_path):
    path = tmp_path / "test_batch"
    for content in (
        b"\x80\x04}\x8e" + struct.pack("<Q", 10**12),  # BINBYTES8
        b"\x80\x02}T" + struct.pack("<i", 2**31 - 1),
        b"\x80\x02}r" + struct.pack("<I", 2**32 - 1) + b".",  # a slot of the memo
        b"\x80\x02" + b"]" * 400_000,
        b"\x80\x02" + b"\x85" * 400_000,
        pickle.dumps({"data": 1})[:-1],
    ):
        path.write_bytes(content)
        expect_little(lambda: read_batch([path], (3, 32, 32), 10, "labels"), "test_batch")
    path.write_bytes(b"\x80\x02" + bytes(2**20))
    expect_little(lambda: read_batch([path], (3, 32, 32), 10, "labels"), "larger than")


def test_nested_pickles_neither_hang_nor_overflow(tmp_path):
    path = tmp_path / "test_batch"
    value = ()
    for _ in range(60):  # 2 ** 60 leaves, were it followed
        value = (value, value)
    path.write_bytes(pickle.dumps({"data": value, "labels": value}, 2))
    with pytest.raises(EvoError, match="test_batch is no batch"):
        read_batch([path], (3, 32, 32), 10, "labels")
    deep = b"\x80\x02}(U\x04data" + b"]" * 9000 + b"a" * 8999 + b"U\x06labels]u."
    path.write_bytes(deep)
    with pytest.raises(EvoError, match="test_batch is no batch"):
        read_batch([path], (3, 32, 32), 10, "labels")


def npz(path, **headers):
    """Write arrays that are shorter than their headers claim."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, (shape, content) in headers.items():
            head = io.BytesIO()
            description = {"descr": "|u1", "fortran_order": False, "shape": shape}
            np.lib.format.write_array_header_1_0(head, description)
            archive.writestr(f"{name}.npy", head.getvalue() + content)


def test_an_archive_that_claims_too_much_is_refused(tmp_path):
    path = tmp_path / "mine.npz"
    npz(path, images=((10**6, 10**3, 10**3), b"x" * 100), labels=((10,), bytes(10)))
    expect_little(lambda: load(FolderOptions(), path), "mine.npz .*images claims the shape")
    npz(path, images=((10, 8, 8), bytes(640)), labels=((10**12,), bytes(10)))
    expect_little(lambda: load(FolderOptions(), path), "mine.npz .*labels claims the shape")
    npz(path, images=((1, 2**14, 2**14), bytes(2**28)), labels=((1,), bytes(1)))
    with pytest.raises(EvoError, match=r"mine.npz .*samples of the shape"):
        load(FolderOptions(), path)


def test_an_archive_is_never_unpickled(tmp_path):
    path = tmp_path / "mine.npz"
    np.savez(path, images=np.array([Bomb(tmp_path / "it-ran")] * 4), labels=np.arange(4))
    with pytest.raises(EvoError, match=r"mine.npz .*Python objects, which are never unpickled"):
        load(FolderOptions(), path)
    assert not (tmp_path / "it-ran").exists()


def test_an_image_that_claims_too_many_pixels_is_refused(tmp_path):
    path = tmp_path / "one.png"
    Image.new("L", (8, 8)).save(path)
    content = bytearray(path.read_bytes())
    content[16:24] = struct.pack(">2I", 50_000, 50_000)
    content[29:33] = struct.pack(">I", zlib.crc32(content[12:29]))
    path.write_bytes(content)
    expect_little(lambda: read_image(path, FolderOptions()), "one.png .*50000")


def test_sixteen_bits_are_refused_and_not_cut_off(tmp_path):
    path = tmp_path / "one.png"
    Image.fromarray(np.full((8, 8), 40_000, np.uint16)).save(path)
    with pytest.raises(EvoError, match=r"one.png .*not of eight bits"):
        read_image(path, FolderOptions())


def test_files_that_can_not_be_opened_are_named(small_mnist, tmp_path):
    path = small_mnist / next(iter(sets.MNIST.files))
    path.unlink()
    path.mkdir()
    with pytest.raises(EvoError, match="needs train-images-idx3-ubyte"):
        sets.MNIST.load(PublishedOptions(), small_mnist)
    with pytest.raises(EvoError, match=r"nothing.npz can not be read"):
        load(FolderOptions(), tmp_path / "nothing.npz")
