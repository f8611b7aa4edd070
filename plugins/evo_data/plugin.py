"""What this package offers to evo."""

from __future__ import annotations

from collections.abc import Iterable

from evo_core.components import Component, Dataset
from evo_core.hookspecs import hookimpl
from evo_data import sets
from evo_data.event_plugin import event_datasets
from evo_data.options import FolderOptions, PublishedOptions


@hookimpl
def evo_components() -> Iterable[Component]:
    """Offer the data sets."""
    yield _published("MNIST", "handwritten digits, grey", "CC BY-SA 3.0 (LeCun, Cortes)")
    yield _published("FASHION_MNIST", "articles of clothing, grey", "MIT (Zalando SE)")
    cite = "none stated; cite Krizhevsky 2009"
    yield _published("CIFAR10", "photographs of animals and vehicles, colour", cite)
    yield _published("CIFAR100", "photographs, colour, 100 fine classes", cite)
    yield Dataset(
        name="folder",
        summary="images of your own: a folder of class folders, or one .npz",
        options=FolderOptions,
        load="evo_data.folder:load",
        licence="your own",
        files=("CLASS/IMAGE.png", "or train/CLASS/IMAGE.png, test/CLASS/IMAGE.png", "or one .npz"),
    )
    yield from event_datasets()


def _published(constant: str, what: str, licence: str) -> Dataset:
    """Describe a data set that ``evo_data.sets`` holds under the name of a constant."""
    one: sets.PublishedSet = getattr(sets, constant)
    train, test = sum(batch.samples for batch in one.train), one.test.samples
    where = f"evo_data.sets:{constant}"
    return Dataset(
        name=one.name,
        summary=f"{what}: {train:,} to train, {test:,} to test",
        options=PublishedOptions,
        load=f"{where}.load",
        shape=one.shape,
        classes=one.classes,
        licence=licence,
        files=tuple(one.files),
        check=f"{where}.check",
        download=f"{where}.download",
    )
