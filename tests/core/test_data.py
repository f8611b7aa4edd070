"""Data: the bundled digits, arrays in memory, splits and batches."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.datasets import load_digits

from evo_core import Dataset, EvoError, Samples, array_dataset
from evo_core.components import NoOptions, load
from evo_core.data import digits, split


def samples(count, shape=(1, 8, 8)):
    """Make samples whose label is also the value of every pixel."""
    labels = np.arange(count)
    return Samples(np.ones((count, *shape)) * labels.reshape(-1, 1, 1, 1), labels)


def loaded(dataset):
    return load(dataset.load)(NoOptions(), None)


def test_the_digits_are_scans_of_handwriting_in_three_parts():
    splits = digits(NoOptions(), None)
    parts = (splits.train, splits.validation, splits.test)
    assert [len(part) for part in parts] == [1079, 359, 359]
    assert splits.classes == 10
    for part in parts:
        assert part.inputs.shape[1:] == (1, 8, 8)
        assert part.inputs.dtype == np.float32
        assert (part.inputs.min(), part.inputs.max()) == (0, 1)
        assert set(part.labels) == set(range(10))


def test_the_digits_are_those_of_scikit_learn_wherever_it_keeps_them(monkeypatch):
    images, labels = load_digits(return_X_y=True)
    theirs = split(
        Samples((images.reshape(-1, 1, 8, 8) / 16).astype(np.float32), labels),
        validation=0.2, test=0.2,
    )  # fmt: skip
    from_its_file = digits(NoOptions(), None)
    monkeypatch.setattr("evo_core.data.find_spec", lambda name: None)
    from_itself = digits(NoOptions(), None)
    assert seen(from_its_file) == seen(from_itself) == seen(theirs)


def test_the_task_follows_from_the_data():
    task = digits(NoOptions(), None).task(steps=6)
    assert (task.shape, task.classes, task.steps) == ((1, 8, 8), 10, 6)


@given(st.integers(3, 200), st.floats(0.05, 0.45), st.floats(0.05, 0.45))
def test_a_split_puts_every_sample_into_one_part(count, validation, test):
    if min(int(count * validation), int(count * test)) < 1:
        with pytest.raises(EvoError, match="too few"):
            split(samples(count, (1, 1, 1)), validation=validation, test=test)
        return
    splits = split(samples(count, (1, 1, 1)), validation=validation, test=test)
    parts = (splits.train, splits.validation, splits.test)
    assert sorted(np.concatenate([part.labels for part in parts])) == list(range(count))
    assert len(splits.validation) == int(count * validation)
    assert len(splits.test) == int(count * test)
    for part in parts:  # inputs stay with their labels
        assert (part.inputs[:, 0, 0, 0] == part.labels).all()


def test_a_split_is_always_the_same():
    first, second = (split(samples(50), validation=0.2, test=0.2) for _ in range(2))
    assert (first.train.labels == second.train.labels).all()
    assert list(first.train.labels) != sorted(first.train.labels)


@given(st.integers(2, 30), st.integers(0, 99), st.integers(0, 9))
def test_a_batch_is_drawn_without_replacement_and_the_same_for_the_same_numbers(size, seed, number):
    splits = split(samples(60, (1, 1, 1)), validation=0.2, test=0.2)
    batch = splits.batch(size, seed, number)
    assert len(set(batch.labels)) == len(batch) == size
    assert set(batch.labels) <= set(splits.train.labels)
    assert (batch.inputs[:, 0, 0, 0] == batch.labels).all()
    assert (splits.batch(size, seed, number).labels == batch.labels).all()


def test_other_seeds_and_numbers_give_other_batches():
    splits = digits(NoOptions(), None)
    batches = [splits.batch(32, seed, number) for seed in (0, 1) for number in (0, 1)]
    drawn = {batch.inputs.tobytes() for batch in batches}
    assert len(drawn) == 4


def test_a_batch_larger_than_the_training_data_is_refused():
    splits = split(samples(10), validation=0.2, test=0.2)
    assert len(splits.batch(6, 0, 0)) == 6
    with pytest.raises(EvoError, match=r"scoring.batch is 7, but the data has 6 training samples"):
        splits.batch(7, 0, 0)


def test_arrays_become_a_record_that_says_what_it_holds():
    dataset = array_dataset("mine", np.zeros((50, 3, 8, 9)), np.arange(50) % 7)
    assert isinstance(dataset, Dataset)
    assert (dataset.name, dataset.summary) == ("mine", "50 samples in memory, 3x8x9")
    assert loaded(dataset).classes == 7
    assert loaded(dataset).train.inputs.shape == (30, 3, 8, 9)


def test_images_without_a_channel_get_one():
    dataset = array_dataset("mine", np.zeros((50, 8, 9)), [0, 1] * 25)
    assert loaded(dataset).train.inputs.shape[1:] == (1, 8, 9)


def test_the_shares_that_are_held_out_are_settable():
    dataset = array_dataset("mine", np.zeros((50, 8, 8)), [0, 1] * 25, validation=0.1, test=0.5)
    splits = loaded(dataset)
    assert [len(part) for part in (splits.train, splits.validation, splits.test)] == [20, 5, 25]


@pytest.mark.parametrize(
    ("inputs", "labels", "reason"),
    [
        ((50, 64), 50, r"inputs must have the shape .*, not \(50, 64\)"),
        ((50, 1, 1, 1, 8, 8), 50, "inputs must have the shape"),
        ((50, 8, 8), 49, r"labels must have the shape \(50,\), not \(49,\)"),
        ((4, 8, 8), 4, "4 samples are too few for a train, validation and test split"),
        ((0, 8, 8), 0, "0 samples are too few"),
    ],
)
def test_arrays_that_do_not_fit_are_refused_with_the_reason(inputs, labels, reason):
    with pytest.raises(EvoError, match=reason):
        array_dataset("mine", np.zeros(inputs), np.zeros(labels))


@pytest.mark.parametrize(
    "labels", [np.full(50, -1), np.full(50, 0.5), np.array(["cat"] * 50)], ids=["-1", "0.5", "text"]
)
def test_labels_that_are_no_classes_from_0_are_refused(labels):
    with pytest.raises(EvoError, match="label"):
        array_dataset("mine", np.zeros((50, 8, 8)), labels)


def seen(splits):
    """Hash what networks see of a data set."""
    digest = hashlib.sha256()
    for part in (splits.train, splits.validation, splits.test, splits.batch(20, 5, 1)):
        frames = part.frames(4)
        digest.update(f"{frames.shape} {frames.dtype}".encode())
        digest.update(np.ascontiguousarray(frames).tobytes() + part.labels.tobytes())
    return digest.hexdigest()[:16]


def test_what_networks_see_of_digits_and_of_arrays_is_always_the_same():
    bytes_ = np.arange(50 * 64, dtype=np.uint8).reshape(50, 8, 8)
    assert seen(digits(NoOptions(), None)) == "3881aa7664e6fafb"
    assert seen(loaded(array_dataset("mine", bytes_, np.arange(50) % 3))) == "23b2b4f81e642437"


def test_scaled_samples_keep_their_type_and_are_seen_as_floats():
    bytes_ = Samples(np.full((4, 1, 2, 2), 51, np.uint8), np.arange(4), scale=1 / 255)
    some = bytes_.take(np.array([3, 1]))
    assert (some.inputs.dtype, some.labels.tolist()) == (np.uint8, [3, 1])
    assert some.frames(2).dtype == np.float32
    assert some.frames(2) == pytest.approx(0.2)
    assert np.shares_memory(bytes_.take(slice(1, None)).inputs, bytes_.inputs)
