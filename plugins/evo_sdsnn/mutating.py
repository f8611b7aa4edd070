"""How a body is mutated before a child trains on: constrained, pruned, regenerated.

The rules of the development are the same for all children of a parent. So what they choose by rank
is drawn here, with chances that follow the same scores: the k largest of the logarithm of a chance
plus Gumbel noise are a draw of k without replacement. Layers that were never trained are left as
they are, and what the options switch off is not done here either.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from evo_sdsnn.bodies import Body, BodyLayer, layers_of
from evo_sdsnn.growth import JUST_GROWN
from evo_sdsnn.options import SdsnnOptions
from evo_sdsnn.pruning import cut, just_grown, scores
from evo_sdsnn.ranges import apply_mask, clamp
from evo_sdsnn.state import LayerState
from evo_sdsnn.waking import kernels, let_send, wake

CONSTRAINED, REGROWN = 0.5, 0.1  # the largest shares of synapses, and of pruned connections
PRUNED = 0.1  # the share of ``neurons`` that one mutation prunes on average


def constrain(body: Body, rng: np.random.Generator, options: SdsnnOptions) -> Body:
    """Contract the ranges of a random share of living synapses, and clamp their weights."""
    body = _copied(body)
    for layer, state in _trained(body):
        share = rng.uniform(0, CONSTRAINED)
        drawn = torch.from_numpy(rng.random(tuple(layer.weight.shape), dtype=np.float32) < share)
        factor = torch.where(drawn & state.mask, options.contraction, 1.0).to(layer.weight)
        state.upper.mul_(factor)
        state.lower.mul_(factor)
        if options.clamp:
            clamp(layer.weight, state)
            apply_mask(layer.weight, state)
    return body


def prune(body: Body, rng: np.random.Generator, options: SdsnnOptions) -> Body:
    """Prune a random number of neurons, likely those with narrow ranges; one of a layer stays.

    If no layer loses any, a layer drawn at random loses one. Neurons that have just grown are safe.
    Bias and BatchNorm are silenced where a training silences them, in mode ``improved``.
    """
    body = _copied(body)
    layers = list(_trained(body)) if options.prune else []
    open_to = [_open_to(state, options) for _, state in layers]
    counts = _counts([state for _, state in layers], open_to, rng, options)
    for (layer, state), choice, count in zip(layers, open_to, counts, strict=True):
        if not count:
            continue
        score = scores(state)[choice]
        spread = float(score.std(correction=0)) or 1.0
        chosen = torch.zeros_like(choice)
        chosen[choice.nonzero().view(-1)[_drawn(-score / spread, count, rng)]] = True
        cut(state, chosen)
        apply_mask(layer.weight, state)
        for name in layer.units if options.mode == "improved" else ():
            if name.endswith((".bias", ".running_mean")):
                body[name][chosen] = 0
    return body


def regenerate(body: Body, rng: np.random.Generator, options: SdsnnOptions) -> Body:
    """Let a random share of the pruned connections grow, likely those with growth evidence.

    They grow from zero. In mode ``improved`` they are safe from pruning for T_s epochs, and a
    neuron that wakes reads with random weights, and sends small ones where it sent nothing: if all
    were zero, none would ever learn. In the other modes a pruned neuron sends what it did.
    """
    body = _copied(body)
    layers = layers_of(body)
    for layer, state in list(_trained(body)) if options.regenerate else []:
        asleep = state.live() == 0
        grown = _grown(state, rng, options)
        if not grown.any():
            continue
        state.mask.logical_or_(kernels(grown, state.mask))
        if options.mode != "improved":
            state.growth.masked_fill_(grown, 0)
            continue
        state.growth.masked_fill_(grown, JUST_GROWN)
        state.gradient.masked_fill_(kernels(grown, state.mask), 0)
        state.pruned.copy_(state.live() == 0)
        awake = asleep & ~state.pruned
        if awake.any():
            wake(body, layer, awake, rng)
            for other in layers:
                if other.reads == layer.makes:
                    let_send(other, awake, rng)
    return body


def _copied(body: Body) -> Body:
    return {name: one.clone() for name, one in body.items()}


def _trained(body: Body) -> Iterator[tuple[BodyLayer, LayerState]]:
    """Give the layers that develop and were trained before."""
    for layer in layers_of(body):
        if layer.state is not None and int(layer.state.age) > 0:
            yield layer, layer.state


def _open_to(state: LayerState, options: SdsnnOptions) -> Tensor:
    """Tell which neurons may be pruned."""
    living = state.live() > 0
    return living & ~just_grown(state) if options.mode == "improved" else living


def _counts(
    states: Sequence[LayerState],
    open_to: Sequence[Tensor],
    rng: np.random.Generator,
    options: SdsnnOptions,
) -> list[int]:
    """Draw how many neurons each layer loses: together at least one, if that is possible."""
    most, counts = [], []
    for state, choice in zip(states, open_to, strict=True):
        living = int((state.live() > 0).sum())
        rate = options.conv_rate if state.is_conv else options.fc_rate
        share = PRUNED * options.neurons if options.mode == "improved" else rate / 100
        most.append(min(int(choice.sum()), living - 1))
        counts.append(min(most[-1], int(rng.binomial(living, share))))
    able = [place for place, one in enumerate(most) if one > 0]
    if able and not any(counts):
        counts[int(rng.choice(able))] = 1
    return counts


def _drawn(log_chance: Tensor, count: int, rng: np.random.Generator) -> Tensor:
    """Draw so many places without replacement (Gumbel top-k; Kool et al., ICML 2019)."""
    keys = log_chance.double() + torch.from_numpy(rng.gumbel(size=len(log_chance)))
    return keys.topk(min(count, len(keys))).indices


def _grown(state: LayerState, rng: np.random.Generator, options: SdsnnOptions) -> Tensor:
    """Draw the connections that grow, ``[O, I]``."""
    gone = ~state.connections()
    evidence = state.growth.double()
    if options.mode == "improved":
        evidence = state.gradient.abs().double()
        evidence = evidence.flatten(2).sum(2) if state.is_conv else evidence
    places = gone.view(-1).nonzero().view(-1)
    among = evidence.view(-1)[places]
    count = -int(-rng.uniform(0, REGROWN) * len(places) // 1)
    level = float(among.mean()) if len(among) else 0.0
    chance = (among / level + 0.01 if level > 0 else torch.ones_like(among)).log()
    grown = torch.zeros_like(gone)
    grown.view(-1)[places[_drawn(chance, count, rng)]] = True
    return grown
