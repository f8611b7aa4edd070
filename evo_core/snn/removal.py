"""Smaller networks that compute the same: without the channels that are dead.

A channel is dead if nothing that the logits depend on reads it: wherever it is read, the weights
are zero or it is silent there for good (:mod:`evo_core.snn.silence`). Channels that are tied
(:mod:`evo_core.snn.ties`) go together or stay together. Input channels and classes never go,
and wherever all would go one stays, since shapes have no zeros. A pruned channel that still fires,
say from a bias, stays for as long as it is read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import torch
from torch import Tensor

from evo_core.architecture import INPUT, Architecture, Edge
from evo_core.errors import EvoError
from evo_core.primitives import BatchNorm, Conv, Linear, Primitive
from evo_core.snn.loaded import LoadedNetwork
from evo_core.snn.network import SpikingNetwork
from evo_core.snn.silence import silent_inputs, there_of, weight_layers, weighted
from evo_core.snn.ties import Ties, mixes, ties
from evo_core.snn.weights import Weights

TOLERANCE = 1e-6


def without_dead(network: SpikingNetwork) -> SpikingNetwork:
    """Build the network without what is dead.

    In evaluation mode it gives the same logits; sums are shorter, so that the last digits may
    differ. Names of nodes, edges and parameters stay; only sizes shrink. If nothing is dead, the
    network is a copy. The given one is left as it is.

    Args:
        network: On any device.

    Returns:
        A network at rest, in the same mode and of the same type.

    Example:
        >>> without_dead(network).architecture.parameters  # doctest: +SKIP
    """
    smaller = _cut(network)
    while smaller.architecture != network.architecture:  # what has gone may free more
        network, smaller = smaller, _cut(smaller)
    return smaller


def remove_dead(loaded: LoadedNetwork) -> LoadedNetwork:
    """Take what is dead out of a network that was loaded, and check that it computes the same.

    Raises:
        EvoError: If the logits on random frames differ by more than ``TOLERANCE``.
    """
    network = without_dead(loaded.network)
    apart = difference(loaded.network, network)
    if not apart <= TOLERANCE:
        raise EvoError(
            f"{loaded.text} does not compute the same without what is dead: its logits differ by "
            f"{apart:.2g}; a neuron that fires without any current does that. Leave it as it is"
        )
    return replace(loaded, architecture=network.architecture, network=network)


def difference(one: SpikingNetwork, other: SpikingNetwork, batch: int = 8) -> float:
    """Give the largest difference between the logits of two networks on the same random frames.

    Both run in evaluation mode and in float64, in which sums of another order hardly differ: in
    float32 a membrane potential just at the threshold may fire in one of them alone.
    """
    task = one.architecture.task
    generator = torch.Generator().manual_seed(0)
    shape = (task.steps, batch, *task.shape)
    frames = torch.rand(shape, generator=generator, dtype=torch.float64)
    copies = [_built(each, each.architecture, each.state_dict()) for each in (one, other)]
    with torch.no_grad():
        made = [each.cpu().double().eval()(frames) for each in copies]
    return float((made[0] - made[1]).abs().max())


def _cut(network: SpikingNetwork) -> SpikingNetwork:
    graph, tied = network.architecture, ties(network.architecture)
    kept = _kept(network, tied)
    places = {path: [kept[one] for one in numbers] for path, numbers in tied.edges.items()}
    edges = (
        replace(edge, operations=tuple(_sized(edge, places[path])))
        for path, edge in zip(graph.paths, graph.edges, strict=True)
    )
    tensors = dict(network.state_dict())
    for path, edge in zip(graph.paths, graph.edges, strict=True):
        for at, operation in enumerate(edge.operations):
            _cut_tensors(tensors, f"edges.{path}.{at}", operation, *places[path][at : at + 2])
    return _built(network, replace(graph, edges=tuple(edges)), tensors)


def _kept(network: SpikingNetwork, tied: Ties) -> Tensor:
    """Tell which channels stay, ``[count]``: what the logits need, and one at least of each place.

    Needed is what needed channels read, back from the logits: loops that feed themselves alone are
    not.
    """
    graph = network.architecture
    needed = torch.zeros(tied.count, dtype=torch.bool)
    needed[tied.states[INPUT]] = needed[tied.states[graph.output]] = True
    layers = list(_readers(network, tied))
    more = True
    while more:  # feedback takes several rounds
        before = int(needed.sum())
        for given, made, reads in reversed(layers):
            needed[given[reads[needed[made]].any(0)]] = True
        more = int(needed.sum()) > before
    for place in [*tied.states.values(), *(one for each in tied.edges.values() for one in each)]:
        if not needed[place].any():
            needed[place[0]] = True
    return needed


def _readers(network: SpikingNetwork, tied: Ties) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Give, for layers that mix, the channels they read and make, and which reads which."""
    silent = silent_inputs(network)
    where = weighted(network.architecture)
    for layer, (path, at, _, _) in zip(weight_layers(network), where, strict=True):
        if mixes(layer.operation):
            given, made = tied.edges[path][at : at + 2]
            there = there_of(layer, silent[layer.name])
            yield given, made, there.reshape(*there.shape[:2], -1).any(2)


def _sized(edge: Edge, places: list[Tensor]) -> Iterator[Primitive]:
    """Give the operations of an edge for what is kept at each place."""
    sizes = [int(one.sum()) for one in places]
    for operation, given, made in zip(edge.operations, sizes, sizes[1:], strict=False):
        match operation:
            case Conv(inputs=inputs, groups=groups):
                left = groups if mixes(operation) else groups * given // inputs
                yield replace(operation, inputs=given, outputs=made, groups=left)
            case Linear():
                yield replace(operation, inputs=given, outputs=made)
            case BatchNorm():
                yield replace(operation, channels=made)
            case _:
                yield operation


def _cut_tensors(
    tensors: dict[str, Tensor], name: str, operation: Primitive, given: Tensor, made: Tensor
) -> None:
    """Cut the tensors of an operation to the channels that are kept of those it reads and makes."""
    if not isinstance(operation, Conv | Linear | BatchNorm):
        return
    for part in ("weight", "bias", "running_mean", "running_var"):
        if (tensor := tensors.get(f"{name}.{part}")) is not None:
            tensors[f"{name}.{part}"] = tensor[made.to(tensor.device)]
    if mixes(operation):
        weight = tensors[f"{name}.weight"]
        tensors[f"{name}.weight"] = weight[:, given.to(weight.device)]


def _built(
    network: SpikingNetwork, architecture: Architecture, tensors: Mapping[str, Tensor]
) -> SpikingNetwork:
    """Build a network like another one, with tensors of its own."""
    like = next(network.parameters(), torch.empty(0))
    weights = Weights(0, dtype=like.dtype, device=str(like.device))
    built = SpikingNetwork(architecture, network.neurons, weights)
    built.load_state_dict(tensors)
    built.recompute = network.recompute
    built.train(network.training)
    return built
