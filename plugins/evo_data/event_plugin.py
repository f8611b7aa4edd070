"""The event data sets that this package offers, and their options."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import Ge, Le, Lt

from evo_core.components import Dataset, option


@dataclass(frozen=True, slots=True)
class FrameOptions:
    """Options of every event data set: how a recording becomes frames."""

    frames: Annotated[int, Ge(1), Le(1000)] = option(10, "frames of a recording, the time steps T")
    split_by: Literal["number", "time"] = option(
        "number", "frames of as many events each, or of as much time each"
    )
    size: Annotated[int, Ge(0), Le(128)] = option(
        0, "height and width to pool the events to, e.g. 32; 0 keeps those of the camera"
    )
    validation: Annotated[float, Ge(0), Lt(1)] = option(
        0.1, "share of each class of the training recordings held out for validation"
    )


def event_datasets() -> Iterable[Dataset]:
    """Give the records of the event data sets."""
    yield Dataset(
        name="nmnist",
        summary="N-MNIST: MNIST digits seen by a moving event camera",
        options=FrameOptions,
        load="evo_data.nmnist:load",
        shape=(2, 34, 34),
        classes=10,
        licence="CC BY-SA 4.0 (Orchard et al.)",
        files=("NMNIST/Train.zip", "NMNIST/Test.zip"),
        check="evo_data.nmnist:check",
    )
    yield Dataset(
        name="dvs128-gesture",
        summary="DVS128 Gesture: hand and arm gestures seen by an event camera",
        options=FrameOptions,
        load="evo_data.dvs128_gesture:load",
        shape=(2, 128, 128),
        classes=11,
        licence="CC BY 4.0 (Amir et al.)",
        files=(
            "DvsGesture/trials_to_train.txt",
            "DvsGesture/trials_to_test.txt",
            "DvsGesture/NAME.aedat",
            "DvsGesture/NAME_labels.csv",
        ),
    )
    yield Dataset(
        name="cifar10-dvs",
        summary="CIFAR10-DVS: CIFAR-10 images moved before an event camera",
        options=FrameOptions,
        load="evo_data.cifar10_dvs:load",
        shape=(2, 128, 128),
        classes=10,
        licence="see the publisher's page on figshare (Li et al.)",
        files=("CIFAR10-DVS/CLASS/RECORDING.aedat",),
    )
