"""Comparisons small enough for a test."""

import pytest

SMALL = (
    *("--executor", "serial", "--workers", "1", "--samples", "12", "--quiet"),
    *("--set", "mse.cells=1", "--set", "mse.channels=4", "--set", "scoring.batch=8"),
)


@pytest.fixture
def compare(cli):
    """Compare in this process: ``compare("--fitness", "rdm", ...)``."""

    def call(*arguments):
        return cli("compare", *SMALL, *arguments)

    return call
