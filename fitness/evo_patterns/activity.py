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


def silent_share(view: View, options: NoOptions) -> Score:
    """Give the share of (population, step, sample) without a single spike."""
    if not view.grams:
        return Score.undefined(_NO_NEURONS)
    counts = torch.stack([record.counts for record in view.grams])
    return Score(float((counts == 0).double().mean()))


def entropy(record: RateRecord, options: NoOptions) -> Tensor:
    """Give the mean entropy of the neurons of a population, in bits.

    A neuron fires with probability p, over samples and steps: ``H = -p log2 p - (1-p) log2 (1-p)``.
    """
    p = record.rates.double().mean(0)
    bits = (torch.special.entr(p) + torch.special.entr(1 - p)) / math.log(2)
    mean: Tensor = bits.mean()
    return mean


def neuron_entropy(view: View, options: NoOptions) -> Score:
    """Give the mean over populations of the mean entropy of their neurons, in bits."""
    if not view.collected:
        return Score.undefined(_NO_NEURONS)
    return Score(float(torch.stack(view.collected).mean()))
