"""Which options of ``sdsnn`` evolve, and what a genome chooses for them; no torch here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from evo_core.genome import Gene
from evo_sdsnn.options import SdsnnOptions

_CHOICES = {
    "pace": ("6", "10", "15", "25"),
    "contraction": ("0.5", "0.65", "0.75", "0.85", "0.95"),
    "neurons": ("0.1", "0.2", "0.3", "0.5"),
    "synapses": ("0.5", "0.7", "0.8", "0.9", "0.95"),
    "rates": ("0.5/2", "2/5", "5/10", "10/20"),  # of convolutions, and of linear layers
    "growth": ("70", "80", "90", "95"),
    "growth_base": ("1.02", "1.04", "1.06", "1.1"),
}
_RELEASED_GROWTH = ("45/40", "55/50", "65/60", "75/70")
_PREFIX = "sdsnn."


def genes(options: SdsnnOptions) -> tuple[Gene, ...]:
    """Give a gene for each option that the mode reads, and that the switches leave with a meaning.

    Convolutions and linear layers share a gene, so that none is idle in a network that has but one
    of them. Where the user has set ``spine``, the pace is decided.
    """
    improved = options.mode == "improved"
    names = ["contraction"]
    if options.spine is None:
        names.insert(0, "pace")
    if options.prune:
        names += ["neurons", "synapses"] if improved else ["rates"]
        if options.regenerate:  # grows what was pruned
            names += ["growth", "growth_base"]
    choices = _CHOICES if improved else _CHOICES | {"growth": _RELEASED_GROWTH}
    return tuple(Gene(_PREFIX + name, "development", choices[name]) for name in names)


def configure(options: SdsnnOptions, choices: Mapping[str, str]) -> SdsnnOptions:
    """Put what the genes choose in place of what is set."""
    found: dict[str, float] = {}
    for name, text in choices.items():
        option = name.removeprefix(_PREFIX)
        conv, fc = float(text.split("/")[0]), float(text.split("/")[-1])
        if option == "pace":
            found["pace"] = int(text)
        elif option == "rates":
            found |= {"conv_rate": conv, "fc_rate": fc}
        elif option == "growth":
            found |= {"conv_growth": conv, "fc_growth": fc}
        else:
            found[option] = conv
    return replace(options, **found)  # type: ignore[arg-type]
