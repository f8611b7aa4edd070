"""How much neurons fire: the scores that every other one has to be compared with."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from evo_core.components import NoOptions
from evo_core.evaluation import Score
from evo_core.snn.view import RateRecord, View

_NO_NEURONS = "the network has no population of neurons"


def firing_rate(view: View, options: NoOptions) -> Score:
    """Give the spikes per neuron, sample and step: the mean over populations and steps."""
    if not view.grams:
        return Score.undefined(_NO_NEURONS)
    rates = torch.stack([record.counts.mean() / record.size for record in view.grams])
    return Score(float(rates.mean()))


def silent(record: RateRecord, options: NoOptions) -> Tensor:
    """Give the share of the neurons of a population that fire for no sample, at no step."""
    share: Tensor = (record.counts.sum(0) == 0).double().mean()
    return share


def entropy(record: RateRecord, options: NoOptions) -> Tensor:
    """Give the mean entropy of the neurons of a population, in bits.

    A neuron fires with probability p, over samples and steps: ``H = -p log2 p - (1-p) log2 (1-p)``.
    """
    p = record.counts.double().mean(0) / record.steps
    bits = (torch.special.entr(p) + torch.special.entr(1 - p)) / math.log(2)
    mean: Tensor = bits.mean()
    return mean


def mean_of_populations(view: View, options: NoOptions) -> Score:
    """Give the mean over populations of what was collected of each."""
    if not view.collected:
        return Score.undefined(_NO_NEURONS)
    return Score(float(torch.stack(view.collected).mean()))
