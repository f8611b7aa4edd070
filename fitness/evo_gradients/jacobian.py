"""Scores of how differently the output depends on each input: ``J_i = d(sum of logits)/dx_i``.

One backward pass gives all rows; a frame that is shown at every step has one gradient, the sum over
the steps. Everything is float64: an analytically zero Jacobian (BatchNorm of the batch right
before an average over places) would look like a small one in float32.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from evo_core.components import NoOptions
from evo_core.evaluation import Score
from evo_core.snn.gradients import derivatives
from evo_core.snn.view import View

_EPSILON = 1e-5  # of both published scores
_NOISE = 1e3 * torch.finfo(torch.float64).eps
_COUNTS: dict[str, Any] = {"forwards": 1, "backwards": 1}


def jacob_cov(view: View, options: NoOptions) -> Score:
    """Give ``-sum_k ln(v_k + e) + 1 / (v_k + e)``, v the eigenvalues of ``corr(J)``, e = 1e-5.

    Mellor et al. (2020, arXiv 2006.04647v1). The best value is -B, for uncorrelated rows.
    """
    rows, reason = jacobian(view)
    if reason:
        return Score.undefined(reason, **_COUNTS)
    v = torch.linalg.eigvalsh(torch.corrcoef(rows)) + _EPSILON
    return Score(-float((v.log() + 1 / v).sum()), **_COUNTS)


def epe_nas(view: View, options: NoOptions) -> Score:
    """Compare the rows of each class (EPE-NAS; Lopes et al. 2021, arXiv 2102.08099).

    With M the correlations of the rows of class c, ``s_c = sum ln(|M| + 1e-5)``. Up to 100 classes
    the score is ``sum_c |s_c|``; beyond, s_c is divided by the number of rows and the score is the
    sum of ``|s_c - s_c'|`` over all pairs, divided by the number of classes in the batch.
    """
    assert view.labels is not None
    assert view.logits is not None
    rows, reason = jacobian(view)
    if reason:
        return Score.undefined(reason, **_COUNTS)
    many = view.logits.shape[-1] > 100
    members = [rows[view.labels == label] for label in torch.unique(view.labels)]
    if all(len(one) < 2 for one in members):
        return Score.undefined("no class has two samples in the batch", **_COUNTS)
    s = torch.stack([_within(one) / (len(one) if many else 1) for one in members])
    value = (s[:, None] - s).abs().sum() / len(s) if many else s.abs().sum()
    return Score(float(value), **_COUNTS)


def jacobian(view: View) -> tuple[Tensor, str]:
    """Give the rows J ``[B, inputs]``, float64, and the reason why they can not be used, if any."""
    assert view.network is not None
    assert view.inputs is not None
    inputs = view.inputs.detach().double().requires_grad_()
    found = derivatives(view.run(view.network().double(), inputs).mean(0).sum(), [inputs])[0]
    gradient = torch.zeros_like(inputs) if found is None else found
    shown = inputs.detach()
    still = bool((shown == shown[:1]).all())
    rows = (gradient.sum(0) if still else gradient.transpose(0, 1)).flatten(1)
    pixels = (shown[0] if still else shown.transpose(0, 1)).flatten(1)
    return rows, _fault(rows, pixels, view.duplicates)


def _fault(rows: Tensor, pixels: Tensor, duplicates: Tensor | None) -> str:
    """Tell why rows can not be compared; empty if they can."""
    if len(rows) < 2:
        return "a batch of one sample has nothing to compare"
    if duplicates is not None and bool(duplicates.triu(1).any()):
        return "two samples of the batch are the very same input"
    if not bool(rows.isfinite().all()):
        return "the Jacobian is not finite"
    if rows.norm() <= _NOISE * pixels.norm():
        return "the Jacobian vanishes: the logits do not depend on the inputs"
    varied = (rows - rows.mean(1, keepdim=True)).norm(dim=1)
    if bool((varied <= _NOISE * rows.norm(dim=1)).any()):
        return "a sample has a Jacobian without variance: its correlations do not exist"
    return ""


def _within(rows: Tensor) -> Tensor:
    """Sum ``ln(|M| + 1e-5)`` over the correlations of the rows of one class."""
    if len(rows) == 1:
        return (rows.new_ones(()) + _EPSILON).log()
    return (torch.corrcoef(rows).abs() + _EPSILON).log().sum()
