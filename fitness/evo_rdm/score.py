"""The mean of a representational dissimilarity matrix (RDM), from Gram matrices.

MSE-NAS (arXiv 2304.10749) rewards networks that respond differently to different inputs. Its
released score sums Hamming distances over all pairs, steps and layers, so that it mostly measures
the width of the early layers; here a distance is a share of the population, and each population has
one vote. A sample to which a population does not respond has no pattern to compare (Kriegeskorte et
al. 2008 leave such pairs out): its pairs are undefined, skipped and counted.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

from evo_core.evaluation import Score
from evo_core.snn.view import GramRecord, View
from evo_rdm.plugin import RdmOptions


@dataclass(frozen=True, slots=True)
class Distances:
    """The upper triangle of one RDM: the mean over its defined pairs, and how many those are."""

    mean: float | None
    defined: int
    pairs: int


def rdm(view: View, options: RdmOptions) -> Score:
    """Score a network by how far apart the responses to different samples are.

    The score is the mean over populations of the mean over time steps of the mean over defined
    pairs of samples of ``hamming(i, j) / N``, between 0 and 1.

    Args:
        view: A view with Gram records.
        options: The metric.

    Returns:
        The score; undefined if no population has a defined pair. Its details count the pairs, the
        undefined ones among them, and the populations without any defined pair.
    """
    steps: dict[str, list[Distances]] = defaultdict(list)
    for record in view.grams:
        steps[record.population].append(hamming(record))
    found = [one for distances in steps.values() for one in distances]
    means = [_mean(one.mean for one in distances) for distances in steps.values()]
    value = _mean(means)
    pairs = sum(one.pairs for one in found)
    details = {
        "pairs": pairs,
        "undefined_pairs": pairs - sum(one.defined for one in found),
        "undefined_populations": sum(mean is None for mean in means),
    }
    return Score(value, "ok" if value is not None else "undefined", details=details)


def hamming(record: GramRecord) -> Distances:
    """Compare all pairs of samples by the share of neurons that answer differently.

    With the Gram matrix G and row sums n, ``hamming(i, j) = n_i + n_j - 2 G_ij``.
    """
    counts = record.counts
    distances = (counts[:, None] + counts[None, :] - 2 * record.gram) / record.size
    responds = counts > 0
    return _over_pairs(distances, responds[:, None] & responds[None, :])


def _over_pairs(distances: Tensor, defined: Tensor) -> Distances:
    size = len(distances)
    upper = torch.ones(size, size, dtype=torch.bool, device=distances.device).triu(1)
    chosen = distances[upper & defined]
    mean = float(chosen.mean()) if len(chosen) else None
    return Distances(mean, len(chosen), size * (size - 1) // 2)


def _mean(values: Iterable[float | None]) -> float | None:
    defined = [value for value in values if value is not None]
    return sum(defined) / len(defined) if defined else None
