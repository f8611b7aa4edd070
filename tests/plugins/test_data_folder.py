"""Images of one's own: class folders and archives of arrays."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from evo_core import EvoError
from evo_data.folder import load
from evo_data.options import FolderOptions


@pytest.fixture
def pictures(tmp_path):
    """Write images of one colour for each class, and give the data root."""

    def write(*parts, each=12, size=(20, 16), suffix="png"):
        for part in parts or ("",):
            for name, colour in (("blue", (0, 0, 255)), ("red", (255, 0, 0))):
                folder = tmp_path / "mine" / part / name
                folder.mkdir(parents=True)
                for number in range(each):
                    Image.new("RGB", size, colour).save(folder / f"{number}.{suffix}")
        return tmp_path / "mine"

    return write


def parts_of(splits):
    return [len(part) for part in (splits.train, splits.validation, splits.test)]


def test_class_folders_are_split_alike_always(pictures):
    root = pictures()
    splits = load(FolderOptions(validation=0.25, test=0.25), root)
    assert splits.names == ("blue", "red")
    assert parts_of(splits) == [12, 6, 6]
    for part in (splits.train, splits.validation, splits.test):
        assert part.inputs.shape[1:] == (3, 32, 32)
        assert (part.inputs[part.labels == 1][:, 0] == 255).all()
        assert (part.inputs[part.labels == 0][:, 2] == 255).all()
        assert np.bincount(part.labels).tolist() == [len(part) // 2] * 2


def test_a_test_folder_is_the_test_set(pictures):
    splits = load(FolderOptions(), pictures("train", "test"))
    assert parts_of(splits) == [22, 2, 24]


def test_images_are_cut_scaled_and_made_grey(pictures):
    root = pictures()
    grey = load(FolderOptions(size=8, grey=True), root)
    assert grey.train.inputs.shape[1:] == (1, 8, 8)
    assert set(np.unique(grey.train.inputs)) == {29, 76}  # luma of blue and red, ITU-R 601
    assert load(FolderOptions(size=0), root).train.inputs.shape[1:] == (3, 16, 20)


def test_images_of_several_sizes_need_a_size(pictures):
    root = pictures()
    Image.new("RGB", (5, 5)).save(root / "red" / "x.png")
    assert len(load(FolderOptions(), root).train) > 0
    with pytest.raises(EvoError, match=r"x.png is 5x5, others are 20x16; .*folder.size=32"):
        load(FolderOptions(size=0), root)


def test_what_is_no_image_is_left_alone(pictures):
    root = pictures()
    (root / "red" / "notes.txt").write_text("not an image")
    (root / ".hidden").mkdir()
    (root / "README.md").write_text("about")
    assert sum(parts_of(load(FolderOptions(), root))) == 24


def test_a_text_that_is_called_an_image_is_named(pictures):
    root = pictures()
    (root / "red" / "z.png").write_text("not an image")
    with pytest.raises(EvoError, match=r"z.png can not be read as an image"):
        load(FolderOptions(), root)


def test_folders_that_are_no_classes_are_refused(tmp_path, pictures):
    with pytest.raises(EvoError, match="--data-root"):
        load(FolderOptions(), None)
    with pytest.raises(EvoError, match="holds 0 class folders; put the images of each class"):
        load(FolderOptions(), tmp_path)
    root = pictures("train", "test")
    (root / "test" / "green").mkdir()
    with pytest.raises(EvoError, match="holds green, which train does not have"):
        load(FolderOptions(), root)
    (root / "test" / "green").rmdir()
    (root / "train" / "green").mkdir()
    with pytest.raises(EvoError, match="green holds no images"):
        load(FolderOptions(), root)


IMAGES = np.random.default_rng(0).integers(0, 256, (40, 9, 7, 3)).astype(np.uint8)
LABELS = np.arange(40) % 4


@pytest.mark.parametrize(
    ("images", "shape"),
    [
        (IMAGES[..., 0], (1, 9, 7)),
        (IMAGES, (3, 9, 7)),
        (IMAGES.transpose(0, 3, 1, 2), (3, 9, 7)),
        (np.zeros((40, 5, 2, 8, 8)), (5, 2, 8, 8)),
    ],
    ids=["grey", "channels last", "channels first", "events"],
)
def test_arrays_of_several_layouts_read(tmp_path, images, shape):
    np.savez(tmp_path / "mine.npz", images=np.ascontiguousarray(images), labels=LABELS[:, None])
    for root in (tmp_path, tmp_path / "mine.npz"):
        splits = load(FolderOptions(), root)
        assert splits.train.inputs.shape[1:] == shape
        assert parts_of(splits) == [28, 4, 8]
    if shape == (3, 9, 7):
        pictures = {one.tobytes() for one in IMAGES.transpose(0, 3, 1, 2)}
        assert {one.tobytes() for one in splits.train.inputs} <= pictures


def test_bytes_are_scaled_and_other_numbers_are_not(tmp_path):
    np.savez(tmp_path / "mine.npz", x_train=IMAGES, y_train=LABELS, x_test=IMAGES, y_test=LABELS)
    splits = load(FolderOptions(), tmp_path)
    assert parts_of(splits) == [36, 4, 40]
    assert 0.99 < splits.batch(20, 0, 0).frames(1).max() <= 1
    np.savez(tmp_path / "mine.npz", inputs=IMAGES / 300, labels=LABELS)
    splits = load(FolderOptions(), tmp_path)
    assert splits.train.inputs.dtype == np.float32
    assert 0.8 < splits.batch(20, 0, 0).frames(1).max() < 0.86


@pytest.mark.parametrize(
    ("arrays", "reason"),
    [
        ({"labels": LABELS}, "must hold exactly one of the arrays inputs, images"),
        ({"images": IMAGES, "inputs": IMAGES, "labels": LABELS}, "exactly one"),
        ({"images": IMAGES, "labels": LABELS[:9]}, "images has 40 samples, labels 9"),
        ({"images": IMAGES, "labels": LABELS - 1}, "labels holds something else than classes"),
        ({"images": IMAGES, "labels": LABELS + 0.5}, "labels holds something else than classes"),
        ({"images": IMAGES, "labels": LABELS + 10**6}, "labels holds something else than classes"),
        ({"images": IMAGES, "labels": LABELS.astype(str)}, "labels has the shape"),
        ({"images": IMAGES * np.nan, "labels": LABELS}, "images in .* holds NaN or infinity"),
        ({"images": IMAGES[:, 0, 0], "labels": LABELS}, "images has the shape"),
        ({"images": np.asfortranarray(IMAGES), "labels": LABELS}, "Fortran order"),
        (
            {"images": IMAGES, "labels": LABELS, "x_test": IMAGES[:, :5], "y_test": LABELS},
            "test samples of",
        ),
        ({"images": IMAGES, "labels": LABELS, "x_test": IMAGES}, "exactly one of the arrays test_"),
    ],
    ids=range(12),
)
def test_arrays_that_are_no_samples_are_refused_with_the_reason(tmp_path, arrays, reason):
    np.savez(tmp_path / "mine.npz", **arrays)
    with pytest.raises(EvoError, match=rf"mine\.npz.*{reason}|{reason}"):
        load(FolderOptions(), tmp_path)


def test_too_few_samples_for_three_splits_are_refused(tmp_path):
    np.savez(tmp_path / "mine.npz", images=IMAGES[:4], labels=LABELS[:4])
    with pytest.raises(EvoError, match="4 samples are too few for a train, validation and test"):
        load(FolderOptions(), tmp_path)


def test_a_search_runs_on_a_folder_and_on_an_archive(tmp_path, cli):
    np.savez(tmp_path / "mine.npz", images=IMAGES, labels=LABELS)
    for number, (image, label) in enumerate(zip(IMAGES, LABELS, strict=True)):
        folder = tmp_path / "mine" / f"class{label}"
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(folder / f"{number}.png")
    for root in (tmp_path / "mine", tmp_path / "mine.npz"):
        ended = cli(
            *("run", "--data", "folder", "--data-root", root, "--executor", "serial", "--json"),
            *("--population", "2", "--generations", "1", "--rescore", "0"),
            *("--set", "folder.size=8", "--set", "observers=[]", "--set", "mse.cells=1"),
            *("--set", "mse.channels=4", "--set", "scoring.batch=4"),
            *("--out", tmp_path / f"run{root.suffix}"),
        )
        assert ended.code == 0, ended.err
        assert ended.json["status"] == "done"
