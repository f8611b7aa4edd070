"""One thread for all matrices, as in a comparison: they are small, and the cores may be busy."""

import pytest
from threadpoolctl import threadpool_limits


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """Keep the threads of linear algebra from waiting for each other."""
    with threadpool_limits(1):
        yield
