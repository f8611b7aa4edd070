"""What all tests share: the command line in and out of this process, and a cache of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch

from evo_core.cli import main

torch.set_num_threads(1)  # as in every worker; see the traps in CONTRIBUTING.md
os.environ["OMP_NUM_THREADS"] = "1"  # and in the processes that tests start
EVO = Path(sys.executable).with_name("evo")
SMALL_FLAGS = (
    *("--executor", "serial", "--workers", "1", "--population", "4", "--generations", "2"),
    *("--set", "observers=[]", "--set", "mse.cells=2", "--set", "scoring.batch=8"),
)


@dataclass(frozen=True)
class Outcome:
    """How a command ended and what it printed."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What it printed on stdout, which must be exactly one JSON document."""
        return json.loads(self.out)


@pytest.fixture(scope="session", autouse=True)
def prepared_data(tmp_path_factory):
    """Keep prepared copies of data sets away from those of the user."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EVO_CACHE", str(tmp_path_factory.mktemp("prepared")))
        yield


@pytest.fixture(scope="session")
def real_data():
    """Give the folder with real data sets; its README.md says what it holds."""
    beside = Path(__file__).parents[2] / "shared" / "data"
    folder = Path(os.environ.get("EVO_TEST_DATA", beside))
    if not folder.is_dir():
        pytest.skip("no real data here: name their folder in EVO_TEST_DATA")
    return folder


@pytest.fixture
def in_empty_folder(tmp_path, monkeypatch):
    """Run the test in an empty folder and give its path."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def small_flags():
    """Give the flags of a run that takes a fraction of a second."""
    return SMALL_FLAGS


@pytest.fixture
def cli(capsys):
    """Run a command in this process."""

    def call(*arguments):
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
        printed = capsys.readouterr()
        return Outcome(ended.value.code, printed.out, printed.err)

    return call


@pytest.fixture(scope="session")
def evo_binary():
    """Give the program."""
    return EVO


@pytest.fixture
def evo(tmp_path):
    """Run a command in a process of its own."""

    def call(*arguments, cwd=tmp_path, path=()):
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, path))}
        done = subprocess.run(
            [EVO, *map(str, arguments)],
            capture_output=True, text=True, cwd=cwd, env=environment, check=False, timeout=120,
        )  # fmt: skip
        return Outcome(done.returncode, done.stdout, done.stderr)

    return call
