"""A neuron model of your own: a LIF neuron that takes its input undivided by tau.

evo run --space mse --plugin my_neuron.py --set 'mse.neurons=["lif","strong-lif"]'
"""

from dataclasses import dataclass
from typing import Annotated

from annotated_types import Gt

from evo_core import NeuronModel, hookimpl, option


@dataclass(frozen=True, slots=True)
class Parameters:
    tau: Annotated[float, Gt(1)] = option(2.0, "membrane time constant in time steps")
    threshold: Annotated[float, Gt(0)] = option(1.0, "membrane potential at which it fires")


def module(parameters):
    from spikingjelly.activation_based import neuron  # takes seconds, so only when it is needed

    return neuron.LIFNode(
        tau=parameters.tau,
        decay_input=False,
        v_threshold=parameters.threshold,
        v_reset=0.0,
        detach_reset=True,
        step_mode="m",
    )


def step(current, v, parameters):
    v = current if v is None else v * (1 - 1 / parameters.tau) + current
    spikes = (v >= parameters.threshold).to(v)
    return spikes, v * (1 - spikes)


@hookimpl
def evo_components():
    yield NeuronModel(
        name="strong-lif",
        summary="LIF whose input is not divided by tau",
        options=Parameters,
        module=module,
        step=step,
    )
