"""Training on data in files: partial copies, bytes with a scale, events, encodings."""

from __future__ import annotations

import pytest

SHORT = ("--epochs", "1", "--batch", "20", "--quiet")


def test_a_partial_copy_is_trained_on_when_allowed_and_named(small_mnist, cli, tmp_path):
    command = ("train", "reference:2fc[hidden=8]", "--data", "mnist", "--data-root", small_mnist)
    refused = cli(*command, *SHORT, "--out", tmp_path / "no")
    assert (refused.code, refused.err.count("\n")) == (2, 1)
    assert "--allow-partial" in refused.err
    assert not (tmp_path / "no").exists()
    out = tmp_path / "t"
    done = cli(*command, *SHORT, "--allow-partial", "--out", out, "--json")
    assert done.code == 0, done.err
    assert "200 of 60,000 training samples" in done.json["data_partial"]
    (out / "result.json").unlink()
    again = cli("train", "--resume", out, "--quiet")
    assert again.code == 0, again.err
    assert "on partial data: 200 of 60,000" in again.out


def test_frames_of_events_are_trained_on(tmp_path, write_nmnist, cli):
    root = write_nmnist(tmp_path / "data", train=5)
    flags = ("--allow-partial", "--set", "nmnist.size=8", "--set", "nmnist.frames=3")
    command = ("train", "reference:2fc[hidden=8]", "--data", "nmnist", "--data-root", root)
    flags += ("--set", "scoring.batch=8")
    empty = cli(*command, *flags, *SHORT, "--out", tmp_path / "t")
    assert empty.err == "error: nmnist has no validation samples, but a training needs some\n"
    for fitness in ("accuracy", "synops[at=trained]"):
        search = ("run", *command[2:], *flags, "--fitness", fitness, "--out", tmp_path / "t")
        empty = cli(*search)
        assert empty.code == 2
        assert empty.err == (
            f"error: the fitness {fitness} trains, and measures on validation samples, but nmnist "
            "has none; hold out some, e.g. --set nmnist.validation=0.3\n"
        )
    assert not (tmp_path / "t").exists()
    flags += ("--set", "nmnist.validation=0.3")
    done = cli(*command, *flags, *SHORT, "--out", tmp_path / "t", "--json")
    assert done.code == 0, done.err
    mixed = ("--set", 'recipe.augment=["roll", "event-mix"]')
    done = cli(*command, *flags, *SHORT, *mixed, "--out", tmp_path / "mixed", "--json")
    assert done.json["recipe"]["augment"] == ["roll", "event-mix"]
    refused = cli(*command, *flags, *SHORT, "--set", 'recipe.augment=["erasing"]')
    assert (refused.code, refused.err.count("\n")) == (2, 1)
    assert "'erasing', which is for images, but the data are events" in refused.err
    refused = cli(*command, *flags, *SHORT, "--set", "scoring.encoding=poisson")
    assert (refused.code, refused.err.count("\n")) == (2, 1)
    assert "events already" in refused.err


@pytest.mark.parametrize("encoding", ["poisson", "latency"])
def test_an_encoding_decides_what_is_trained_and_repeats(encoding, cli, tmp_path):
    command = ("train", "reference:2fc[hidden=8]", *SHORT, "--samples", "60", "--json")
    flags = ("--set", f"scoring.encoding={encoding}")
    one, two = (cli(*command, *flags, "--out", tmp_path / name).json for name in "ab")
    direct = cli(*command, "--out", tmp_path / "c").json
    assert one["validation"] == two["validation"] != direct["validation"]
    (tmp_path / "a" / "result.json").unlink()
    assert cli("train", "--resume", tmp_path / "a", "--json").json["test"] == one["test"]
