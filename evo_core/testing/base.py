"""A small plan to try components in, and the contract of every record."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np
import pytest

from evo_core.components import Component
from evo_core.config import from_layers
from evo_core.evaluation import Candidate, Evaluation, Score
from evo_core.genome import random_genome
from evo_core.plan import Job, Plan, make_plan

SAMPLES = 10  # how many random genomes a contract tries


class Contract:
    """What the contracts share: a small plan to try a component in.

    Attributes:
        plugins: Plugin files to load besides the installed plugins.
        settings: Settings that win over the small defaults, as in a TOML file.
    """

    plugins: ClassVar[tuple[str, ...]] = ()
    settings: ClassVar[dict[str, Any]] = {}

    @pytest.fixture(autouse=True)
    def one_torch_thread(self) -> Iterator[None]:
        """Compute as a worker does: where all cores are busy, more threads wait for one another."""
        from evo_core.snn.devices import threads

        with threads(1):
            yield

    def plan(self, **settings: Any) -> Plan:
        """Make a small plan with some settings changed."""
        small = {
            "plugins": list(self.plugins),
            "scoring": {"batch": 8, "steps": 3},
            "mse": {"cells": 2, "channels": 4},
            "executor": "serial",
            "observers": [],
        }
        return make_plan(Job(from_layers(small, self.settings, settings)))


class ComponentContract(Contract):
    """Every record; give the fixture ``record``."""

    def test_it_says_what_it_is(self, record: Component) -> None:
        """A record has a name and one line of summary."""
        assert record.name
        assert record.summary.strip()
        assert "\n" not in record.summary

    def test_every_option_has_a_default_and_help(self, record: Component) -> None:
        """Options can be left out, and each says what it is for."""
        record.options()
        for field in record.options.__dataclass_fields__.values():  # type: ignore[attr-defined]
            assert field.metadata.get("help"), f"option {field.name} lacks its help"

    def test_it_survives_pickling(self, record: Component) -> None:
        """Workers may be sent the record."""
        assert pickle.loads(pickle.dumps(record)) == record  # our own bytes


def genomes(plan: Plan) -> list[tuple[int, ...]]:
    """Draw the random genomes that a contract tries."""
    rng = np.random.default_rng(7)
    return [random_genome(rng, plan.space.genes) for _ in range(SAMPLES)]


def parents_of(plan: Plan, count: int) -> list[tuple[tuple[int, ...], ...]]:
    """Group random genomes as parents of an operator."""
    drawn = genomes(plan)
    return [tuple(drawn[i : i + count]) for i in range(0, SAMPLES - count + 1, count)]


def evaluate_all(proposals: list[Any], first: int) -> list[tuple[Candidate, Evaluation]]:
    """Score proposals by the sum of their genes."""
    return [
        (
            Candidate(number, one.genome, str(one.genome)),
            Evaluation(number, "ok", {"rdm": Score(float(sum(one.genome)))}),
        )
        for number, one in enumerate(proposals, first)
    ]
