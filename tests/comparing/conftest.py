"""What tests of comparisons share."""

import pytest
from threadpoolctl import threadpool_limits

SMALL = (
    *("--executor", "serial", "--workers", "1", "--samples", "12", "--quiet"),
    *("--set", "mse.cells=1", "--set", "mse.channels=4", "--set", "scoring.batch=8"),
)


@pytest.fixture(scope="session")
def small_comparison():
    """Give the flags of a comparison that takes seconds."""
    return SMALL


@pytest.fixture
def compare(cli):
    """Compare in this process: ``compare("--fitness", "rdm", ...)``."""

    def call(*arguments):
        return cli("compare", *SMALL, *arguments)

    return call


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """Keep the threads of linear algebra from waiting for each other."""
    with threadpool_limits(1):
        yield
