"""AEDAT files of a DVS128 camera: version 2.0 (CIFAR10-DVS) and version 3.1 (DVS128 Gesture).

The formats are described by iniVation, "AEDAT file formats". Tests compare both readers with those
of SpikingJelly, which published results mostly come from.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from evo_core.errors import EvoError
from evo_data.events import Events, ordered, read_bytes

SENSOR = (128, 128)
_END = b"#!END-HEADER"
_POLARITY = 1  # the type of a packet of polarity events
_HEADER = np.dtype([
    ("type", "<i2"), ("source", "<i2"), ("size", "<i4"), ("ts_offset", "<i4"),
    ("ts_overflow", "<i4"), ("capacity", "<i4"), ("number", "<i4"), ("valid", "<i4"),
])  # fmt: skip


def read_aedat2(path: Path) -> Events:
    """Read an AEDAT 2.0 recording.

    An event is a big-endian address and a time in microseconds, 4 bytes each. The address holds y
    in bits 8 to 14, x in bits 1 to 7, the polarity in bit 0; an event with higher bits comes from
    no pixel and is left out. As SpikingJelly and the publisher's ``dat2mat.m`` do, the picture
    is turned upright (x = 127 - y, y = 127 - x) and the polarity inverted.

    Raises:
        EvoError: If the file can not be read or is damaged.
    """
    data = read_bytes(path)
    body = data[_header_end(path, data, b"#!AER-DAT2.") :]
    if len(body) % 8:
        raise EvoError(f"{path} is damaged: it ends within an event; get it again")
    if not body:
        raise EvoError(f"{path} is damaged: it has no events; get it again")
    address, t = np.frombuffer(body, ">u4").reshape(-1, 2).astype(np.int64).T
    pixel = address >> 15 == 0
    if pixel.mean() < 0.5:
        raise EvoError(f"{path} is no recording of a DVS128: most of its addresses do not exist")
    address, t = address[pixel], t[pixel]
    x, y = 127 - (address >> 8 & 127), 127 - (address >> 1 & 127)
    return ordered(str(path), t, x, y, 1 - (address & 1), SENSOR)


def read_aedat3(path: Path) -> Events:
    """Read an AEDAT 3.1 recording.

    Packets of events follow a header, little-endian. A polarity event holds its time in 31 bits,
    continued by those of its packet, and x in bits 17 to 31, y in bits 2 to 16, the polarity in bit
    1; bit 0 says that it is valid.

    Raises:
        EvoError: If the file can not be read or is damaged.
    """
    data = read_bytes(path)
    start = _header_end(path, data, b"#!AER-DAT3.1")
    header = data[:start]
    if not header.rstrip().endswith(_END) or b"#Format: RAW" not in header:
        raise EvoError(f"{path} is damaged: its header is no whole one of format RAW; get it again")
    packets = _packets(path, data, start)
    words = np.concatenate([words for words, _ in packets] or [np.empty((0, 2), np.uint32)])
    late = np.repeat([later for _, later in packets], [len(words) for words, _ in packets])
    t = words[:, 1].astype(np.int64) + (late.astype(np.int64) << 31)
    valid = words[:, 0] & 1 == 1
    word, t = words[valid, 0], t[valid]
    return ordered(str(path), t, word >> 17, word >> 2 & 0x7FFF, word >> 1 & 1, SENSOR)


def _header_end(path: Path, data: bytes, version: bytes) -> int:
    """Give the place where the lines that begin with # end."""
    if not data.startswith(version):
        name = version.removeprefix(b"#!").decode()
        raise EvoError(f"{path} is no {name} recording; get the original file")
    start = 0
    while data[start : start + 1] == b"#":
        end = data.find(b"\n", start) + 1
        if end == 0:
            raise EvoError(f"{path} is damaged: it ends within its header; get it again")
        closes = data.startswith(_END, start)
        start = end
        if closes:
            break
    return start


def _packets(path: Path, data: bytes, start: int) -> list[tuple[npt.NDArray[np.uint32], int]]:
    """Give address and time ``[n, 2]`` of each packet of polarity events, and its overflow."""
    packets = []
    while start < len(data):
        end = start + _HEADER.itemsize
        if end > len(data):
            raise _cut(path)
        head = np.frombuffer(data[start:end], _HEADER)[0]
        kind, size, capacity, number = (
            int(head[key]) for key in ("type", "size", "capacity", "number")
        )
        if size < 1 or capacity < 1 or not 0 <= number <= capacity:
            raise EvoError(f"{path} is damaged: a packet at byte {start} has no size; get it again")
        start = end + size * capacity
        if start > len(data):
            raise _cut(path)
        if kind == _POLARITY:
            if size != 8 or head["ts_overflow"] < 0:
                raise EvoError(f"{path} is damaged: odd packet before byte {start}; get it again")
            words = np.frombuffer(data[end : end + 8 * number], "<u4").reshape(-1, 2)
            packets.append((words, int(head["ts_overflow"])))
    return packets


def _cut(path: Path) -> EvoError:
    return EvoError(f"{path} is damaged: it ends within a packet; get it again")
