"""The Manhattan score Cm of the released MSE-NAS code, from Gram matrices.

BrainCog, ``examples/Structure_Evolution/MSE-NAS/obj.py``: a hook on every LIF module compares, at
every time step, all pairs of a batch with torch's ``PairwiseDistance(p=1)``, which adds 1e-6 to
each difference; the matrices are averaged with equal weight and summed over all B * B entries. The
result is not divided by the number of neurons, so it mostly measures width and resolution.

There every edge has LIF neurons of its own. The edges that leave one state through one neuron model
fire alike and share a population here, which therefore counts once for each of them.

Two things are not of the score: the released neurons fire above the threshold, ours at it (the
business of the search space), and the mean over two batches is ``scoring.batches=2``. As there, no
pair is left out: a silent sample, an input that repeats and the diagonal all count.
"""

from __future__ import annotations

import torch

from evo_core.components import NoOptions
from evo_core.evaluation import Score
from evo_core.snn.view import View

_EPSILON = 1e-6  # what PairwiseDistance adds to each difference


def rdm_released(view: View, options: NoOptions) -> Score:
    """Score a network as the released code does.

    Args:
        view: A view with Gram records.
        options: None.

    Returns:
        The mean over LIF modules and time steps of the summed distances; undefined without any
        population. Its details tell how many LIF modules the released network would have.
    """
    modules = {record.population: record.fanout for record in view.grams}
    details = {"lif_modules": sum(modules.values())}
    weight = sum(record.fanout for record in view.grams)
    if weight == 0:
        return Score.undefined("the network has no population of neurons", details=details)
    summed = torch.stack([record.gram.sum() for record in view.grams]).tolist()
    spikes = torch.stack([record.counts.sum() for record in view.grams]).tolist()
    total = sum(
        record.fanout * _summed(len(record.counts), record.size, spikes[number], summed[number])
        for number, record in enumerate(view.grams)
    )
    return Score(total / weight, details=details)


def _summed(batch: int, size: int, spikes: float, shared: float) -> float:
    """Sum ``|x_in - x_jn + epsilon|`` over neurons n and all samples i and j.

    A neuron that only i fires gives 1 + epsilon, one that only j fires 1 - epsilon (over all pairs
    these epsilons cancel), any other epsilon.

    Args:
        batch: The number of samples.
        size: The number of neurons.
        spikes: Spikes of all samples.
        shared: Shared spikes of all pairs: the sum of the Gram matrix.
    """
    hamming = 2 * (batch * spikes - shared)
    return hamming + _EPSILON * (batch**2 * size - hamming)
