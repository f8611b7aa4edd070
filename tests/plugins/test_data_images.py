"""Image data sets in the files of their publishers: whole, partial, real and small."""

from __future__ import annotations

import gzip
import hashlib
import json
import pickle

import numpy as np
import pytest

import evo_core
from evo_core import EvoError
from evo_data import pickled as reader
from evo_data import sets
from evo_data.options import PublishedOptions

MNIST_TRAIN = [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
MNIST_TEST = [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
CIFAR10_BATCH_1 = [1005, 974, 1032, 1016, 999, 937, 1030, 1001, 1025, 981]
COUNTS = {  # as the README beside the real files says
    "mnist": (MNIST_TRAIN, MNIST_TEST, "ok", False),
    "fashion-mnist": ([6000] * 10, [1000] * 10, "ok", False),
    "cifar10": (CIFAR10_BATCH_1, [1000] * 10, "ok", True),
    "cifar100": ([10] * 100, [2] * 100, "differs", True),
}
SMALL_FLAGS = (
    *("--executor", "serial", "--population", "2", "--generations", "1", "--rescore", "0"),
    *("--set", "observers=[]", "--set", "mse.cells=1", "--set", "mse.channels=4"),
    *("--set", "scoring.batch=4", "--set", "scoring.steps=2"),
)


def loaded(one, root, **options):
    return one.load(PublishedOptions(**options), root)


@pytest.mark.parametrize("name", COUNTS)
def test_the_real_files_have_the_counts_that_their_readme_states(cli, real_data, name):
    train, test, checksums, partial = COUNTS[name]
    assert cli("data", "check", name, "--data-root", real_data, "--json").json == {
        "name": name,
        "splits": {"train": sum(train), "test": sum(test)},
        "classes": len(train),
        "balance": {"train": train, "test": test},
        "checksums": checksums,
        "partial": partial,
    }


def test_the_classes_have_their_published_names(real_data):
    assert loaded(sets.CIFAR10, real_data).names[:3] == ("airplane", "automobile", "bird")
    assert loaded(sets.CIFAR100, real_data).names[:2] == ("apple", "aquarium_fish")
    assert loaded(sets.FASHION_MNIST, real_data).names[9] == "ankle boot"


def test_real_images_are_those_of_the_files_in_their_order(real_data):
    """The test set keeps the order of the file, and a batch of CIFAR the channels red to blue."""
    test = loaded(sets.MNIST, real_data).test
    raw = gzip.decompress((real_data / "MNIST/raw/t10k-images-idx3-ubyte.gz").read_bytes())
    assert test.inputs.tobytes() == raw[16:]
    content = (real_data / "cifar-10-batches-py/test_batch").read_bytes()
    batch = pickle.loads(content, encoding="latin-1")  # the published file: its MD5 sum is known
    test = loaded(sets.CIFAR10, real_data).test
    assert np.array_equal(test.inputs.reshape(10_000, -1), batch["data"])
    assert test.labels.tolist() == batch["labels"]


def test_images_are_shrunk_by_averaging_blocks(real_data, cli):
    small, whole = loaded(sets.MNIST, real_data, size=14), loaded(sets.MNIST, real_data)
    assert small.test.inputs.shape == (10_000, 1, 14, 14)
    blocks = whole.test.inputs[:50].reshape(50, 14, 2, 14, 2).astype(float).mean((2, 4))
    assert np.abs(small.test.inputs[:50, 0] - blocks).max() <= 0.5
    assert np.array_equal(small.train.labels, whole.train.labels)
    found = cli(
        "score", "reference:2fc", "--data", "mnist", "--data-root", real_data, "--set",
        "mnist.size=15",
    )  # fmt: skip
    assert found.code == 2
    assert "mnist can not be shrunk from 28 to 15 pixels; take 1, 2, 4, 7, 14, 28" in found.err


def test_the_pickles_that_these_tests_write_are_the_published_ones_byte_for_byte(
    real_data, pickled
):
    path = real_data / "cifar-10-batches-py/data_batch_1"
    content = reader.read_pickle(path, largest=2**26, longest=10**6)
    assert list(content) == ["batch_label", "labels", "data", "filenames"]
    written = hashlib.md5(pickled(content)).hexdigest()
    assert written == sets.CIFAR10.files["cifar-10-batches-py/data_batch_1"]


def test_small_cifar100_in_the_original_layout_reads(small_cifar100):
    splits = loaded(sets.CIFAR100, small_cifar100, validation=1 / 3)
    parts = (splits.train, splits.validation, splits.test)
    assert [len(part) for part in parts] == [200, 100, 100]
    assert sorted(splits.validation.labels) == list(range(100))  # one of three of each class
    assert splits.names[99] == "fine99"
    train = small_cifar100 / "cifar-100-python/train"
    batch = pickle.loads(train.read_bytes(), encoding="latin-1")
    both = np.concatenate([splits.train.inputs, splits.validation.inputs]).reshape(300, -1)
    assert sorted(map(bytes, both)) == sorted(map(bytes, batch["data"]))


@pytest.mark.parametrize("protocol", [2, 4])
def test_pickles_of_python_3_read_alike(small_cifar10, protocol):
    before = loaded(sets.CIFAR10, small_cifar10)
    for path in sets.CIFAR10.files:
        content = pickle.loads((small_cifar10 / path).read_bytes(), encoding="latin-1")
        (small_cifar10 / path).write_bytes(pickle.dumps(content, protocol))
    after = loaded(sets.CIFAR10, small_cifar10)
    assert np.array_equal(before.train.inputs, after.train.inputs)
    assert np.array_equal(before.test.labels, after.test.labels)


def test_validation_is_cut_from_train_and_the_test_set_is_left_alone(small_cifar10):
    found = [loaded(sets.CIFAR10, small_cifar10, validation=share) for share in (0.1, 0.4)]
    for splits, held in zip(found, (15, 60), strict=True):
        assert [len(splits.validation), len(splits.train), len(splits.test)] == [
            held,
            150 - held,
            30,
        ]
        counts = np.bincount(splits.validation.labels, minlength=10)
        assert counts.max() - counts.min() <= 1  # stratified
    small, large = ({bytes(one) for one in splits.validation.inputs} for splits in found)
    assert small <= large
    assert np.array_equal(found[0].test.inputs, found[1].test.inputs)


def test_images_stay_bytes_in_one_mapped_file_and_batches_are_scaled(small_mnist):
    splits = loaded(sets.MNIST, small_mnist)
    assert splits.train.inputs.dtype == np.uint8
    assert not splits.train.inputs.flags.owndata
    assert not splits.train.inputs.flags.writeable
    batch = splits.batch(16, 0, 0)
    frames = batch.frames(3)
    assert frames.dtype == np.float32
    assert np.array_equal(frames[2], batch.inputs * np.float32(1 / 255))
    assert 0.9 < frames.max() <= 1


def test_missing_files_are_named_with_the_folder_they_belong_in(small_cifar10, cli):
    (small_cifar10 / "cifar-10-batches-py/test_batch").unlink()
    ended = cli("data", "check", "cifar10", "--data-root", small_cifar10)
    assert ended.code == 2
    assert f"cifar10 needs test_batch in {small_cifar10 / 'cifar-10-batches-py'}" in ended.err
    with pytest.raises(EvoError, match="name the folder that holds MNIST/raw/ with --data-root"):
        loaded(sets.MNIST, None)


def test_a_partial_copy_is_refused_unless_it_is_allowed(small_cifar10, cli, tmp_path):
    (small_cifar10 / "cifar-10-batches-py/data_batch_4").unlink()
    command = ("run", "--data", "cifar10", "--data-root", small_cifar10, *SMALL_FLAGS)
    refused = cli(*command)
    assert refused.code == 2
    assert refused.err.count("\n") == 1
    assert "4 of 5 training batches; 120 of 40,000 training samples" in refused.err
    assert "--allow-partial" in refused.err
    allowed = cli(*command, "--allow-partial", "--out", tmp_path / "runs" / "one")
    assert allowed.code == 0
    assert "data: cifar10, partial: 4 of 5 training batches" in allowed.out


def test_whatever_reports_a_run_on_partial_data_says_so(small_mnist, cli, tmp_path):
    out = tmp_path / "runs" / "one"
    command = ("run", "--data", "mnist", "--data-root", small_mnist, *SMALL_FLAGS)
    ran = cli(*command, "--allow-partial", "--out", out, "--json")
    assert "200 of 60,000 training samples" in ran.json["data_partial"]
    assert json.loads((out / "result.json").read_text())["data_partial"] == ran.json["data_partial"]
    assert "mnist (partial)" in cli("runs", out.parent).out
    (summary,) = cli("runs", out.parent, "--json").json
    assert summary["data"] == "mnist (partial)"
    assert "on partial data: 200 of 60,000" in cli("score", out).out
    assert cli("score", out, "--json").json["data_partial"] == ran.json["data_partial"]
    assert cli("score", out, "--set", "allow_partial=false").code == 2


def test_a_run_on_whole_data_says_nothing_of_parts(cli, tmp_path):
    out = tmp_path / "run"
    ran = cli("run", *SMALL_FLAGS, "--out", out, "--json")
    assert ran.code == 0
    assert "data_partial" not in ran.json
    assert "data_partial" not in (out / "result.json").read_text()


def test_a_file_that_is_not_the_published_one_is_named(real_data, tmp_path):
    """A payload that was changed, in a file that is whole otherwise, is found by its checksum."""
    folder = tmp_path / "MNIST/raw"
    folder.mkdir(parents=True)
    for path in sets.MNIST.files:
        (tmp_path / path).write_bytes((real_data / path).read_bytes())
    assert loaded(sets.MNIST, tmp_path).partial == ""
    labels = folder / "t10k-labels-idx1-ubyte.gz"
    content = bytearray(gzip.decompress(labels.read_bytes()))
    content[100] = (content[100] + 1) % 10
    labels.write_bytes(gzip.compress(bytes(content)))
    assert loaded(sets.MNIST, tmp_path).partial == "not the published t10k-labels-idx1-ubyte.gz"
    settings = {"data": "mnist", "data_root": str(tmp_path)}
    with pytest.raises(EvoError, match="not the published t10k-labels-idx1"):
        evo_core.run(settings)
    assert sets.MNIST.check(None, tmp_path)["MNIST/raw/t10k-labels-idx1-ubyte.gz"] == "differs"


@pytest.mark.slow
def test_a_search_runs_on_mnist_the_same_in_worker_processes(real_data, cli, tmp_path):
    common = ("run", "--data", "mnist", "--data-root", real_data, *SMALL_FLAGS)
    here = cli(*common, "--out", tmp_path / "here")
    workers = ("--executor", "loky", "--workers", "2")
    there = cli(*common, *workers, "--out", tmp_path / "there")
    assert (here.code, there.code) == (0, 0)
    results = [(tmp_path / run / "result.json").read_bytes() for run in ("here", "there")]
    assert results[0] == results[1]
