"""Images of your own: a folder of class folders, or one ``.npz`` archive of arrays."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from evo_core.data import Splits
from evo_core.errors import EvoError
from evo_data.damage import reading
from evo_data.npz import read_archive
from evo_data.options import FolderOptions
from evo_data.prepared import Content, Labels, Part, checksum, open_splits, prepared

_SUFFIXES = frozenset((".png", ".jpg", ".jpeg", ".bmp", ".gif", ".ppm", ".pgm", ".webp"))
_FORMATS = ("PNG", "JPEG", "BMP", "GIF", "PPM", "WEBP")
_MODES = ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr")  # eight bits a channel or fewer
_PIXELS = 10**8  # of one image; more is taken for an attempt to fill the memory


@dataclass(frozen=True, slots=True)
class _Tree:
    """Image files with their classes, in order of their paths."""

    names: tuple[str, ...]
    train: tuple[tuple[Path, int], ...]
    test: tuple[tuple[Path, int], ...]


def load(options: FolderOptions, root: Path | None) -> Splits:
    """Load what lies in the data root: class folders, ``train`` and ``test``, or an archive.

    Raises:
        EvoError: If there is nothing of that kind, or a file is damaged.
    """
    if root is None:
        raise EvoError(
            "folder needs images; name a folder of class folders, or an .npz, with --data-root"
        )
    archive = _archive(root)
    if archive is not None:
        sums, settings = {archive.name: checksum(archive)}, ""
        make = partial(read_archive, archive)
    else:
        tree = _find(root)
        files = [*tree.train, *tree.test]
        sums = {str(path.relative_to(root)): checksum(path) for path, _ in files}
        settings = f"size={options.size} grey={options.grey}"
        make = partial(_content, tree, options)
    folder = prepared("folder", sums, settings, make)
    return open_splits(folder, validation=options.validation, test=options.test)


def _archive(root: Path) -> Path | None:
    """Give the one archive that the data root is, or holds without any class folders."""
    if root.is_file():
        return root
    found = sorted(root.glob("*.npz"))
    return found[0] if len(found) == 1 and not _folders(root) else None


def _find(root: Path) -> _Tree:
    folders = {folder.name: folder for folder in _folders(root)}
    split = {"train", "test"} <= set(folders)
    top = folders["train"] if split else root
    names = tuple(folder.name for folder in _folders(top))
    if len(names) < 2:
        raise EvoError(
            f"{top} holds {len(names)} class folders; put the images of each class into a folder "
            "of its name, below train and test if there is a test set, or name one .npz"
        )
    test = _files(folders["test"], names) if split else ()
    return _Tree(names, _files(top, names), test)


def _folders(root: Path) -> list[Path]:
    try:
        inside = sorted(root.iterdir())
    except OSError as error:
        raise EvoError(f"{root} can not be read: {error.strerror}") from None
    return [path for path in inside if path.is_dir() and not path.name.startswith(".")]


def _files(top: Path, names: Sequence[str]) -> tuple[tuple[Path, int], ...]:
    """Find the images of each class."""
    unknown = {folder.name for folder in _folders(top)} - set(names)
    if unknown:
        raise EvoError(f"{top} holds {', '.join(sorted(unknown))}, which train does not have")
    found = []
    for label, name in enumerate(names):
        inside = sorted((top / name).rglob("*")) if (top / name).is_dir() else []
        images = [path for path in inside if path.suffix.lower() in _SUFFIXES and path.is_file()]
        if not images:
            raise EvoError(f"{top / name} holds no images ({', '.join(sorted(_SUFFIXES))})")
        found += [(path, label) for path in images]
    return tuple(found)


def _content(tree: _Tree, options: FolderOptions) -> Content:
    shape = read_image(tree.train[0][0], options).shape
    return Content(
        train=_part(tree.train, shape, options),
        test=_part(tree.test, shape, options) if tree.test else None,
        classes=len(tree.names),
        names=tree.names,
    )


def _part(
    files: Sequence[tuple[Path, int]], shape: tuple[int, ...], options: FolderOptions
) -> Part:
    labels: Labels = np.array([label for _, label in files], np.int64)
    return Part(labels, shape, _images([path for path, _ in files], shape, options))


def _images(
    files: Sequence[Path], shape: tuple[int, ...], options: FolderOptions
) -> Iterator[npt.NDArray[Any]]:
    for path in files:
        image = read_image(path, options)
        if image.shape != shape:
            raise EvoError(
                f"{path} is {image.shape[2]}x{image.shape[1]}, others are {shape[2]}x{shape[1]}; "
                "scale all with --set folder.size=32"
            )
        yield image[None]


def read_image(path: Path, options: FolderOptions) -> npt.NDArray[np.uint8]:
    """Read an image file as bytes ``[C, H, W]``: the middle square, scaled to the wanted size.

    Raises:
        EvoError: If it is no image of at most eight bits a channel.
    """
    from PIL import Image, ImageOps

    with reading(path, "an image"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of damage that Pillow reads over
        with Image.open(path, formats=_FORMATS) as image:
            if image.width * image.height > _PIXELS:
                raise ValueError(f"it claims {image.width}x{image.height} pixels")
            if image.mode not in _MODES:
                raise ValueError(f"its pixels are of the mode {image.mode}, not of eight bits")
            pixels = image.convert("L" if options.grey else "RGB")
        if options.size:
            pixels = ImageOps.fit(pixels, (options.size, options.size))
        array = np.asarray(pixels, np.uint8)
    return array[None] if options.grey else np.ascontiguousarray(array.transpose(2, 0, 1))
