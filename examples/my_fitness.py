"""A fitness function in one file: reward networks whose populations fire at about 20 %.

evo run --space mse --plugin my_fitness.py --fitness my-score
"""

from evo_core import FitnessFunction, hookimpl


def collect(record, options):
    return float(record.spikes.mean())  # spikes: 0 and 1, [B, N], one population at one time step


def score(view, options):
    rate = sum(view.collected) / len(view.collected)
    return 1 - abs(rate - 0.2)


@hookimpl
def evo_components():
    yield FitnessFunction(
        name="my-score",
        summary="closeness of the firing rate to 20 %",
        goal="max",
        needs=("spikes",),
        collect=collect,
        score=score,
    )
