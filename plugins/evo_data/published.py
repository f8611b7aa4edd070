"""Published image data sets: which files they consist of, and how they become splits."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from evo_core.data import Splits
from evo_core.errors import EvoError
from evo_data.cifar import read_batch, read_names
from evo_data.download import Archive, fetch_archive, fetch_files
from evo_data.idx import read_images
from evo_data.prepared import Content, Labels, Part, checksum, open_splits, prepared


@dataclass(frozen=True, slots=True)
class Batch:
    """Files that are read together.

    Attributes:
        files: Their names in the folder of the data set, and the publisher's MD5 sums.
        samples: How many samples they hold.
    """

    files: Mapping[str, str]
    samples: int


@dataclass(frozen=True, slots=True)
class PublishedSet:
    """A data set of images with an official test set.

    Attributes:
        name: Its name.
        folder: Where its files lie below the data root.
        train: The training samples; any batch may be missing from a partial copy but not all.
        test: The official test set.
        read: ``read(paths, shape, most)`` gives images ``[N, C, H, W]`` and labels of a batch.
        source: Where its publisher offers it: the address of its files, or an archive of them.
        names: What the classes are called, or the file and the key that say so.
        classes: How many there are.
        shape: Channels, height and width of an image.
        meta: The file with the names and its MD5 sum, where there is one.
    """

    name: str
    folder: str
    train: tuple[Batch, ...]
    test: Batch
    read: Callable[..., tuple[Any, Any]]
    source: str | Archive
    classes: int
    shape: tuple[int, int, int]
    names: tuple[str, ...] | str
    meta: Mapping[str, str]

    @property
    def files(self) -> dict[str, str]:
        """All files by their paths below the data root, with the publisher's MD5 sums."""
        batches = (*self.train, self.test)
        named = [item for batch in batches for item in batch.files.items()]
        return {f"{self.folder}/{file}": md5 for file, md5 in [*named, *self.meta.items()]}

    def load(self, options: Any, root: Path | None) -> Splits:
        """Give the splits; validation is cut from the training samples, always alike.

        Raises:
            EvoError: If files are missing or damaged.
        """
        root = self._root(root)
        batches = self._present(root)
        sums = self._sums(root)
        make = partial(self._content, root, batches, sums)
        folder = prepared(self.name, sums, "", make)
        return open_splits(folder, validation=options.validation)

    def check(self, options: Any, root: Path | None) -> dict[str, str]:
        """Compare the files that are there with the publisher's checksums.

        Raises:
            EvoError: If one can not be read.
        """
        published = self.files
        sums = self._sums(self._root(root))
        return {path: "ok" if published[path] == md5 else "differs" for path, md5 in sums.items()}

    def download(self, options: Any, root: Path, say: Callable[[str], None]) -> None:
        """Fetch the files that are missing or differ, each whole or not at all.

        Raises:
            EvoError: If they can not be written.
            RunFailedError: If they can not be fetched, or are not what was published.
        """
        wanted = {
            path: md5
            for path, md5 in self.files.items()
            if not (root / path).is_file() or checksum(root / path) != md5
        }
        if not wanted:
            say(f"{self.name} is whole in {root}")
        elif isinstance(self.source, Archive):
            fetch_archive(self.source, wanted, root, say)
        else:
            fetch_files(self.source, wanted, root, say)

    def _root(self, root: Path | None) -> Path:
        if root is None:
            raise EvoError(
                f"{self.name} needs its files; name the folder that holds {self.folder}/ with "
                f"--data-root, or fetch them: evo data download {self.name} --data-root DIR"
            )
        return root

    def _sums(self, root: Path) -> dict[str, str]:
        return {path: checksum(root / path) for path in self.files if (root / path).is_file()}

    def _present(self, root: Path) -> tuple[Batch, ...]:
        """Give the training batches that are there.

        Raises:
            EvoError: If files are missing that no partial copy can do without.
        """
        here = root / self.folder
        present = tuple(
            batch for batch in self.train if all((here / file).is_file() for file in batch.files)
        )
        needed = [*self.test.files, *self.meta]
        needed += [] if present else [file for batch in self.train for file in batch.files]
        missing = [file for file in needed if not (here / file).is_file()]
        if missing:
            raise EvoError(
                f"{self.name} needs {', '.join(sorted(missing))} in {here}; put them there, or "
                f"fetch them: evo data download {self.name} --data-root {root}"
            )
        return present

    def _content(self, root: Path, batches: tuple[Batch, ...], sums: Mapping[str, str]) -> Content:
        parts = [self._read(root, batch) for batch in batches]
        images, labels = [images for images, _ in parts], np.concatenate([one for _, one in parts])
        test_images, test_labels = self._read(root, self.test)
        return Content(
            train=Part(labels, self.shape, images),
            test=Part(test_labels, self.shape, [test_images]),
            classes=self.classes,
            names=self._names(root),
            partial=self._partial(batches, (len(labels), len(test_labels)), sums),
        )

    def _read(self, root: Path, batch: Batch) -> tuple[Any, Labels]:
        paths = [root / self.folder / file for file in batch.files]
        images, given = self.read(paths, self.shape, batch.samples)
        if not 0 <= min(given) <= max(given) < self.classes:
            raise EvoError(
                f"{paths[-1]} holds labels from {min(given)} to {max(given)}, but {self.name} has "
                f"the classes 0 to {self.classes - 1}; it may be damaged, get it anew"
            )
        return images, np.asarray(given, np.int64)

    def _names(self, root: Path) -> tuple[str, ...]:
        if not isinstance(self.names, str):
            return self.names
        (file,) = self.meta
        names = read_names(root / self.folder / file, self.names)
        if len(names) != self.classes:
            raise EvoError(f"{root / self.folder / file} names {len(names)} classes; get it anew")
        return names

    def _partial(
        self, batches: tuple[Batch, ...], counts: tuple[int, int], sums: Mapping[str, str]
    ) -> str:
        """Say what sets the files apart from those that were published."""
        texts = []
        if len(batches) < len(self.train):
            texts += [f"{len(batches)} of {len(self.train)} training batches"]
        whole = sum(batch.samples for batch in batches), self.test.samples
        for what, count, published in zip(("training", "test"), counts, whole, strict=True):
            if count < published:
                texts += [f"{count:,} of {published:,} {what} samples"]
        other = [Path(path).name for path, md5 in sums.items() if self.files[path] != md5]
        texts += [f"not the published {', '.join(other)}"] if other else []
        return "; ".join(texts)


def _idx_set(
    name: str, folder: str, source: str, sums: tuple[str, ...], names: tuple[str, ...]
) -> PublishedSet:
    """Describe a data set that is laid out as MNIST."""
    kinds = ("images-idx3", "labels-idx1")
    files = [f"{part}-{kind}-ubyte.gz" for part in ("train", "t10k") for kind in kinds]
    pairs = list(zip(files, sums, strict=True))
    return PublishedSet(
        name=name,
        folder=folder,
        train=(Batch(dict(pairs[:2]), 60_000),),
        test=Batch(dict(pairs[2:]), 10_000),
        read=read_images,
        source=source,
        classes=10,
        shape=(1, 28, 28),
        names=names,
        meta={},
    )


MNIST = _idx_set(
    "mnist",
    "MNIST/raw",
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    (
        "f68b3c2dcbeaaa9fbdd348bbdeb94873", "d53e105ee54ea40749a09fcbcd1e9432",
        "9fb629c4189551a2d022fa330f9573f3", "ec29112dd5afa0611ce80d1b7f02629c",
    ),
    tuple("0123456789"),
)  # fmt: skip
FASHION_MNIST = _idx_set(
    "fashion-mnist",
    "FashionMNIST/raw",
    "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    (
        "8d4fb7e6c68d591d4c3dfef9ec88bf0d", "25c81989df183df01b3e8a0aad5dffbe",
        "bef4ecab320f06d8554ea6380940ec79", "bb300cfdad3c16e7a12a480ee83cd310",
    ),
    (
        "T-shirt/top", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag",
        "ankle boot",
    ),
)  # fmt: skip
CIFAR10 = PublishedSet(
    name="cifar10",
    folder="cifar-10-batches-py",
    train=(
        Batch({"data_batch_1": "c99cafc152244af753f735de768cd75f"}, 10_000),
        Batch({"data_batch_2": "d4bba439e000b95fd0a9bffe97cbabec"}, 10_000),
        Batch({"data_batch_3": "54ebc095f3ab1f0389bbae665268c751"}, 10_000),
        Batch({"data_batch_4": "634d18415352ddfa80567beed471001a"}, 10_000),
        Batch({"data_batch_5": "482c414d41f54cd18b22e5b47cb7c3cb"}, 10_000),
    ),
    test=Batch({"test_batch": "40351d587109b95175f43aff81a1287e"}, 10_000),
    read=partial(read_batch, key="labels"),
    source=Archive(
        "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",
        "c58f30108f718f92721af3b95e74349a",
    ),
    classes=10,
    shape=(3, 32, 32),
    names="label_names",
    meta={"batches.meta": "5ff9c542aee3614f3951f8cda6e48888"},
)
CIFAR100 = PublishedSet(
    name="cifar100",
    folder="cifar-100-python",
    train=(Batch({"train": "16019d7e3df5f24257cddd939b257f8d"}, 50_000),),
    test=Batch({"test": "f0ef6b0ae62326f3e7ffdfab6717acfc"}, 10_000),
    read=partial(read_batch, key="fine_labels"),
    source=Archive(
        "https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz",
        "eb9058c3a382ffc7106e4002c42a8d85",
    ),
    classes=100,
    shape=(3, 32, 32),
    names="fine_label_names",
    meta={"meta": "7973b15100ade9c7d40fb424638fde48"},
)
