"""The mean of a representational dissimilarity matrix (RDM).

MSE-NAS (arXiv 2304.10749) rewards networks that respond differently to different inputs. Its
released score (:mod:`evo_rdm.released`) sums Hamming distances over all pairs, steps and layers, so
that it mostly measures the width of the early layers; here each population has one vote, and only
the upper triangle counts (Nili et al. 2014). A sample to which a population does not respond has no
pattern to compare: its pairs are undefined, skipped and counted. Two samples that are the very same
input say nothing about different inputs: their pair is left out and counted.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Iterator, Sequence

import torch
from torch import Tensor

from evo_core.evaluation import Score
from evo_core.snn.view import GramRecord, RateRecord, View
from evo_rdm.distances import dissimilarities, rate_patterns, spike_patterns
from evo_rdm.plugin import RdmOptions

_ENTRIES = 2**22  # of RDMs that are computed at once: 32 MiB each


def collect(record: RateRecord, options: RdmOptions) -> Tensor:
    """Compare the time-mean rates of one population: its RDM, ``[1, B, B]``, NaN if undefined."""
    return dissimilarities(rate_patterns(record), options.metric, options.normalise)[None]


def rdm(view: View, options: RdmOptions) -> Score:
    """Score a network by how far apart the responses to different samples are.

    The score is the mean over populations of the mean over time steps (one RDM for rates) of the
    mean over defined pairs of samples of their distance (:mod:`evo_rdm.distances`).

    Args:
        view: A view with Gram records, or with the RDMs that ``collect`` made.
        options: What a pattern is, how two are compared, what is divided by.

    Returns:
        The score; undefined if no population has a defined pair. Its details count the pairs, the
        undefined ones among them, the populations without any defined pair and, if the batch holds
        any, its pairs of identical inputs, which are no part of the pairs.
    """
    rates = options.feature == "rate"
    names = range(len(view.collected)) if rates else [record.population for record in view.grams]
    pairs, undefined, means = 0, 0, []
    for rdms in view.collected if rates else _of_steps(view.grams, options):
        distances = _different(rdms, view.duplicates)
        pairs += distances.numel()
        undefined += int(distances.isnan().sum())
        means += distances.nanmean(1).tolist()
    populations = _population_means(names, means)
    defined = [mean for mean in populations if not math.isnan(mean)]
    details = {
        "pairs": pairs,
        "undefined_pairs": undefined,
        "undefined_populations": len(populations) - len(defined),
    }
    if view.duplicates is not None and (same := int(view.duplicates.triu(1).sum())):
        details["duplicate_inputs"] = same
    if not defined:
        return Score.undefined("no two samples are answered by spikes", details=details)
    return Score(sum(defined) / len(defined), details=details)


def _of_steps(grams: Sequence[GramRecord], options: RdmOptions) -> Iterator[Tensor]:
    """Give the RDM of each record, ``[R, B, B]``, as many at once as memory should be spent on."""
    at_once = max(1, _ENTRIES // max(1, len(grams[0].counts) ** 2)) if grams else 1
    for first in range(0, len(grams), at_once):
        patterns = spike_patterns(grams[first : first + at_once])
        yield dissimilarities(patterns, options.metric, options.normalise)


def _different(rdms: Tensor, duplicates: Tensor | None) -> Tensor:
    """Pick the pairs of different inputs of RDMs ``[R, B, B]``: ``[R, pairs]``."""
    kept = torch.ones_like(rdms[0], dtype=torch.bool)
    if duplicates is not None:
        kept &= ~duplicates
    return rdms[:, kept.triu(1)]


def _population_means(names: Iterable[Hashable], means: Iterable[float]) -> list[float]:
    """Average the means of each population, those that are NaN left out."""
    found: dict[Hashable, list[float]] = {}
    for name, mean in zip(names, means, strict=True):
        found.setdefault(name, []).extend([] if math.isnan(mean) else [mean])
    return [sum(one) / len(one) if one else math.nan for one in found.values()]
