"""The networks that are looked at: loaded one by one, on the same data, fit for what is asked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from evo_core.components import Component
from evo_core.config import Layer
from evo_core.data import Samples, check_encoding
from evo_core.errors import EvoError
from evo_core.evaluating.measuring import encoding_of
from evo_core.evaluating.question import DROP, NOISE, STEPS, Condition, Question
from evo_core.snn.loaded import LoadedNetwork, check_data, load_network


def load_subjects(
    texts: Sequence[str],
    layers: Sequence[Layer] = (),
    *,
    components: Iterable[Component] = (),
    allow_plugins: bool = False,
) -> list[LoadedNetwork]:
    """Load networks that can be compared: all for the same data.

    Raises:
        EvoError: If one can not be loaded, is named twice, or is for other data than the first.
    """
    loose, found = tuple(components), list[LoadedNetwork]()
    if not texts:
        raise EvoError("name a checkpoint, e.g. a training folder")
    for number, text in enumerate(texts):
        if text in texts[:number]:
            raise EvoError(f"{text} is named twice")
        known = found[0].plan if found else None
        found.append(
            load_network(text, layers, components=loose, allow_plugins=allow_plugins, known=known)
        )
        check_data(found[-1])
        _check_agreement(found[0], found[-1])
    return found


def check(question: Question, networks: Sequence[LoadedNetwork], samples: Samples) -> None:
    """Refuse conditions and encodings that make no sense for the data.

    Raises:
        EvoError: If there are any.
    """
    if not len(samples):
        raise EvoError(f"{networks[0].plan.config.data} has no {question.split} samples")
    for encoding, text in {encoding_of(one): one.text for one in reversed(networks)}.items():
        try:
            check_encoding(samples, encoding)
        except EvoError as error:
            raise EvoError(f"{text} can not be shown these data: {error}") from None
    for condition in question.conditions:
        if samples.inputs.ndim == 5:
            _check_events(condition, samples)
        elif condition.kind == DROP:
            _check_spikes(networks)


def _check_agreement(first: LoadedNetwork, one: LoadedNetwork) -> None:
    mine, theirs = first.plan.config, one.plan.config
    if (mine.data, mine.data_root) != (theirs.data, theirs.data_root):
        raise EvoError(
            f"{first.text} is for {mine.data} and {one.text} for {theirs.data}; "
            "compare networks for the same data, or name it with --data"
        )


def _check_events(condition: Condition, samples: Samples) -> None:
    frames = samples.inputs.shape[1]
    if condition.kind in NOISE:
        raise EvoError(
            f"noise {condition.kind} is for images, but the data are events; take --drop-events"
        )
    if condition.kind == STEPS and condition.level > frames:
        raise EvoError(f"timesteps has {condition.level:g}, but the events come in {frames} frames")
    if condition.kind == DROP and not _are_counts(samples):
        raise EvoError("drop-events is for frames that count events, but these hold other numbers")


def _are_counts(samples: Samples) -> bool:
    if samples.inputs.dtype.kind in "bu":
        return True
    parts = np.array_split(samples.inputs, max(1, len(samples) // 64))
    return all(bool((part >= 0).all()) and np.array_equal(part, np.rint(part)) for part in parts)


def _check_spikes(networks: Sequence[LoadedNetwork]) -> None:
    for one in networks:
        if encoding_of(one) == "direct":
            raise EvoError(
                f"drop-events is for events and for images encoded as spikes, but {one.text} is "
                "shown images as they are; take --noise"
            )
