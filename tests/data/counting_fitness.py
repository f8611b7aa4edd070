"""Fitness functions that score, give nothing, or fail; each score leaves a mark in calls.txt."""

from pathlib import Path

from evo_core import FitnessFunction, Score, hookimpl


def collect(record, options):
    return float(record.spikes.mean())


def score(view, options):
    with (Path(__file__).parent / "calls.txt").open("a") as calls:
        calls.write("x")
    return Score(view.collected[-1], forwards=2, details={"all": view.collected})


def fails(view, options):
    raise ValueError("no")


@hookimpl
def evo_components():
    common = {"summary": "", "goal": "max", "needs": ("spikes",), "collect": collect}
    yield FitnessFunction(name="mine", score=score, **common)
    yield FitnessFunction(name="never", score=lambda view, options: None, **common)
    yield FitnessFunction(name="fails", score=fails, **common)
