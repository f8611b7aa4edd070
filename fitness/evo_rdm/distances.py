"""Distances between the response patterns of samples, all from one Gram matrix.

A pattern x is a row of N numbers: the spikes of a population at one step, or the spike counts of
its neurons over T steps (T = 1 for spikes). With G = X X^T, row sums s and r = s / (N T):

=========== ============================================= ============ ==========================
metric      raw distance (``none``)                       ``size``     ``expected`` (spikes only)
=========== ============================================= ============ ==========================
hamming     h = sum_n abs(x_in - x_jn) / T                h / N        h / e
euclidean   d = sqrt(G_ii + G_jj - 2 G_ij) / T            d / sqrt(N)  d / sqrt(e)
cosine      c = 1 - G_ij / sqrt(G_ii G_jj)                c            c / (1 - sqrt(r_i r_j))
pearson     1 - corr(x_i, x_j)                            as raw       refused
=========== ============================================= ============ ==========================

All are dissimilarities. ``euclidean`` under ``size`` is the root mean square difference of the
neurons: rsatoolbox calls its square euclidean (Nili et al. 2014, ``rdm/calc.py``). On spikes, where
T = 1, hamming is the Manhattan distance and the square of the raw euclidean one.

``e = N (r_i (1 - r_j) + (1 - r_i) r_j)`` is the Hamming distance expected of two independent
samples that fire at their rates (SAHD: Kim et al. 2022, "Neural Architecture Search for Spiking
Neural Networks"). It is also the expected squared euclidean distance. Of the same numbers of
spikes at random places, the cosine similarity expected is ``sqrt(r_i r_j)``, the correlation 0.

A sample without a spike has no pattern: its distances are undefined (NaN) in every metric. So is
what these formulas make 0 / 0: the correlation with a pattern without variance (e.g. saturated),
and two saturated samples under ``expected``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from evo_core.snn.view import GramRecord, RateRecord
from evo_rdm.plugin import Metric, Normalise


@dataclass(frozen=True, slots=True)
class Patterns:
    """Response patterns x of B samples, in any number of sets ``...``, as their products.

    Attributes:
        gram: ``sum_n x_in x_jn``, ``[..., B, B]``, float64.
        sums: ``sum_n x_in``, ``[..., B]``, float64.
        size: The number N of neurons of each set, ``[...]``, float64.
        counts: x itself, ``[B, N]``, float64, where it is not binary.
        steps: The number T of steps that x was counted over.
    """

    gram: Tensor
    sums: Tensor
    size: Tensor
    counts: Tensor | None = None
    steps: int = 1

    @property
    def squares(self) -> Tensor:
        """``sum_n x_in^2``, ``[..., B]``."""
        return self.gram.diagonal(dim1=-2, dim2=-1)

    @property
    def squared(self) -> Tensor:
        """``sum_n (x_in - x_jn)^2``, ``[..., B, B]``."""
        return _outer_sum(self.squares) - 2 * self.gram

    @property
    def manhattan(self) -> Tensor:
        """``sum_n abs(x_in - x_jn)``, ``[..., B, B]``; of binary x it follows from their products.

        Otherwise x is compared number by number, which takes no more memory than the result.
        """
        return self.squared if self.counts is None else torch.cdist(self.counts, self.counts, p=1)


def spike_patterns(records: Sequence[GramRecord]) -> Patterns:
    """Give the spikes of each record, of any population and step of one batch."""
    gram = torch.stack([record.gram for record in records])
    sums = torch.stack([record.counts for record in records])
    return Patterns(gram, sums, gram.new_tensor([record.size for record in records]))


def rate_patterns(record: RateRecord) -> Patterns:
    """Give the spike counts of one population over the sequence; products of them are exact."""
    counts = record.counts.double()
    size = counts.new_tensor(counts.shape[1])
    return Patterns(counts @ counts.T, counts.sum(1), size, counts, record.steps)


def dissimilarities(patterns: Patterns, metric: Metric, normalise: Normalise) -> Tensor:
    """Compare all pairs of samples.

    Returns:
        ``[..., B, B]``, float64, at least 0; NaN where a distance is undefined.
    """
    distances = _RAW[metric](patterns)
    if normalise == "expected":
        distances = distances / _expected(patterns, metric)
    elif normalise == "size" and metric in _SIZE_POWER:
        distances = distances / _over_pairs(patterns.size) ** _SIZE_POWER[metric]
    silent = patterns.sums == 0
    undefined = silent[..., :, None] | silent[..., None, :]
    return distances.clamp(min=0).masked_fill(undefined, torch.nan)


def _hamming(patterns: Patterns) -> Tensor:
    return patterns.manhattan / patterns.steps


def _euclidean(patterns: Patterns) -> Tensor:
    return patterns.squared.sqrt() / patterns.steps


def _cosine(patterns: Patterns) -> Tensor:
    return 1 - patterns.gram / _outer(patterns.squares).sqrt()


def _pearson(patterns: Patterns) -> Tensor:
    covariance = _over_pairs(patterns.size) * patterns.gram - _outer(patterns.sums)
    variance = covariance.diagonal(dim1=-2, dim2=-1)
    return 1 - covariance / _outer(variance).sqrt()


_RAW = {"hamming": _hamming, "euclidean": _euclidean, "cosine": _cosine, "pearson": _pearson}
_SIZE_POWER = {"hamming": 1.0, "euclidean": 0.5}


def _expected(patterns: Patterns, metric: Metric) -> Tensor:
    rates = patterns.sums / patterns.size[..., None]
    if metric == "cosine":
        return 1 - _outer(rates).sqrt()
    hamming = _over_pairs(patterns.size) * (_outer_sum(rates) - 2 * _outer(rates))
    return hamming if metric == "hamming" else hamming.sqrt()


def _over_pairs(sets: Tensor) -> Tensor:
    return sets[..., None, None]


def _outer(rows: Tensor) -> Tensor:
    return rows[..., :, None] * rows[..., None, :]


def _outer_sum(rows: Tensor) -> Tensor:
    return rows[..., :, None] + rows[..., None, :]
