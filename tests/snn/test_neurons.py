"""The leaky integrate-and-fire neuron: its equations, as a step and as a SpikingJelly node."""

from __future__ import annotations

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from evo_core.builtins import LifParameters
from evo_core.snn.neurons import lif_module
from evo_core.snn.steps import lif

CURRENTS = st.lists(st.integers(-8, 12).map(lambda n: n / 4), min_size=1, max_size=12)
TAUS = st.sampled_from([1.5, 2.0, 4.0])
THRESHOLDS = st.sampled_from([0.25, 0.5, 1.0])


def spikes_by_hand(currents, tau, threshold):
    v, spikes = 0.0, []
    for current in currents:
        v += (current - v) / tau
        spikes.append(float(v >= threshold))
        v = 0.0 if v >= threshold else v
    return spikes


def spikes_of_steps(currents, parameters):
    v, spikes = None, []
    for current in currents:
        fired, v = lif(torch.tensor([current], dtype=torch.float64), v, parameters)
        spikes.append(float(fired))
    return spikes


@settings(deadline=None, max_examples=60)
@given(currents=CURRENTS, tau=TAUS, threshold=THRESHOLDS)
def test_the_step_and_the_module_follow_the_equations(currents, tau, threshold):
    parameters = LifParameters(tau=tau, threshold=threshold)
    expected = spikes_by_hand(currents, tau, threshold)
    assert spikes_of_steps(currents, parameters) == expected
    sequence = torch.tensor(currents, dtype=torch.float64).view(-1, 1)
    assert lif_module(parameters)(sequence).flatten().tolist() == expected


def test_a_neuron_fires_when_it_just_reaches_its_threshold():
    parameters = LifParameters(tau=2.0, threshold=0.5)
    assert spikes_of_steps([1.0], parameters) == [1.0]
    assert lif_module(parameters)(torch.ones(1, 1)).item() == 1.0


def test_after_a_spike_the_potential_is_zero_and_else_it_is_kept():
    parameters = LifParameters(tau=2.0, threshold=0.5)
    current = torch.tensor([0.6, 4.0])
    spikes, v = lif(current, None, parameters)
    assert spikes.tolist() == [0.0, 1.0]
    assert torch.allclose(v, torch.tensor([0.3, 0.0]))


def test_a_step_leaves_the_potential_it_was_given_as_it_was():
    v = torch.tensor([0.2, 0.4])
    lif(torch.ones(2), v, LifParameters())
    assert torch.equal(v, torch.tensor([0.2, 0.4]))
