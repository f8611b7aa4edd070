"""evo's contract tests on the components of this package."""

import pytest

from evo_core.testing import FitnessContract, SearchSpaceContract


class TestTimeToFirstSpike(FitnessContract):
    @pytest.fixture(params=["time-to-first-spike", "time-to-first-spike[share=0.3]"])
    def text(self, request):
        return request.param


class TestTheMotif(SearchSpaceContract):
    settings = {"mse": {"motifs": ["FE", "DI"]}}

    @pytest.fixture
    def text(self):
        return "mse"
