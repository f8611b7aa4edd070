"""How fast pruning and regeneration go: the adaptive rates and the growth percentile."""

from __future__ import annotations

import math

from evo_sdsnn.options import RELEASED_SPINE, SdsnnOptions

HIGHEST = 99.0  # the percentile that growth ends with
CONV_DEAD, FC_DEAD = 20, 50  # synapses, as released


def percentile(options: SdsnnOptions, epoch: int, *, conv: bool) -> float:
    """Give the percentile above which a pruned connection may grow: ``min(99, q0 + base^u)``.

    ``u`` is the number of epochs since the first pruning, for T_s = 18; in other modes than
    ``released`` it is stretched with T_s.
    """
    given = options.conv_growth if conv else options.fc_growth
    default = 95.0 if options.mode == "improved" else (65.0 if conv else 60.0)
    start = default if given is None else given
    elapsed = _elapsed(options, epoch)
    settled = elapsed * math.log(options.growth_base) > math.log(HIGHEST)
    power: float = HIGHEST if settled else options.growth_base**elapsed
    return min(max(HIGHEST, start), start + power)


def released_gain(
    options: SdsnnOptions, epoch: int, *, conv: bool, alive: int, ahead: int, units: int
) -> float:
    """Give what the pruning rate of a layer gains after an epoch, in percent.

    Args:
        options: Mode ``released`` has the literals of the code, ``intended`` what they stand for.
        epoch: The epoch, from 0.
        conv: Whether the layer is a convolution.
        alive: Its living neurons.
        ahead: The living neurons of the next layer, or the classes behind the last one.
        units: All its neurons.
    """
    elapsed = _elapsed(options, epoch)
    if conv:
        return math.exp(-elapsed / 5) * alive / max(1, ahead)
    if options.mode == "released":
        alive, ahead, first, late = 512 - (units - alive), 10, 37, epoch > 60
        elapsed = epoch - first
    else:
        late = epoch > 2 * options.threshold + 24
    gain = 0.0005 if late else 0.5 * math.exp(-elapsed)
    return gain * alive / max(1, ahead)


def improved_gain(options: SdsnnOptions, epoch: int, alive: float, ahead: float) -> float:
    """Give what the pruning rate of a layer gains after an epoch, in percent.

    Where the shares of living neurons of a layer and of the next one stay equal, the gains add up
    to ``options.neurons``; a layer with more living neurons than its targets is pruned faster.
    """
    share = 1 - math.exp(-1 / _patience(options))
    gain = 100 * options.neurons * share * math.exp(-_since(options, epoch) / _patience(options))
    return gain * alive / ahead


def retracted(options: SdsnnOptions, epoch: int) -> float:
    """Give the share of synapses to be pruned by the end of an epoch, mode ``improved``."""
    return options.synapses * (1 - math.exp(-(_since(options, epoch) + 1) / _patience(options)))


def _elapsed(options: SdsnnOptions, epoch: int) -> float:
    """Give the epochs since the first pruning, in the time of T_s = 18."""
    elapsed = _since(options, epoch)
    if options.mode == "released":
        return elapsed
    return elapsed * RELEASED_SPINE / options.threshold


def _since(options: SdsnnOptions, epoch: int) -> int:
    return epoch - options.first


def _patience(options: SdsnnOptions) -> float:
    return 2.0 * options.threshold
