"""Event data sets: original layouts in, frames in three parts out, made once and then mapped."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from evo_core import EvoError, run
from evo_core.testing import DatasetContract
from evo_data import cifar10_dvs, dvs128_gesture, nmnist, prepared_frames
from evo_data.event_plugin import FrameOptions, event_datasets

pytestmark = pytest.mark.usefixtures("own_cache")
LOADERS = {
    "nmnist": nmnist.load,
    "dvs128-gesture": dvs128_gesture.load,
    "cifar10-dvs": cifar10_dvs.load,
}
REAL_TRAIN = [97, 116, 99, 93, 105, 92, 94, 117, 87, 100]
REAL_TEST = [8, 14, 8, 11, 14, 7, 10, 15, 2, 11]


@pytest.fixture(params=LOADERS)
def written(request, tmp_path, write_nmnist, write_gesture, write_cifar10_dvs):
    """Give the loader of each data set and small files for it."""
    writers = {
        "nmnist": write_nmnist,
        "dvs128-gesture": write_gesture,
        "cifar10-dvs": write_cifar10_dvs,
    }
    root = tmp_path / "data"
    root.mkdir()
    return SimpleNamespace(
        name=request.param, load=LOADERS[request.param], root=writers[request.param](root)
    )


def parts(splits):
    return splits.train, splits.validation, splits.test


def sizes(splits):
    return [len(part) for part in parts(splits)]


def balance(samples, classes=10):
    return np.bincount(samples.labels, minlength=classes).tolist()


class TestContract(DatasetContract):
    """The contract of every data set, on small files of one's own."""

    @pytest.fixture(params=[record.name for record in event_datasets()])
    def text(self, request):
        return f"{request.param}[size=8,validation=0.3]"

    @pytest.fixture
    def root(self, tmp_path, write_nmnist, write_gesture, write_cifar10_dvs):
        write_nmnist(tmp_path, train=5)
        write_gesture(tmp_path, train=5)
        write_cifar10_dvs(tmp_path / "CIFAR10-DVS")
        return tmp_path


def test_frames_are_counts_for_each_step_polarity_and_pixel(written):
    splits = written.load(FrameOptions(frames=4), written.root)
    side = 34 if written.name == "nmnist" else 128
    for part in parts(splits):
        assert part.inputs.dtype == np.uint8
        assert part.inputs.shape[1:] == (4, 2, side, side)
        assert part.inputs.sum((1, 2, 3, 4)).min(initial=1) > 0
    assert splits.task().steps == 4
    assert splits.task().shape == (2, side, side)


def test_a_size_pools_the_events(written):
    full = written.load(FrameOptions(), written.root)
    pooled = written.load(FrameOptions(size=17), written.root)
    assert pooled.train.inputs.shape[-2:] == (17, 17)
    assert pooled.train.inputs.sum(dtype=int) == full.train.inputs.sum(dtype=int)
    with pytest.raises(EvoError, match=rf"{written.name}.size is 200, but the camera has"):
        written.load(FrameOptions(size=200), written.root)


def test_frames_are_made_once_and_mapped_afterwards(written, own_cache, monkeypatch):
    first = written.load(FrameOptions(frames=3), written.root)
    monkeypatch.setattr(prepared_frames, "integrate", None)
    again = written.load(FrameOptions(frames=3), written.root)
    assert isinstance(again.train.inputs, np.memmap)
    for one, other in zip(parts(first), parts(again), strict=True):
        assert np.array_equal(one.inputs, other.inputs)
        assert np.array_equal(one.labels, other.labels)
    assert not list(own_cache.glob(".*"))


def test_other_options_or_files_give_other_frames(written, own_cache):
    made = own_cache.glob(f"{written.name}-*")
    written.load(FrameOptions(frames=3), written.root)
    written.load(FrameOptions(frames=3, split_by="time"), written.root)
    assert len(list(made)) == 2
    recording = next(
        path for path in sorted(written.root.rglob("*.*")) if b"\0" in path.read_bytes()
    )
    data = bytearray(recording.read_bytes())
    data[-1] ^= 1  # the time of the last event
    recording.write_bytes(bytes(data))
    written.load(FrameOptions(frames=3), written.root)
    assert len(list(own_cache.glob(f"{written.name}-*"))) == 3


def test_the_validation_share_is_cut_from_the_training_recordings_class_by_class(written):
    whole = written.load(FrameOptions(validation=0), written.root)
    cut = written.load(FrameOptions(validation=0.5), written.root)
    assert len(whole.validation) == 0
    assert len(cut.train) + len(cut.validation) == len(whole.train)
    assert len(cut.test) == len(whole.test)
    kept, held, all_ = (balance(one, 11) for one in (cut.train, cut.validation, whole.train))
    assert held == [count // 2 for count in all_]
    assert [a + b for a, b in zip(kept, held, strict=True)] == all_
    frames = Counter(one.tobytes() for one in whole.train.inputs)
    assert frames == Counter(one.tobytes() for part in parts(cut)[:2] for one in part.inputs)


def test_a_folder_without_the_files_says_which_are_expected(tmp_path):
    for name, load in LOADERS.items():
        with pytest.raises(EvoError, match=rf"{name} needs its files: give --data-root"):
            load(FrameOptions(), None)
    with pytest.raises(EvoError, match=r"neither Train.zip nor the folder Train"):
        nmnist.load(FrameOptions(), tmp_path)
    with pytest.raises(EvoError, match=r"trials_to_train.txt is missing; it expects"):
        dvs128_gesture.load(FrameOptions(), tmp_path)
    with pytest.raises(EvoError, match=r"has no recordings; it expects a folder of .aedat"):
        cifar10_dvs.load(FrameOptions(), tmp_path)


def test_nmnist_is_read_from_folders_and_from_zips_alike(tmp_path, write_nmnist):
    (tmp_path / "zips").mkdir()
    folders = nmnist.load(FrameOptions(), write_nmnist(tmp_path / "folders"))
    zips = nmnist.load(FrameOptions(), write_nmnist(tmp_path / "zips", zipped=True))
    assert np.array_equal(folders.train.inputs, zips.train.inputs)
    assert np.array_equal(folders.test.labels, zips.test.labels)
    assert sizes(zips) == [30, 0, 10]
    assert zips.partial == (
        "first 30 of 60,000 training recordings and first 10 of 10,000 test recordings"
    )


def test_recordings_of_nmnist_keep_their_numbers_and_need_not_be_the_first(tmp_path, write_nmnist):
    write_nmnist(tmp_path)
    (tmp_path / "Train" / "4" / "00005.bin").unlink()
    files = nmnist.find(tmp_path)
    assert files.train.labels.tolist()[:5] == [0, 1, 2, 3, 5]
    assert files.partial.startswith("29 of 60,000 training recordings and first 10 of")


def test_gestures_are_cut_where_the_labels_say(tmp_path, write_gesture, stream):
    files = dvs128_gesture.find(write_gesture(tmp_path))
    gestures = list(files.train.read())
    t = stream(2400, 128, 0, 120_000)[0]
    for i, events in enumerate(gestures[:12]):
        assert events.t.tolist() == t[(t >= i * 10_000) & (t < (i + 1) * 10_000)].tolist()
    assert files.train.labels.tolist() == [*range(11), 0, *range(11), 0]
    assert files.partial == "2 of 98 training recordings and 1 of 24 test recordings"


def test_a_listed_recording_that_is_not_there_is_left_out(tmp_path, write_gesture):
    write_gesture(tmp_path)
    (tmp_path / "user02_natural.aedat").unlink()
    assert dvs128_gesture.find(tmp_path).partial.startswith("1 of 98 training recordings")
    (tmp_path / "user01_natural_labels.csv").unlink()
    with pytest.raises(EvoError, match=r"user01_natural_labels.csv is no file"):
        dvs128_gesture.find(tmp_path)


def test_a_recording_that_ends_before_its_last_gesture_is_named(tmp_path, write_gesture):
    labels = write_gesture(tmp_path) / "user01_natural_labels.csv"
    labels.write_text(labels.read_text() + "3,120000,130000\n")
    with pytest.raises(EvoError, match=r"user01_natural.aedat is damaged: it has no events of the"):
        dvs128_gesture.load(FrameOptions(), tmp_path)


def test_the_last_tenth_of_each_class_of_cifar10_dvs_tests(tmp_path, write_cifar10_dvs, stream):
    files = cifar10_dvs.find(write_cifar10_dvs(tmp_path, count=11))
    assert np.bincount(files.train.labels).tolist() == [10] * 10
    assert np.bincount(files.test.labels).tolist() == [1] * 10
    lengths = [len(events) for events in files.train.read()][:10]
    assert lengths == [60 + i for i in range(10)]  # 2 comes before 10
    assert next(iter(files.test.read())).t.tolist() == stream(70, 128, 10)[0].tolist()
    assert files.partial == "110 of 10,000 recordings"


def test_a_class_of_cifar10_dvs_keeps_its_number_when_others_are_not_there(
    tmp_path, write_cifar10_dvs
):
    files = cifar10_dvs.find(write_cifar10_dvs(tmp_path, classes=("bird", "truck"), count=2))
    assert files.train.labels.tolist() == [2, 2, 9, 9]
    assert files.classes == 10


def test_the_counts_of_the_real_recordings_of_nmnist(real_data):
    splits = nmnist.load(FrameOptions(), real_data / "NMNIST" / "subset")
    train, validation = balance(splits.train), balance(splits.validation)
    assert [a + b for a, b in zip(train, validation, strict=True)] == REAL_TRAIN
    assert balance(splits.test) == REAL_TEST
    assert splits.partial == (
        "first 1,000 of 60,000 training recordings and first 100 of 10,000 test recordings"
    )


def test_the_real_dvs128_recordings_are_no_cifar10_dvs(real_data):
    splits = cifar10_dvs.load(FrameOptions(size=32), real_data / "DVS128-recordings")
    assert sizes(splits) == [4, 0, 0]
    assert balance(splits.train, 2) == [1, 3]
    assert splits.partial == "4 recordings of standing_up, walking, no CIFAR10-DVS"


def test_frames_that_were_left_half_made_are_made_again(tmp_path, write_nmnist, own_cache):
    splits = nmnist.load(FrameOptions(), write_nmnist(tmp_path / "data"))
    (folder,) = own_cache.glob("nmnist-*")
    folder.rename(folder.with_name(f".{folder.name}.part"))
    again = nmnist.load(FrameOptions(), tmp_path / "data")
    assert np.array_equal(splits.train.inputs, again.train.inputs)
    assert [path.name for path in own_cache.glob("*nmnist-*")] == [folder.name]


def test_a_damaged_cache_is_one_line(tmp_path, write_nmnist, own_cache):
    nmnist.load(FrameOptions(), write_nmnist(tmp_path / "data"))
    (path,) = own_cache.glob("nmnist-*/train.npy")
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(EvoError, match=r"prepared frames in .* are damaged; remove the folder"):
        nmnist.load(FrameOptions(), tmp_path / "data")


def test_damaged_recordings_leave_nothing_in_the_cache(tmp_path, write_nmnist, own_cache):
    path = write_nmnist(tmp_path / "data") / "Test" / "3" / "00004.bin"
    path.write_bytes(b"four")
    with pytest.raises(EvoError, match=r"00004.bin is damaged: 4 bytes are no events of 5"):
        nmnist.load(FrameOptions(), tmp_path / "data")
    assert not list(own_cache.glob("*nmnist-*"))


def test_a_cache_that_can_not_be_written_is_one_line(tmp_path, write_nmnist, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("EVO_CACHE", str(tmp_path / "file"))
    with pytest.raises(EvoError, match=r"frames can not be kept in .*; set EVO_CACHE"):
        nmnist.load(FrameOptions(), write_nmnist(tmp_path / "data"))


@pytest.mark.slow
def test_processes_that_start_together_make_the_frames_once(tmp_path, write_nmnist, own_cache):
    write_nmnist(tmp_path / "data", train=20)
    code = (
        "import sys, pathlib; from evo_data import nmnist, prepared_frames as f\n"
        "from evo_data.event_plugin import FrameOptions\n"
        "make = f._make\n"
        "f._make = lambda *given: (print('made'), make(*given))\n"
        "print(nmnist.load(FrameOptions(), pathlib.Path(sys.argv[1])).train.inputs.sum())\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "data")]
    started = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    printed = [process.communicate()[0].split() for process in started]
    assert sorted(len(lines) for lines in printed) == [1, 1, 1, 2]
    assert len({lines[-1] for lines in printed}) == 1
    assert [path.name for path in own_cache.iterdir() if path.name.startswith(".")] == []


def test_a_search_runs_on_event_data(tmp_path, write_nmnist):
    settings = {
        "data": "nmnist",
        "data_root": str(write_nmnist(tmp_path / "data")),
        "allow_partial": True,
        "nmnist": {"frames": 3, "size": 12},
        "scoring": {"batch": 8},
        "mse": {"cells": 2, "channels": 4},
        "population": 4,
        "generations": 2,
        "executor": "serial",
        "observers": [],
        "out": str(tmp_path / "run"),
    }
    assert run(settings).best is not None
    kept = (Path(tmp_path) / "run" / "config.toml").read_text()
    assert 'split_by = "number"' in kept
    assert "steps = 3" in kept
