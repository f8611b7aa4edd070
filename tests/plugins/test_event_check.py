"""``evo data check`` of event recordings: counts, and the publisher's checksums."""

from __future__ import annotations

import pytest

from evo_data import nmnist
from evo_data.prepared import checksum

pytestmark = pytest.mark.usefixtures("own_cache")


def test_a_check_counts_the_real_recordings_and_compares_the_zips(cli, real_data):
    root = real_data / "NMNIST" / "subset"
    assert cli("data", "check", "nmnist", "--data-root", root, "--json").json == {
        "name": "nmnist",
        "splits": {"train": 1000, "test": 100},
        "classes": 10,
        "balance": {
            "train": [97, 116, 99, 93, 105, 92, 94, 117, 87, 100],
            "test": [8, 14, 8, 11, 14, 7, 10, 15, 2, 11],
        },
        "checksums": "differs",
        "partial": True,
    }


def test_a_check_tells_published_zips_from_others(tmp_path, write_nmnist, cli, monkeypatch):
    write_nmnist(tmp_path, zipped=True)
    for name in nmnist.PUBLISHED:
        monkeypatch.setitem(nmnist.PUBLISHED, name, checksum(tmp_path / name))
    command = ("data", "check", "nmnist", "--data-root", tmp_path, "--json")
    assert cli(*command).json["checksums"] == "ok"
    monkeypatch.setitem(nmnist.PUBLISHED, "Test.zip", "0")
    assert cli(*command).json["checksums"] == "differs"


@pytest.mark.parametrize("name", ["nmnist", "dvs128-gesture", "cifar10-dvs"])
def test_recordings_without_published_sums_are_counted(
    name, tmp_path, cli, write_nmnist, write_gesture, write_cifar10_dvs
):
    writers = (write_nmnist, write_gesture, write_cifar10_dvs)
    write = dict(zip(("nmnist", "dvs128-gesture", "cifar10-dvs"), writers, strict=True))[name]
    found = cli("data", "check", name, "--data-root", write(tmp_path), "--json").json
    assert found["checksums"] == "unknown"
    assert found["partial"] is True
