"""Which image data sets are published, the files they consist of, and where these are offered."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from evo_core.data import Splits


@dataclass(frozen=True, slots=True)
class Archive:
    """A gzipped tar archive of all files of a data set.

    Attributes:
        url: Where it is.
        md5: Its MD5 sum.
    """

    url: str
    md5: str


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
    """A data set of images with an official test set; what is done with it is in ``published``.

    Attributes:
        name: Its name.
        folder: Where its files lie below the data root.
        train: The training samples; a partial copy has one batch at least.
        test: The official test set.
        source: Where its publisher offers it: the address of its files, or an archive of them.
        classes: How many there are.
        shape: Channels, height and width of an image.
        names: What the classes are called, or the key of the file ``meta`` that says so.
        meta: That file and its MD5 sum, where there is one.
        labels: Which labels of a pickled batch are taken; empty for idx files.
    """

    name: str
    folder: str
    train: tuple[Batch, ...]
    test: Batch
    source: str | Archive
    classes: int
    shape: tuple[int, int, int]
    names: tuple[str, ...] | str
    meta: Mapping[str, str]
    labels: str

    @property
    def files(self) -> dict[str, str]:
        """All files by their paths below the data root, with the publisher's MD5 sums."""
        batches = (*self.train, self.test)
        named = [item for batch in batches for item in batch.files.items()]
        return {f"{self.folder}/{file}": md5 for file, md5 in [*named, *self.meta.items()]}

    def load(self, options: Any, root: Path | None) -> Splits:
        """Give the splits; see :func:`evo_data.published.load_splits`."""
        from evo_data.published import load_splits

        return load_splits(self, root, validation=options.validation, size=options.size)

    def check(self, options: Any, root: Path | None) -> dict[str, str]:
        """Compare checksums; see :func:`evo_data.published.check_files`."""
        from evo_data.published import check_files

        return check_files(self, root)

    def download(self, options: Any, root: Path, say: Callable[[str], None]) -> None:
        """Fetch what is missing; see :func:`evo_data.download.download`."""
        from evo_data.download import download

        download(self, root, say)


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
        labels="",
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
    labels="labels",
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
    labels="fine_labels",
    source=Archive(
        "https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz",
        "eb9058c3a382ffc7106e4002c42a8d85",
    ),
    classes=100,
    shape=(3, 32, 32),
    names="fine_label_names",
    meta={"meta": "7973b15100ade9c7d40fb424638fde48"},
)
