"""``sdsnn`` within a training: the seam between the structural step and a network.

In modes ``released`` and ``intended`` masks act once in an epoch, as in the release: in the next
one, masked weights are trained, and count. In mode ``improved`` a masked weight is zero all the
time, and a pruned neuron is silent: it has no bias, no shift of BatchNorm and no moments, so that
it never fires. What it would send stays, since its gradients tell whether the neuron should grow
again, and is set to zero when the training ends.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from evo_core.snn.developing import Progress
from evo_core.snn.network import SpikingNetwork
from evo_core.snn.silence import WeightLayer, silent_inputs, there_of, weight_layers
from evo_sdsnn.bodies import JOINED
from evo_sdsnn.options import SdsnnOptions
from evo_sdsnn.state import LayerState, State
from evo_sdsnn.stepping import begin, go_on


@dataclass(frozen=True, slots=True)
class Developing:
    """A network with the structural state of all its layers but the classifier."""

    network: SpikingNetwork
    layers: tuple[WeightLayer, ...]
    state: State
    optimiser: Optimizer
    options: SdsnnOptions

    def each(self) -> Iterator[tuple[WeightLayer, LayerState]]:
        """Give each layer with its state."""
        return zip(self.layers, self.state.layers.values(), strict=True)


def attach(
    network: SpikingNetwork, optimiser: Optimizer, options: SdsnnOptions, seed: int
) -> Developing:
    """Begin with all synapses there.

    Raises:
        EvoError: If the network has no layer in front of the classifier.
    """
    layers = tuple(one for one in weight_layers(network) if not one.last)
    weights = {one.name: one.weight for one in layers}
    state = begin(weights, options, targets=network.architecture.task.classes)
    return Developing(network, layers, state, optimiser, options)


def after_backward(state: Developing) -> None:
    """In mode ``improved``, note the dense gradients and mask them."""
    if state.options.mode != "improved":
        return
    for layer, structure in state.each():
        gradient = layer.weight.grad
        if gradient is None:
            continue
        if state.options.regenerate:
            structure.gradient.add_(gradient)
        gradient.mul_(structure.mask)
        for own in _of_units(layer):
            if own.grad is not None:
                own.grad.masked_fill_(structure.pruned, 0)


def after_epoch(state: Developing, progress: Progress) -> None:
    """Make a structural step; in mode ``improved`` not after the last epoch, which is final."""
    improved = state.options.mode == "improved"
    before = [structure.pruned.clone() for _, structure in state.each()]
    if improved and progress.epoch == progress.epochs:
        for _, structure in state.each():
            structure.age.add_(1)
    else:
        weights = {layer.name: layer.weight for layer in state.layers}
        go_on(weights, state.state, progress.epochs - progress.epoch + 1, state.options)
    if improved:
        for (layer, structure), was in zip(state.each(), before, strict=True):
            _settle(layer, structure, was & ~structure.pruned, state.optimiser)
        if progress.epoch == progress.epochs:
            _finish(state)


def tensors(state: Developing) -> dict[str, Tensor]:
    """Give the state of all layers; empty tensors name the nodes that concatenate.

    Bodies have no other way to tell a Linear that reads two parts from one that reads two pixels.
    """
    graph = state.network.architecture
    joined = [one.name for one in graph.nodes if one.join == "concat"]
    return state.state.tensors() | {f"{JOINED}/{name}": torch.empty(0) for name in joined}


def restore(state: Developing, kept: Mapping[str, Tensor]) -> None:
    """Take it over, from a checkpoint or from the body of a parent.

    In mode ``improved``, BatchNorm of neurons that a parent was left without lets gradients pass
    again; in a training that goes on it does so already.

    Raises:
        ValueError: If it belongs to another network.
    """
    state.state.restore(kept)
    if state.options.mode == "improved":
        for layer, structure in state.each():
            _silence(layer, structure.pruned)


def numbers(state: Developing) -> dict[str, float]:
    """Give densities of layers, shares of neurons left, and the pruning rates of all together.

    All are of the hidden layers, which develop, and none of the classifier.

    A synapse from a neuron that never fires is not there, nor is a neuron without synapses.
    """
    silent = silent_inputs(state.network)
    there = {layer.name: there_of(layer, silent[layer.name]) for layer in state.layers}
    alive = {name: one.flatten(1).any(1) for name, one in there.items()}
    return {
        **{f"density {name}": _share(one) for name, one in there.items()},
        **{f"neurons {name}": _share(one) for name, one in alive.items()},
        "pruned hidden weights": 1 - _share(*there.values()),
        "pruned hidden neurons": 1 - _share(*alive.values()),
    }


def _settle(layer: WeightLayer, structure: LayerState, awake: Tensor, optimiser: Optimizer) -> None:
    """Silence the neurons that are pruned, wake those that have grown, and clear moments."""
    gone = structure.pruned
    _silence(layer, gone)
    with torch.no_grad():
        if layer.norm is not None:
            assert layer.norm.running_var is not None
            layer.norm.weight[awake] = 1
            layer.norm.running_var[gone | awake] = 1
        _clear(optimiser, layer.weight, structure.mask)
        for own in _of_units(layer):
            _clear(optimiser, own, ~gone)


def _silence(layer: WeightLayer, gone: Tensor) -> None:
    """Let nothing but gradients pass through neurons ``[O]`` whose weights are all masked."""
    with torch.no_grad():
        if layer.bias is not None:
            layer.bias[gone] = 0
        norm = layer.norm
        if norm is not None:
            assert norm.running_mean is not None
            # Its batch has no variance, so that this scale lets gradients pass as they are.
            norm.weight[gone] = math.sqrt(norm.eps)
            norm.bias[gone] = 0
            norm.running_mean[gone] = 0


def _finish(state: Developing) -> None:
    """Set to zero what pruned neurons would send, and the scales of their BatchNorm."""
    silent = silent_inputs(state.network)
    with torch.no_grad():
        for layer in weight_layers(state.network):
            there = there_of(layer, silent[layer.name]).to(layer.weight.device)
            layer.weight.mul_(there)
            _clear(state.optimiser, layer.weight, there)
        for layer, structure in state.each():
            if layer.norm is not None:
                layer.norm.weight[structure.pruned] = 0


def _of_units(layer: WeightLayer) -> list[nn.Parameter]:
    """Give the parameters with one value for each neuron or channel, ``[O]``."""
    norm = [layer.norm.weight, layer.norm.bias] if layer.norm is not None else []
    return [*norm, *([layer.bias] if layer.bias is not None else [])]


def _clear(optimiser: Optimizer, parameter: nn.Parameter, mask: Tensor) -> None:
    """Clear the moments of what is masked."""
    for moment in optimiser.state.get(parameter, {}).values():
        if isinstance(moment, Tensor) and moment.shape == parameter.shape:
            moment.mul_(mask)


def _share(*flags: Tensor) -> float:
    return sum(int(one.sum()) for one in flags) / sum(one.numel() for one in flags)
