"""The prepared copy: one for each content, whole or not at all, whoever makes it."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evo_core import EvoError
from evo_data import sets
from evo_data.options import PublishedOptions
from evo_data.prepared import cache_root, stratified_order

LOAD = """
import sys
from pathlib import Path
from evo_data import sets
from evo_data.options import PublishedOptions
splits = sets.CIFAR10.load(PublishedOptions(), Path(sys.argv[1]))
print(len(splits.train), int(splits.train.inputs.sum()), splits.train.labels.tolist())
"""


pytestmark = pytest.mark.usefixtures("own_cache")


def load(root, **options):
    return sets.CIFAR10.load(PublishedOptions(**options), root)


def test_a_copy_is_made_once_and_read_after_that(small_cifar10, own_cache):
    first = load(small_cifar10)
    (folder,) = own_cache.iterdir()
    made = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    second = load(small_cifar10, validation=0.3)  # the share decides nothing on the disk
    assert {path: path.stat().st_mtime_ns for path in folder.iterdir()} == made
    assert list(own_cache.iterdir()) == [folder]
    assert np.array_equal(first.test.inputs, second.test.inputs)


def test_other_files_make_another_copy(small_cifar10, own_cache):
    before = load(small_cifar10)
    files = sorted((small_cifar10 / "cifar-10-batches-py").glob("data_batch_?"))
    files[0].write_bytes(files[1].read_bytes())
    after = load(small_cifar10)
    assert len(list(own_cache.iterdir())) == 2
    assert not np.array_equal(before.train.inputs, after.train.inputs)


def test_the_data_root_may_be_read_only(small_cifar10):
    for path in [*small_cifar10.rglob("*"), small_cifar10]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    before = sorted(small_cifar10.rglob("*"))
    load(small_cifar10)
    assert sorted(small_cifar10.rglob("*")) == before
    for path in [small_cifar10, *small_cifar10.rglob("*")]:
        path.chmod(0o755)


def test_a_reading_that_fails_leaves_nothing_behind(small_cifar10, own_cache):
    (small_cifar10 / "cifar-10-batches-py/data_batch_5").write_bytes(b"\x80\x02}.")
    with pytest.raises(EvoError, match="data_batch_5"):
        load(small_cifar10)
    assert not own_cache.exists() or list(own_cache.iterdir()) == []


def test_a_copy_that_can_not_be_written_says_where_and_what_to_do(small_cifar10, own_cache):
    own_cache.write_text("in the way")
    with pytest.raises(EvoError, match=r"can not be written: .*; name a folder .* in EVO_CACHE"):
        load(small_cifar10)


@pytest.mark.parametrize("damage", ["truncate", "remove", "about"])
def test_a_damaged_copy_is_named(small_cifar10, own_cache, damage):
    load(small_cifar10)
    (folder,) = own_cache.iterdir()
    path = folder / ("about.json" if damage == "about" else "train-inputs.npy")
    if damage == "remove":
        path.unlink()
    else:
        os.truncate(path, 100)
    with pytest.raises(EvoError, match=f"the prepared copy {folder} is damaged: .*delete that"):
        load(small_cifar10)


@pytest.mark.slow
def test_several_processes_may_make_the_same_copy_at_once(small_cifar10, own_cache):
    command = [sys.executable, "-c", LOAD, str(small_cifar10)]
    started = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    ended = [process.communicate() for process in started]
    assert {err for _, err in ended} == {""}
    assert len({out for out, _ in ended}) == 1
    assert len(list(own_cache.iterdir())) == 1


def test_without_the_variable_copies_lie_in_the_cache_of_the_user(monkeypatch, tmp_path):
    monkeypatch.delenv("EVO_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_root().parts[-2:] == ("evo", "data")


@given(st.lists(st.integers(0, 6), min_size=1, max_size=80), st.floats(0, 1))
def test_every_stretch_from_the_start_is_balanced_as_the_whole(labels, share):
    labels = np.array(labels)
    order = stratified_order(labels)
    assert sorted(order) == list(range(len(labels)))
    first = labels[order[: int(share * len(labels))]]
    for label in set(labels):
        expected = len(first) * np.mean(labels == label)
        assert abs(np.sum(first == label) - expected) <= 7 / 2 + 1e-9


@given(st.integers(1, 9), st.integers(1, 9), st.floats(0, 1))
def test_equal_classes_differ_by_at_most_one_in_every_stretch(classes, each, share):
    labels = np.arange(classes * each) % classes
    first = labels[stratified_order(labels)[: int(share * len(labels))]]
    counts = np.bincount(first, minlength=classes)
    assert counts.max() - counts.min() <= 1


def test_the_order_is_always_the_same():
    labels = np.arange(100) % 7
    assert np.array_equal(stratified_order(labels), stratified_order(labels.copy()))
    assert stratified_order(labels)[:8].tolist() == [21, 50, 45, 46, 93, 97, 68, 85]
