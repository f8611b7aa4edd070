"""Recordings of events: original bytes in, checked events in the order of time out."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evo_core import EvoError
from evo_data import nmnist
from evo_data.aedat import read_aedat2, read_aedat3
from evo_data.frames import integrate

SCRIPT = Path(__file__).parents[1] / "data" / "spikingjelly_events.py"


def columns(events):
    return [array.tolist() for array in (events.t, events.x, events.y, events.p)]


def in_range(events, side):
    assert len(events) > 0
    assert (np.diff(events.t) >= 0).all()
    assert events.x.min() >= 0 <= events.y.min()
    assert max(events.x.max(), events.y.max()) < side
    assert set(np.unique(events.p)) <= {0, 1}


def written(path, data):
    path.write_bytes(data)
    return path


@given(st.integers(1, 500), st.integers(0, 99))
def test_what_was_written_in_the_layout_of_nmnist_is_read(stream, nmnist_bytes, n, seed):
    t, x, y, p = stream(n, 34, seed)
    events = nmnist.decode(nmnist_bytes(t, x, y, p), "one.bin")
    assert columns(events) == [t.tolist(), x.tolist(), y.tolist(), p.tolist()]


def test_aedat_2_is_turned_upright_as_spikingjelly_does(stream, aedat2_bytes, tmp_path):
    t, x, y, p = stream(300, 128)
    events = read_aedat2(written(tmp_path / "one.aedat", aedat2_bytes(t, x, y, p)))
    assert columns(events) == [one.tolist() for one in (t, 127 - y, 127 - x, 1 - p)]


def test_aedat_3_is_read_packet_by_packet(stream, aedat3_bytes, tmp_path):
    t, x, y, p = stream(3500, 128)
    events = read_aedat3(written(tmp_path / "one.aedat", aedat3_bytes(t, x, y, p)))
    assert columns(events) == [one.tolist() for one in (t, x, y, p)]


def test_the_clock_of_aedat_3_goes_on_beyond_31_bits(stream, aedat3_bytes, tmp_path):
    t, x, y, p = stream(900, 128)
    data = aedat3_bytes(t + (5 << 31), x, y, p)
    words = read_aedat3(written(tmp_path / "one.aedat", data)).t
    assert (words >= 5 << 31).all()


def test_events_that_come_late_are_sorted(stream, nmnist_bytes):
    t, x, y, p = stream(100, 34)
    order = np.random.default_rng(0).permutation(100)
    events = nmnist.decode(nmnist_bytes(t[order], x[order], y[order], p[order]), "one.bin")
    assert events.t.tolist() == t.tolist()
    in_range(events, 34)


def test_an_event_in_row_240_of_nmnist_says_that_the_clock_has_gone_round(nmnist_bytes):
    t, x, y, p = (np.array(one) for one in ([5, 0, 7], [1, 0, 2], [3, 240, 4], [0, 0, 1]))
    events = nmnist.decode(nmnist_bytes(t, x, y, p), "one.bin")
    assert columns(events) == [[5, 7 + 2**13], [1, 2], [3, 4], [0, 1]]


def test_addresses_of_aedat_2_that_belong_to_no_pixel_are_left_out(stream, aedat2_bytes, tmp_path):
    t, x, y, p = stream(100, 128)
    y[::3] += 128  # bit 15 of the address
    events = read_aedat2(written(tmp_path / "one.aedat", aedat2_bytes(t, x, y, p)))
    assert events.t.tolist() == t[np.arange(100) % 3 != 0].tolist()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda data: b"", "is no AER-DAT2. recording"),
        (lambda data: data[:-3], "ends within an event"),
        (lambda data: data[:40], "ends within its header"),
        (lambda data: data[: data.index(b"#End") + 22], "has no events"),
        (lambda data: data[:-800] + b"\xff" * 800, "most of its addresses do not exist"),
        (lambda data: data.replace(b"2.0", b"3.1", 1), "is no AER-DAT2. recording"),
    ],
)
def test_a_damaged_aedat_2_file_is_named(change, reason, stream, aedat2_bytes, tmp_path):
    path = written(tmp_path / "one.aedat", change(aedat2_bytes(*stream(100, 128))))
    with pytest.raises(EvoError, match=rf"one.aedat .*{reason}"):
        read_aedat2(path)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda data: data[:-3], "ends within a packet"),
        (lambda data: data[:200], "ends within a packet"),
        (lambda data: data.replace(b"#!END-HEADER\r\n", b""), "header is no whole one"),
        (lambda data: data.replace(b"RAW", b"PNG"), "header is no whole one of format RAW"),
        (lambda data: data.replace(b"T3.1", b"T4.0"), "is no AER-DAT3.1 recording"),
        (lambda data: data[: data.index(b"END-HEADER") + 12], "has no events"),
    ],
)
def test_a_damaged_aedat_3_file_is_named(change, reason, stream, aedat3_bytes, tmp_path):
    path = written(tmp_path / "one.aedat", change(aedat3_bytes(*stream(100, 128))))
    with pytest.raises(EvoError, match=rf"one.aedat .*{reason}"):
        read_aedat3(path)


def test_a_recording_with_events_beside_the_camera_is_named(stream, nmnist_bytes):
    with pytest.raises(EvoError, match=r"one.bin is damaged: .*outside the 34x34 pixels"):
        nmnist.decode(nmnist_bytes(*stream(100, 60)), "one.bin")


def test_a_packet_that_claims_more_than_the_file_has_is_refused(stream, aedat3_bytes, tmp_path):
    data = bytearray(aedat3_bytes(*stream(100, 128)))
    at = data.index(b"END-HEADER") + 12 + 16  # the capacity of the first packet
    data[at : at + 4] = (2**31 - 1).to_bytes(4, "little")
    with pytest.raises(EvoError, match="ends within a packet"):
        read_aedat3(written(tmp_path / "one.aedat", bytes(data)))


@pytest.mark.parametrize("half", ["Train", "Test"])
def test_every_real_recording_of_nmnist_is_read(half, real_data):
    files = nmnist.find(real_data / "NMNIST" / "subset")
    recordings = {"Train": files.train, "Test": files.test}[half]
    for events in recordings.read():
        in_range(events, 34)
        assert events.t[-1] < 400_000


def test_every_real_aedat_recording_is_read(real_data):
    paths = sorted((real_data / "DVS128-recordings").glob("*/*.aedat"))
    counts = {}
    for path in paths:
        events = read_aedat2(path)
        in_range(events, 128)
        counts[path.stem.rpartition("cam300_")[2]] = len(events)
        assert 5e6 < events.t[-1] - events.t[0] < 15e6
    assert counts == {
        "fix_lense_alex_standing_up": 155_766,
        "alex_walking_again": 19_182,
        "alex_walking_for_10secs": 125_028,
        "neal_walking": 70_304,
    }


def spikingjelly(tmp_path, kind, recording, frames, side):
    """Read a recording with SpikingJelly in another process; skip where that does not import."""
    out = tmp_path / "theirs.npz"
    arguments = [str(one) for one in (out, kind, recording, frames, side, side)]
    command = [sys.executable, str(SCRIPT), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"SpikingJelly's data sets do not import here: {done.stderr[-200:]}")
    return np.load(out)


def agree(events, theirs, side):
    for key in ("t", "x", "y", "p"):
        assert np.array_equal(getattr(events, key), theirs[key]), key
    for split_by in ("number", "time"):
        ours = integrate(events, (side, side), frames=7, split_by=split_by)
        assert np.array_equal(ours, np.minimum(theirs[split_by], 255)), split_by


@pytest.mark.slow
def test_nmnist_and_its_frames_are_those_of_spikingjelly(real_data, tmp_path):
    with zipfile.ZipFile(real_data / "NMNIST" / "subset" / "Test.zip") as archive:
        path = written(tmp_path / "one.bin", archive.read("Test/3/00019.bin"))
    events = nmnist.decode(path.read_bytes(), "one.bin")
    agree(events, spikingjelly(tmp_path, "nmnist", path, 7, 34), 34)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["alex_walking_again", "neal_walking"])
def test_aedat_2_and_its_frames_are_those_of_spikingjelly(name, real_data, tmp_path):
    path = real_data / "DVS128-recordings" / "walking" / f"{name}.aedat"
    agree(read_aedat2(path), spikingjelly(tmp_path, "aedat2", path, 7, 128), 128)


@pytest.mark.slow
def test_aedat_3_and_its_frames_are_those_of_spikingjelly(stream, aedat3_bytes, tmp_path):
    path = written(tmp_path / "one.aedat", aedat3_bytes(*stream(5000, 128), odd=False))
    agree(read_aedat3(path), spikingjelly(tmp_path, "aedat3", path, 7, 128), 128)
