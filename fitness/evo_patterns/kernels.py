"""Log-determinants of kernels over the samples of a batch, all from Gram matrices.

A record is a population at one time step. Of the binary patterns x of D neurons, with c spikes of a
sample, r = c / D and G the shared spikes of two samples, the Hamming distance is
``h_ij = c_i + c_j - 2 G_ij``. The kernels:

- ``nwot`` (NASWOT; Mellor et al. 2021): ``K_ij = sum over records of (D - h_ij)``. It is not
  normalised: the score holds ``B ln(sum D)``, a term of width and depth.
- ``nwot-normalised``: the same K divided by ``sum D``.
- ``sahd`` (SpikeNAS-Bench; Sun et al. 2025): the mean over records of
  ``D - h_ij / (2 (e_ij + 0.001))`` with ``e_ij = r_i (1 - r_j) + (1 - r_i) r_j``.
- ``sahd-snasnet`` (SNASNet; Kim et al. 2022): the same with ``D e_ij`` in place of ``e_ij``, almost
  a matrix of rank one, so that little but the number of samples is left in the score.
- ``jaccard``: the mean over records of ``G_ij / (c_i + c_j - G_ij)``, 1 where both are silent. At
  most 0, which is reached if no two samples share a spike. (The released MSE-NAS code counts
  shared silence in place of shared spikes.)

The score is ``ln |det K|``. It is undefined if K is singular, as when two samples are answered
alike: equal inputs, a network that never fires, or one that always does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from evo_core.components import NoOptions
from evo_core.evaluation import Score
from evo_core.snn.view import GramRecord, View

_STACKED = 2**22  # numbers in a stack of Gram matrices: 32 MiB


@dataclass(frozen=True, slots=True)
class _Records:
    """R records of B samples, float64.

    Attributes:
        gram: Shared spikes of each pair, ``[R, B, B]``.
        counts: Spikes of each sample, ``[R, B]``.
        size: Neurons, ``[R, 1, 1]``.
    """

    gram: Tensor
    counts: Tensor
    size: Tensor

    @property
    def either(self) -> Tensor:
        """``c_i + c_j``, ``[R, B, B]``."""
        return self.counts[:, :, None] + self.counts[:, None, :]

    @property
    def hamming(self) -> Tensor:
        """``h``, ``[R, B, B]``."""
        return self.either - 2 * self.gram


def nwot(view: View, options: NoOptions) -> Score:
    """Score by the number of neurons on which samples agree."""
    return _log_determinant(view, _agreement)


def nwot_normalised(view: View, options: NoOptions) -> Score:
    """Score by the share of neurons on which samples agree."""
    neurons = sum(record.size for record in view.grams)
    return _log_determinant(view, _agreement, neurons)


def sahd(view: View, options: NoOptions) -> Score:
    """Score by the Hamming distance relative to what the firing rates of the samples let expect."""
    return _log_determinant(view, lambda one: one.size - _relative(one, 1), len(view.grams))


def sahd_snasnet(view: View, options: NoOptions) -> Score:
    """Score as ``sahd``, with the normalisation that was first released."""
    return _log_determinant(view, lambda one: one.size - _relative(one, one.size), len(view.grams))


def jaccard(view: View, options: NoOptions) -> Score:
    """Score by the share of the spikes of two samples that they have in common."""
    return _log_determinant(view, _similarity, len(view.grams))


def _agreement(records: _Records) -> Tensor:
    return records.size - records.hamming


def _relative(records: _Records, size: Tensor | int) -> Tensor:
    rates = records.counts / records.size[:, 0]
    one, other = rates[:, :, None], rates[:, None, :]
    expected = size * (one * (1 - other) + (1 - one) * other)
    return 0.5 * records.hamming / (expected + 1e-3)


def _similarity(records: _Records) -> Tensor:
    union = records.either - records.gram
    return torch.where(union > 0, records.gram / union, 1.0)


def _log_determinant(view: View, kernel: Callable[[_Records], Tensor], parts: int = 1) -> Score:
    """Give ``ln |det K|`` for the sum of a kernel over all records, divided by ``parts``."""
    if not view.grams:
        return Score.undefined("the network has no population of neurons")
    total = sum(kernel(some).sum(0) for some in _stacked(view.grams))
    assert isinstance(total, Tensor)
    sizes = torch.linalg.eigvalsh(total / parts).abs()
    if len(sizes) < 2:
        return Score.undefined("a batch of one sample has nothing to compare")
    if sizes.min() <= sizes.max() * len(sizes) * torch.finfo(sizes.dtype).eps:
        return Score.undefined("samples are answered alike: the kernel is singular")
    return Score(float(sizes.log().sum()))


def _stacked(grams: Sequence[GramRecord]) -> Iterator[_Records]:
    length = max(1, _STACKED // len(grams[0].counts) ** 2)
    for first in range(0, len(grams), length):
        some = grams[first : first + length]
        gram = torch.stack([record.gram for record in some])
        counts = torch.stack([record.counts for record in some])
        size = torch.tensor([record.size for record in some]).to(gram)
        yield _Records(gram, counts, size[:, None, None])
