"""Augmentation of training batches: random changes that keep the class.

Every function takes inputs with the batch first, images ``[B, C, H, W]`` or frames of events
``[B, T, C, H, W]``, changes each sample in its own way but all of its steps and channels alike, and
gives a new tensor of the same shape. What is random comes from the generator alone, on the CPU.

Events are rolled, flipped and rotated as in Li et al. (2022), "Neuromorphic Data Augmentation for
Training Spiking Neural Networks", and mixed as in Shen et al. (2023), "EventMix".
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import asdict

import torch
from torch import Generator, Tensor
from torch.nn import functional

from evo_core.augmentation import read_augmentation


def augmented(
    frames: Tensor, labels: Tensor, texts: Iterable[str], classes: int, rng: Generator
) -> tuple[Tensor, Tensor]:
    """Change a batch as a recipe says, one augmentation after the other.

    Args:
        frames: ``[T, B, C, H, W]``; images are repeated over T, and changed alike at each step.
        labels: Classes ``[B]``.
        texts: The augmentations, as in ``recipe.augment``.
        classes: How many classes there are.
        rng: The generator.

    Returns:
        New frames, and the labels; the share of each class ``[B, classes]`` once they are mixed.
    """
    inputs, targets = frames.transpose(0, 1), labels
    for text in texts:
        name, options = read_augmentation(text)
        if name == "event-mix":
            if targets.ndim == 1:
                targets = functional.one_hot(labels, classes).to(frames.dtype)
            inputs, targets = event_mix(inputs, targets, rng, **asdict(options))
        else:
            inputs = _CHANGES[name](inputs, rng, **asdict(options))
    return inputs.transpose(0, 1), targets


def random_crop(inputs: Tensor, rng: Generator, padding: int = 4) -> Tensor:
    """Move the picture by up to ``padding`` pixels each way; what moves in from outside is zero."""
    height, width = inputs.shape[-2:]
    padded = functional.pad(inputs, (padding,) * 4)
    tops, lefts = torch.randint(0, 2 * padding + 1, (2, len(inputs)), generator=rng).tolist()
    return torch.stack([
        one[..., top : top + height, left : left + width]
        for one, top, left in zip(padded, tops, lefts, strict=True)
    ])  # fmt: skip


def horizontal_flip(inputs: Tensor, rng: Generator, probability: float = 0.5) -> Tensor:
    """Mirror some of the samples left to right."""
    flipped = torch.rand(len(inputs), generator=rng) < probability
    return torch.where(_per_sample(flipped, inputs), inputs.flip(-1), inputs)


def random_erasing(
    inputs: Tensor,
    rng: Generator,
    probability: float = 0.5,
    share: tuple[float, float] = (0.02, 0.33),
) -> Tensor:
    """Set a rectangle of some of the samples to zero (Zhong et al., 2020; DeVries & Taylor, 2017).

    Args:
        inputs: The batch.
        rng: The generator.
        probability: The probability that a sample loses a rectangle.
        share: The least and the largest share of the picture that it loses; the ratio of the sides
            is between 0.3 and 1 / 0.3.
    """
    height, width = inputs.shape[-2:]
    erased = inputs.clone()
    for one, drawn in zip(erased, torch.rand(len(inputs), 5, generator=rng).tolist(), strict=True):
        chance, area, ratio, top, left = drawn
        if chance >= probability:
            continue
        pixels = (share[0] + area * (share[1] - share[0])) * height * width
        aspect = math.exp((2 * ratio - 1) * math.log(1 / 0.3))
        tall = min(height, max(1, round(math.sqrt(pixels * aspect))))
        wide = min(width, max(1, round(math.sqrt(pixels / aspect))))
        row, column = int(top * (height - tall + 1)), int(left * (width - wide + 1))
        one[..., row : row + tall, column : column + wide] = 0
    return erased


def roll(inputs: Tensor, rng: Generator, pixels: int = 5) -> Tensor:
    """Move the picture by up to ``pixels`` each way; what leaves comes in at the other side."""
    shifts = torch.randint(-pixels, pixels + 1, (len(inputs), 2), generator=rng).tolist()
    return torch.stack([
        one.roll(shift, (-2, -1)) for one, shift in zip(inputs, shifts, strict=True)
    ])  # fmt: skip


def rotate(inputs: Tensor, rng: Generator, degrees: float = 15.0) -> Tensor:
    """Turn the picture by up to ``degrees`` each way; each pixel takes the value of the nearest.

    Counts stay whole numbers; what comes in from outside is zero.
    """
    height, width = inputs.shape[-2:]
    drawn = torch.rand(len(inputs), generator=rng)
    pictures = inputs.flatten(1, -3)
    pictures = pictures if pictures.is_floating_point() else pictures.float()
    angle = ((2 * drawn - 1) * math.radians(degrees)).to(pictures)
    cos, sin, zero = angle.cos(), angle.sin(), torch.zeros_like(angle)
    # places go from -1 to 1 along both sides, whatever their lengths
    rows = (cos, -sin * height / width, zero, sin * width / height, cos, zero)
    matrices = torch.stack(rows, -1).view(-1, 2, 3)
    grid = functional.affine_grid(matrices, list(pictures.shape), align_corners=False)
    turned = functional.grid_sample(pictures, grid, mode="nearest", align_corners=False)
    return turned.view(inputs.shape).to(inputs.dtype)


def event_mix(
    frames: Tensor, targets: Tensor, rng: Generator, probability: float = 0.5
) -> tuple[Tensor, Tensor]:
    """Put a random blob of another recording into some of the recordings, and mix their labels.

    A simple form of EventMix: the blob is where a Gaussian with random centre and widths in time,
    height and width is largest, over a share of all places drawn uniformly; both polarities move.
    The label is that of each part by its share of the events, the paper's first rule; where there
    are no events at all, by its share of the places.

    Args:
        frames: Counts of events ``[B, T, C, H, W]``.
        targets: Probabilities of the classes ``[B, classes]``, e.g. one-hot labels.
        rng: The generator.
        probability: The probability that a recording is mixed with another one.

    Returns:
        Mixed frames, and mixed targets that sum up to the same as before.
    """
    partners = torch.randperm(len(frames), generator=rng)
    mask = torch.stack([_blob(frames, rng, probability) for _ in partners]).to(frames.device)
    partners = partners.to(frames.device)
    other = frames[partners]
    mixed = torch.where(mask, other, frames)
    places = (1, 2, 3, 4)
    own, foreign = (frames * ~mask).sum(places).float(), (other * mask).sum(places).float()
    by_places = mask.float().mean(places)
    share = torch.where(own + foreign > 0, foreign / (own + foreign).clamp(min=1e-12), by_places)
    share = share[:, None].to(targets.dtype)
    return mixed, targets * (1 - share) + targets[partners] * share


def _blob(frames: Tensor, rng: Generator, probability: float) -> Tensor:
    """Draw where a recording is replaced: true or false ``[T, 1, H, W]``."""
    sides = frames.shape[1], *frames.shape[-2:]
    chance, share, *drawn = torch.rand(8, generator=rng).tolist()
    distance = torch.zeros(sides)
    for axis, length in enumerate(sides):
        centre, width = drawn[axis], 0.1 + drawn[axis + 3]
        place = (torch.arange(length) + 0.5) / length
        squared = ((place - centre) / width) ** 2
        distance = distance + squared.view([-1 if other == axis else 1 for other in range(3)])
    count = round(share * distance.numel()) if chance < probability else 0
    blob = torch.zeros(distance.numel(), dtype=torch.bool)
    blob[distance.flatten().argsort(stable=True)[:count]] = True
    return blob.view(sides).unsqueeze(1)


def _per_sample(values: Tensor, inputs: Tensor) -> Tensor:
    """Shape one value for each sample so that it fits the inputs."""
    return values.to(inputs.device).view(-1, *[1] * (inputs.ndim - 1))


_CHANGES: dict[str, Callable[..., Tensor]] = {
    "crop": random_crop,
    "flip": horizontal_flip,
    "erasing": random_erasing,
    "roll": roll,
    "rotate": rotate,
}
