"""``evo data``: list, check, and download from a publisher who sits in this process."""

from __future__ import annotations

import dataclasses
import hashlib
import http.server
import io
import tarfile
import threading

import numpy as np
import pytest

from evo_core import array_dataset
from evo_core.components import load
from evo_core.drawing import contact_sheet
from evo_data import sets


def test_the_list_says_what_each_data_set_is(cli):
    found = {one["name"]: one for one in cli("data", "list", "--json").json}
    assert {"digits", "mnist", "fashion-mnist", "cifar10", "cifar100", "folder"} <= set(found)
    cifar = found["cifar10"]
    assert (cifar["shape"], cifar["classes"]) == ([3, 32, 32], 10)
    assert "cifar-10-batches-py/data_batch_5" in cifar["files"]
    assert all(one["licence"] for one in found.values())
    assert found["digits"]["files"] == []
    text = cli("data", "list").out
    assert "MNIST/raw/: train-images-idx3-ubyte.gz, train-labels" in text
    assert "CC BY-SA 3.0" in text


def test_a_data_set_without_files_is_checked_too(cli):
    found = cli("data", "check", "digits", "--json").json
    assert found["splits"] == {"train": 1438, "test": 359}
    assert (found["checksums"], found["partial"]) == ("unknown", False)
    assert list(found) == ["name", "splits", "classes", "balance", "checksums", "partial"]


def test_a_check_draws_a_contact_sheet(small_cifar10, cli, tmp_path):
    ended = cli(
        "data", "check", "cifar10", "--data-root", small_cifar10, "--out", tmp_path / "a.png"
    )
    assert ended.code == 0
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    assert "class0" in ended.out
    assert "differs" in ended.out
    wrong = cli("data", "check", "digits", "--out", tmp_path / "a.gif")
    assert wrong.code == 2


@pytest.mark.parametrize("shape", [(1, 8, 8), (2, 8, 8), (3, 8, 8), (5, 8, 8), (4, 2, 8, 8)])
def test_a_contact_sheet_shows_whatever_has_channels(shape):
    inputs = np.random.default_rng(0).normal(size=(50, *shape)) * 3
    splits = load(array_dataset("mine", inputs, np.arange(50) % 3).load)(None, None)
    figure = contact_sheet(splits, "a $title_{")
    (axes,) = figure.axes
    assert {text.get_text() for text in axes.texts} == {"0", "1", "2"}


def test_wrong_names_and_places_are_told_in_one_line(cli, tmp_path):
    for arguments, reason in {
        ("check", "mnits"): "did you mean 'mnist'",
        ("check", "mnist", "--data-root", tmp_path / "no"): "is no folder",
        ("check", "mnist", "--data-root", tmp_path): f"in {tmp_path / 'MNIST/raw'}",
        ("check", "digits", "--data-root", tmp_path): "needs no files",
        ("check", "mnist", "--set", "mnist.validation=2"): "mnist.validation is 2",
        ("download", "digits", "--data-root", tmp_path): "nothing to download for digits",
        ("download", "folder", "--data-root", tmp_path): "put your files into the data root",
    }.items():
        ended = cli("data", *arguments)
        assert ended.code == 2
        assert ended.err.count("\n") == 1
        assert reason in ended.err


@pytest.fixture
def publisher():
    """Serve contents by path on this machine, and give the address and the paths asked for."""
    contents, asked = {}, []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            content = contents.get(self.path)
            self.send_response(404 if content is None else 200)
            cut = content is not None and content.endswith(b"CUT")
            self.send_header("Content-Length", str(len(content or b"") + 10 * cut))
            self.end_headers()
            self.wfile.write(content or b"")

        def log_message(self, *arguments):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/", contents, asked
    server.shutdown()
    thread.join()
    server.server_close()


def md5(content):
    return hashlib.md5(content).hexdigest()


@pytest.fixture
def offered(small_mnist, small_cifar10, publisher, monkeypatch):
    """Offer the small data sets as if they had been published."""
    url, contents, asked = publisher

    def sums(one, root, files):
        return {name: md5((root / one.folder / name).read_bytes()) for name in files}

    def again(one, root, source):
        batches = tuple(
            dataclasses.replace(batch, files=sums(one, root, batch.files)) for batch in one.train
        )
        test = dataclasses.replace(one.test, files=sums(one, root, one.test.files))
        meta = sums(one, root, one.meta)
        return dataclasses.replace(one, train=batches, test=test, meta=meta, source=source)

    for path in sets.MNIST.files:
        contents[f"/{path.rpartition('/')[2]}"] = (small_mnist / path).read_bytes()
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for path in sets.CIFAR10.files:
            archive.add(small_cifar10 / path, path)
    contents["/cifar.tar.gz"] = packed.getvalue()
    source = sets.Archive(f"{url}cifar.tar.gz", md5(packed.getvalue()))
    monkeypatch.setattr(sets, "MNIST", again(sets.MNIST, small_mnist, url))
    monkeypatch.setattr(sets, "CIFAR10", again(sets.CIFAR10, small_cifar10, source))
    return contents, asked


@pytest.mark.parametrize("name", ["mnist", "cifar10"])
def test_a_download_brings_all_files_and_a_second_one_nothing(name, offered, cli, tmp_path):
    _, asked = offered
    root = tmp_path / "new" / "root"
    ended = cli("data", "download", name, "--data-root", root, "--json")
    assert ended.code == 0
    assert sorted(ended.json["files"]) == sorted(
        path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()
    )
    before = len(asked)
    assert cli("data", "download", name, "--data-root", root).code == 0
    assert len(asked) == before
    checked = cli("data", "check", name, "--data-root", root, "--json").json
    assert checked["checksums"] == "ok"


def test_only_what_is_missing_or_differs_is_fetched(offered, cli, tmp_path):
    _, asked = offered
    cli("data", "download", "mnist", "--data-root", tmp_path / "root")
    folder = tmp_path / "root/MNIST/raw"
    (folder / "t10k-images-idx3-ubyte.gz").unlink()
    (folder / "train-labels-idx1-ubyte.gz").write_bytes(b"damaged")
    del asked[:]
    assert cli("data", "download", "mnist", "--data-root", tmp_path / "root").code == 0
    assert sorted(asked) == ["/t10k-images-idx3-ubyte.gz", "/train-labels-idx1-ubyte.gz"]


@pytest.mark.parametrize("fault", ["other", "missing", "cut"])
@pytest.mark.parametrize(
    ("name", "file"), [("mnist", "/train-labels-idx1-ubyte.gz"), ("cifar10", "/cifar.tar.gz")]
)
def test_a_download_that_fails_leaves_no_part_of_a_file(name, file, fault, offered, cli, tmp_path):
    contents, _ = offered
    if fault == "missing":
        del contents[file]
    else:
        contents[file] = contents[file][:-50] + (b"CUT" if fault == "cut" else b"")
    ended = cli("data", "download", name, "--data-root", tmp_path / "root")
    assert ended.code == 1
    assert ended.err.splitlines()[-1].startswith("error: ")
    assert "Traceback" not in ended.err
    left = [path.name for path in (tmp_path / "root").rglob("*") if path.is_file()]
    assert set(left) <= {"train-images-idx3-ubyte.gz"}


def test_an_address_that_does_not_answer_is_told(cli, tmp_path, monkeypatch):
    nobody = dataclasses.replace(sets.MNIST, source="http://127.0.0.1:9/")
    monkeypatch.setattr(sets, "MNIST", nobody)
    ended = cli("data", "download", "mnist", "--data-root", tmp_path)
    assert ended.code == 1
    assert "http://127.0.0.1:9/train-images-idx3-ubyte.gz can not be fetched" in ended.err


def test_a_root_that_can_not_be_written_is_told(offered, cli, tmp_path):
    (tmp_path / "file").write_text("in the way")
    for name in ("mnist", "cifar10"):
        ended = cli("data", "download", name, "--data-root", tmp_path / "file")
        assert ended.code == 2
        assert "can not be written" in ended.err
