"""What all tests share."""

from __future__ import annotations

import pytest
import torch

torch.set_num_threads(1)  # as in every worker; see the traps in CONTRIBUTING.md


@pytest.fixture
def in_empty_folder(tmp_path, monkeypatch):
    """Run the test in an empty folder and give its path."""
    monkeypatch.chdir(tmp_path)
    return tmp_path
