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
from collections import defaultdict
from collections.abc import Iterable, Iterator

import torch
from torch import Tensor

from evo_core.evaluation import Score
from evo_core.snn.view import GramRecord, RateRecord, View
from evo_rdm.distances import dissimilarities, rate_patterns, spike_patterns
from evo_rdm.plugin import RdmOptions


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
    given = view.collected if options.feature == "rate" else _of_steps(view.grams, options)
    rdms = [_different(one, view.duplicates) for one in given]
    means = [float(one.nanmean(1).nanmean()) for one in rdms]
    defined = [mean for mean in means if not math.isnan(mean)]
    details = {
        "pairs": sum(one.numel() for one in rdms),
        "undefined_pairs": sum(int(one.isnan().sum()) for one in rdms),
        "undefined_populations": len(means) - len(defined),
    }
    if view.duplicates is not None and (same := int(view.duplicates.triu(1).sum())):
        details["duplicate_inputs"] = same
    if not defined:
        return Score(None, "undefined", details=details)
    return Score(sum(defined) / len(defined), details=details)


def _of_steps(grams: Iterable[GramRecord], options: RdmOptions) -> Iterator[Tensor]:
    """Give the RDMs of each population, ``[steps, B, B]``."""
    populations: dict[str, list[GramRecord]] = defaultdict(list)
    for record in grams:
        populations[record.population].append(record)
    for records in populations.values():
        yield dissimilarities(spike_patterns(records), options.metric, options.normalise)


def _different(rdms: Tensor, duplicates: Tensor | None) -> Tensor:
    """Pick the pairs of different inputs of RDMs ``[S, B, B]``: ``[S, pairs]``."""
    kept = torch.ones_like(rdms[0], dtype=torch.bool)
    if duplicates is not None:
        kept &= ~duplicates
    return rdms[:, kept.triu(1)]
